/* Outcomes `done` of records that a consumer named one by one, gathered as runs for one append. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_PROCESSED_RUNS_H
#define DOOR_PROCESSED_RUNS_H

#include "store/store.h"

enum {
    PROCESSED_RUNS_MAX = 2048,
    PROCESSED_RUNS_OF_ONE = 2, /* runs that one record may take */
};

struct processed_runs {
    struct store *store;
    uint32_t group;
    struct span by;
    uint64_t skipped; /* records that were passed over to make room within the span */
    /* Up to where the latest partition may be settled without another question. */
    uint32_t topic;
    uint32_t partition;
    uint64_t low;
    bool knows_low;
    uint32_t count;
    struct store_settled runs[PROCESSED_RUNS_MAX];
};

/* Empties it for the outcomes of a group, whose id may have changed. `by` must outlive it. */
void processed_runs_begin(struct processed_runs *runs, struct store *store, uint32_t group, struct span by);

/*
 * One more record that is done, unless it has an outcome already. A group may settle records at most STORE_SPAN_MAX above the first
 * open one; beyond that the oldest open ones are SKIPPED. There is room for PROCESSED_RUNS_OF_ONE.
 */
void processed_runs_add(struct processed_runs *runs, struct store_position position);
bool processed_runs_have_room(const struct processed_runs *runs, uint32_t records);

#endif
