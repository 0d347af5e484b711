/* What outcomes, seeks and retired records do to the state: the one way for appends and for frames read back. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_SETTLE_H
#define JOURNAL_SETTLE_H

#include "journal/catalog.h"
#include "journal/segment_index.h"

/* The time is that of the commit group. `index` of the segment that says it; NULL: none is wanted. */
struct settle {
    struct catalog *catalog;
    struct segment_index *index;
    int64_t wall_ns;
};

/* One outcome of a run of offsets, as an OUTCOMES frame tells it. */
struct settle_run {
    uint32_t group;
    uint32_t topic;
    uint32_t partition;
    uint64_t offset;
    uint32_t count;
    enum store_outcome outcome;
    uint16_t attempts;
    uint32_t status;
    struct span by;
    bool has_dead;
    struct store_position dead; /* of the first offset */
};

/*
 * NOT_FOUND: no such group; UNKNOWN_TOPIC; TOO_MANY: too far above the mark: nothing happened. MEMORY: a part may have.
 * The order of a set is: seeks, outcomes, notes.
 */
enum err settle_run(const struct settle *settle, const struct settle_run *run) MUST_CHECK;
enum err settle_seek(const struct settle *settle, const struct store_seek *seek) MUST_CHECK;
/* Records below partition->start are gone: those that groups had not settled are settled as expired. MEMORY. */
enum err settle_expired(const struct settle *settle, const struct partition *partition) MUST_CHECK;

#endif
