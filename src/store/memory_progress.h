/* What became of the records of one partition for one group, in the store in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_MEMORY_PROGRESS_H
#define STORE_MEMORY_PROGRESS_H

#include <stdbool.h>

#include "store/outcomes.h"

/* Offsets that follow one another and have one fate; the dead letters of DEAD ones follow one another too. */
struct memory_fates {
    uint64_t from;
    uint64_t to;            /* exclusive */
    struct store_fate fate; /* of the first */
};

struct memory_progress {
    uint32_t topic;
    uint32_t partition;
    bool has_begun;
    uint64_t low;
    uint64_t settled_above;
    struct memory_fates *runs; /* ascending, not overlapping */
    uint32_t count;
    uint32_t size;
};

void memory_progress_done(struct memory_progress *progress);

/* What was settled from `offset` on is open again, what was open below is SKIPPED. */
void memory_progress_seek(struct memory_progress *progress, uint64_t offset, int64_t at_ns);
/* Begins at `start` when it has not begun. Those of [from, to) that have an outcome keep it. */
void memory_progress_settle(struct memory_progress *progress,
                            uint64_t start,
                            uint64_t from,
                            uint64_t to,
                            const struct store_fate *fate);

/* NULL: it is open, or it lies below the mark and nothing is known of it. */
const struct memory_fates *memory_progress_find(const struct memory_progress *progress, uint64_t offset);
/* As store_ops.unsettled. */
void memory_progress_unsettled(const struct memory_progress *progress,
                               uint64_t from,
                               uint64_t *ret_from,
                               uint64_t *ret_to);
uint64_t memory_progress_end(const struct memory_progress *progress);

#endif
