/* Finds the beginning of a run of expired offsets from its end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "group/lost_range.h"

static bool is_expired(struct store *store, uint32_t group, struct store_position position, uint64_t offset)
{
    position.offset = offset;
    return store->outcomes->outcome(store, group, position) == STORE_OUTCOME_EXPIRED;
}

/* Steps that double until they leave the run, then halves between. */
static uint64_t find_first(struct store *store, uint32_t group, struct store_position position, uint64_t last)
{
    uint64_t in = last;
    uint64_t step = 1;
    while (step <= in && is_expired(store, group, position, in - step)) {
        in -= step;
        step *= 2;
    }
    uint64_t out = step <= in ? in - step : 0; /* not in it, or the very first offset */
    while (out < in) {
        uint64_t middle = out + (in - out) / 2;
        if (is_expired(store, group, position, middle))
            in = middle;
        else
            out = middle + 1;
    }
    return in;
}

bool lost_range_find(struct store *store,
                     uint32_t group,
                     uint32_t topic,
                     uint32_t partition,
                     uint64_t *ret_from,
                     uint64_t *ret_to)
{
    struct store_progress progress;
    struct store_position position = {.topic = topic, .partition = partition};
    if (store->outcomes->progress(store, group, topic, partition, &progress) != ERR_NONE ||
        !progress.has_begun || progress.low == 0 || !is_expired(store, group, position, progress.low - 1))
        return false;
    *ret_from = find_first(store, group, position, progress.low - 1);
    *ret_to = progress.low;
    return true;
}
