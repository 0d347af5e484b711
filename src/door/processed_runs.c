/* Outcomes gathered as runs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/processed_runs.h"

/* Lines in the order of their numbers go round the partitions: a run is looked for among the latest ones. */
enum { RUNS_LOOKED_AT = 16, KEPT_SPAN = STORE_SPAN_MAX / 4 * 3 };

void processed_runs_begin(struct processed_runs *runs, struct store *store, uint32_t group, struct span by)
{
    runs->store = store;
    runs->group = group;
    runs->by = by;
    runs->skipped = 0;
    runs->knows_low = false;
    runs->count = 0;
}

bool processed_runs_have_room(const struct processed_runs *runs, uint32_t records)
{
    return runs->count + records * PROCESSED_RUNS_OF_ONE <= PROCESSED_RUNS_MAX;
}

static bool goes_on(const struct store_settled *run, const struct store_position *position)
{
    return run->outcome == STORE_OUTCOME_DONE && run->offset + run->count == position->offset &&
           run->topic == position->topic && run->partition == position->partition && run->count < UINT32_MAX;
}

static void
put(struct processed_runs *runs, struct store_position position, uint32_t count, enum store_outcome outcome)
{
    check(runs->count < PROCESSED_RUNS_MAX);
    runs->runs[runs->count++] = (struct store_settled){
        .group = runs->group,
        .topic = position.topic,
        .partition = position.partition,
        .offset = position.offset,
        .count = count,
        .outcome = outcome,
        .attempts = outcome == STORE_OUTCOME_DONE,
        .by = runs->by,
    };
}

static bool is_known(const struct processed_runs *runs, const struct store_position *position)
{
    return runs->knows_low && runs->topic == position->topic && runs->partition == position->partition;
}

/* False: the store knows no such partition. */
static bool ask_low(struct processed_runs *runs, const struct store_position *position)
{
    struct store_progress progress;
    if (runs->store->outcomes->progress(runs->store, runs->group, position->topic, position->partition,
                                        &progress) != ERR_NONE)
        return false;
    runs->topic = position->topic;
    runs->partition = position->partition;
    runs->low = progress.low;
    runs->knows_low = true;
    return true;
}

/* Whole parts of the open records from `low` on, until the record is within the span. */
static void skip_oldest(struct processed_runs *runs, struct store_position position)
{
    uint64_t to = position.offset - KEPT_SPAN;
    uint64_t left = to - runs->low;
    position.offset = runs->low;
    runs->skipped += left; /* at most: some may have an outcome */
    uint32_t count = left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
    put(runs, position, count, STORE_OUTCOME_SKIPPED);
    runs->low += count;
}

void processed_runs_add(struct processed_runs *runs, struct store_position position)
{
    struct store *store = runs->store;
    if (store->outcomes->outcome(store, runs->group, position) != STORE_OUTCOME_OPEN)
        return;
    if (!is_known(runs, &position) && !ask_low(runs, &position))
        return;
    if (position.offset < runs->low)
        return;
    if (position.offset - runs->low >= STORE_SPAN_MAX)
        skip_oldest(runs, position);
    uint32_t first = runs->count > RUNS_LOOKED_AT ? runs->count - RUNS_LOOKED_AT : 0;
    for (uint32_t i = first; i < runs->count; i++)
        if (goes_on(&runs->runs[i], &position)) {
            runs->runs[i].count++;
            return;
        }
    put(runs, position, 1, STORE_OUTCOME_DONE);
}
