/* Groups that the configuration names: they keep records from being retired. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_HOLD_H
#define JOURNAL_HOLD_H

#include "journal/journal_state.h"

struct hold {
    const char *name;
    uint64_t offset;  /* the first one that it has not completed */
    uint64_t records; /* of the segment's, how many it still needs */
};

/* Whether a named group still needs some of these records: the one that needs most. The view lock is held. */
bool hold_find(const struct journal *journal,
               const struct index_partition *partition,
               struct hold *ret_hold) MUST_CHECK;
/* Where the slowest named group of the partition stands; UINT64_MAX when there is none. */
uint64_t hold_low(const struct journal *journal, const struct partition *partition);
/* Whether the configuration names a group for this topic. */
bool hold_has_group(const struct journal *journal, const char *topic);
/* Whether the configuration names this group. */
bool hold_is_named(const struct journal *journal, const char *group);

#endif
