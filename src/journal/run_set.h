/* The numbers of one sequence that a segment holds, in memory: sorted runs, cheap to add to anywhere. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_RUN_SET_H
#define JOURNAL_RUN_SET_H

#include <stddef.h>

#include "base/err.h"
#include "journal/run.h"

struct run_chunk;

/*
 * Sorted chunks of at most 256 runs, a full one splits. Numbers that follow the last run cost O(1), others a search
 * and a move within one chunk. A number may be there more than once. For one thread at a time.
 */
struct run_set {
    struct run_chunk **chunks; /* by their first number; none is empty */
    uint32_t chunk_count;
    uint32_t chunks_size;
    uint32_t count; /* of runs */
    uint32_t count_max;
    uint32_t position; /* of the latest append */
    uint32_t stretch;  /* appends of one run begin at its position or less than this behind it */
    uint64_t highest;
    uint32_t longest; /* no run has been longer */
};

void run_set_init(struct run_set *set, uint32_t count_max);
/* Runs are joined only where their positions are equal: it stands for something that they share, and may fall. */
void run_set_init_exact(struct run_set *set, uint32_t count_max);
void run_set_done(struct run_set *set);

/*
 * The append that begins at `position` holds these numbers; positions do not fall from call to call. Numbers that
 * touch a run nearby make it longer, and those that it holds already are not kept twice. BAD_INPUT when the run is
 * not legal; TOO_MANY at the maximum, MEMORY: then the front of the run may have been added.
 */
enum err run_set_add(struct run_set *set, uint64_t from, uint64_t count, uint32_t position) MUST_CHECK;

bool run_set_has(const struct run_set *set, uint64_t number);
/* Where to look for the appends with this number: at each position and up to RUN_STRETCH behind it. */
uint32_t run_set_positions(const struct run_set *set, uint64_t number, uint32_t *positions, uint32_t size);
/* Adds all runs that a fresh merge wants. */
void run_set_collect(const struct run_set *set, struct run_merge *merge);

/* 0 when it is empty. */
uint64_t run_set_lowest(const struct run_set *set);
uint64_t run_set_highest(const struct run_set *set);
/* How many runs the whole set merges into: 1 when it holds every number from lowest to highest. A walk over all. */
uint32_t run_set_merged_count(const struct run_set *set);
/* Allocated. */
size_t run_set_bytes(const struct run_set *set);

/* Walks all runs in order of `from`: start with zeros; NULL at the end. Not while the set changes. */
struct run_cursor {
    uint32_t chunk;
    uint32_t index;
};

const struct run *run_set_next(const struct run_set *set, struct run_cursor *cursor);

#endif
