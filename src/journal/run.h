/* A run of consecutive sequence numbers, the place of the append that holds them, and the merge of many. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_RUN_H
#define JOURNAL_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "store/append.h"

/* docs/formats/journal.md 6. That no run is longer bounds the search for the runs that hold a number. */
enum {
    RUN_COUNT_MAX = 4096,
    RUN_STRETCH = 64 * 1024, /* appends of one run begin at its position or less than this behind it */
};

#define RUN_NUMBER_MAX ((uint64_t)INT64_MAX)

struct run {
    uint64_t from;
    uint32_t count;
    uint32_t position;
};

static inline uint64_t run_last(const struct run *run)
{
    return run->from + run->count - 1;
}

static inline bool run_holds(const struct run *run, uint64_t number)
{
    return number >= run->from && number - run->from < run->count;
}

/* Whether count > 0 and no number is above RUN_NUMBER_MAX. */
static inline bool run_is_legal(uint64_t from, uint64_t count)
{
    return count > 0 && from <= RUN_NUMBER_MAX && count - 1 <= RUN_NUMBER_MAX - from;
}

/* Makes few plain runs of many that touch and overlap, within [from, to]. */
struct run_merge {
    uint64_t from;
    uint64_t to;
    struct store_run *runs;
    uint32_t size;
    uint32_t count;   /* of runs, ascending and not touching */
    uint64_t covered; /* the last number that they speak of */
};

/* size > 0. */
void run_merge_init(
    struct run_merge *merge, uint64_t from, uint64_t to, struct store_run *runs, uint32_t size);
/* Runs come by ascending `from`, and are legal. False: no later one is wanted. */
bool run_merge_add(struct run_merge *merge, uint64_t from, uint64_t count);

#endif
