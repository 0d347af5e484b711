/* Runs of numbers that share a spot, and a table for those that are scattered. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/place_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"

enum {
    RUNS_MAX = 1 << 24,
    SPOTS_LOOKED_AT = 8, /* the latest ones, when a run may share one */
    BATCH_RECORDS_MAX = UINT16_MAX + 1,
};

void place_index_init(struct place_index *index)
{
    *index = (struct place_index){0};
    for (uint32_t i = 0; i < PLACE_INDEX_SEQUENCES_MAX; i++)
        run_set_init_exact(&index->sequences[i], RUNS_MAX);
    chunk_list_init(&index->spots, sizeof(struct place_spot));
    chunk_list_init(&index->batches, sizeof(struct place_batch));
    chunk_list_init(&index->entries, sizeof(struct place_entry));
}

void place_index_done(struct place_index *index)
{
    for (uint32_t i = 0; i < PLACE_INDEX_SEQUENCES_MAX; i++)
        run_set_done(&index->sequences[i]);
    chunk_list_done(&index->spots);
    chunk_list_done(&index->batches);
    chunk_list_done(&index->entries);
    free(index->counters);
    *index = (struct place_index){0};
}

static bool is_same(const struct place_spot *a, const struct place_spot *b)
{
    return a->topic == b->topic && a->partition == b->partition && a->shift == b->shift &&
           a->wall_ns / CLOCK_NS_PER_S == b->wall_ns / CLOCK_NS_PER_S;
}

/* One of the latest, or a new one. */
static enum err find_spot(struct place_index *index, const struct place_spot *spot, uint32_t *ret_number)
{
    uint32_t count = index->spots.count;
    uint32_t oldest = count > SPOTS_LOOKED_AT ? count - SPOTS_LOOKED_AT : 0;
    for (uint32_t i = count; i > oldest; i--) {
        if (is_same(chunk_list_at(&index->spots, i - 1), spot)) {
            *ret_number = i - 1;
            return ERR_NONE;
        }
    }
    struct place_spot *added = chunk_list_add(&index->spots);
    if (added == NULL)
        return ERR_MEMORY;
    *added = *spot;
    *ret_number = count;
    return ERR_NONE;
}

static enum err add_run(struct place_index *index,
                        uint32_t sequence,
                        const struct store_run *run,
                        const struct place_spot *spot)
{
    uint32_t number;
    struct run_set *set = &index->sequences[sequence];
    size_t before = run_set_bytes(set);
    enum err err = find_spot(index, spot, &number);
    if (err == ERR_NONE)
        err = run_set_add(set, run->from, run->count, number);
    index->bytes += run_set_bytes(set) - before; /* chunks may also go: the sum wraps to what is right */
    return err;
}

/* --- One batch ----------------------------------------------------------------------------------- */

/* `at`: how many records of the batch stand before the run. */
static enum err add_direct(struct place_index *index,
                           const struct place_append *append,
                           const struct store_run *run,
                           const struct place_batch *batch,
                           uint64_t at)
{
    struct place_spot spot = {batch->topic, batch->partition, batch->base_offset + at - run->from,
                              append->wall_ns};
    return add_run(index, append->sequence, run, &spot);
}

static enum err add_all_direct(struct place_index *index, const struct place_append *append)
{
    enum err err = ERR_NONE;
    uint64_t at = 0;
    for (uint32_t i = 0; err == ERR_NONE && i < append->run_count; i++) {
        if (append->runs[i].from > 0)
            err = add_direct(index, append, &append->runs[i], &append->batches[0], at);
        at += append->runs[i].count;
    }
    return err;
}

/* --- Several batches -------------------------------------------------------------------------------- */

static uint32_t place_at(const struct place_append *append, uint64_t number)
{
    return append->places != NULL ? append->places[number]
                                  : bytes_get_le16(append->places_framed + number * 2);
}

static enum err reserve_counters(struct place_index *index, uint32_t count)
{
    if (count > index->counter_count) {
        uint32_t *counters = realloc(index->counters, count * sizeof *counters);
        if (counters == NULL)
            return ERR_MEMORY;
        index->bytes += (count - index->counter_count) * sizeof *counters;
        index->counters = counters;
        index->counter_count = count;
    }
    memset(index->counters, 0, count * sizeof *index->counters);
    return ERR_NONE;
}

/* Whether each record of each batch is told by one place. Afterwards the counters are zeros again. */
static bool agrees(struct place_index *index, const struct place_append *append)
{
    bool fine = true;
    for (uint32_t i = 0; fine && i < append->place_count; i++) {
        uint32_t batch = place_at(append, i);
        fine = batch < append->batch_count;
        if (fine)
            index->counters[batch]++;
    }
    for (uint32_t i = 0; i < append->batch_count; i++) {
        fine = fine && index->counters[i] == append->batches[i].records &&
               index->counters[i] <= BATCH_RECORDS_MAX;
        index->counters[i] = 0;
    }
    return fine;
}

/* Whether the numbers from `first` on, `count` of them, stand one behind the other. */
static bool is_in_one_batch(const struct place_append *append, uint64_t first, uint64_t count)
{
    uint32_t batch = place_at(append, first);
    for (uint64_t i = 1; i < count; i++)
        if (place_at(append, first + i) != batch)
            return false;
    return true;
}

static enum err add_batches(struct place_index *index, const struct place_append *append)
{
    for (uint32_t i = 0; i < append->batch_count; i++) {
        struct place_batch *batch = chunk_list_add(&index->batches);
        if (batch == NULL)
            return ERR_MEMORY;
        *batch = append->batches[i];
    }
    return ERR_NONE;
}

static enum err add_entry(struct place_index *index, uint32_t batch)
{
    struct place_entry *entry = chunk_list_add(&index->entries);
    if (entry == NULL)
        return ERR_MEMORY;
    *entry = (struct place_entry){(uint16_t)batch, (uint16_t)index->counters[batch]++};
    return ERR_NONE;
}

/* The batches of the append enter the table with its first scattered run: *first_batch is UINT32_MAX before. */
static enum err add_scattered(struct place_index *index,
                              const struct place_append *append,
                              const struct store_run *run,
                              uint64_t first,
                              uint32_t *first_batch)
{
    enum err err = ERR_NONE;
    if (*first_batch == UINT32_MAX) {
        *first_batch = index->batches.count;
        err = add_batches(index, append);
    }
    struct place_spot spot = {PLACE_SCATTERED, *first_batch, index->entries.count - run->from,
                              append->wall_ns};
    for (uint64_t i = 0; err == ERR_NONE && i < run->count; i++)
        err = add_entry(index, place_at(append, first + i));
    return err == ERR_NONE ? add_run(index, append->sequence, run, &spot) : err;
}

static enum err add_all(struct place_index *index, const struct place_append *append)
{
    enum err err = ERR_NONE;
    uint64_t at = 0;
    uint32_t first_batch = UINT32_MAX;
    for (uint32_t i = 0; err == ERR_NONE && i < append->run_count; i++) {
        const struct store_run *run = &append->runs[i];
        uint32_t batch = place_at(append, at);
        if (run->from == 0 || is_in_one_batch(append, at, run->count)) {
            if (run->from > 0)
                err = add_direct(index, append, run, &append->batches[batch], index->counters[batch]);
            for (uint64_t k = 0; k < run->count; k++)
                index->counters[place_at(append, at + k)]++;
        } else {
            err = add_scattered(index, append, run, at, &first_batch);
        }
        at += run->count;
    }
    return err;
}

static size_t lists_bytes(const struct place_index *index)
{
    return chunk_list_bytes(&index->spots) + chunk_list_bytes(&index->batches) +
           chunk_list_bytes(&index->entries);
}

static enum err add_if_known(struct place_index *index, const struct place_append *append)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < append->run_count; i++) {
        if (!run_is_legal(append->runs[i].from, append->runs[i].count))
            return ERR_NONE;
        total += append->runs[i].count;
    }
    if (append->batch_count == 0 || append->sequence >= PLACE_INDEX_SEQUENCES_MAX || total == 0)
        return ERR_NONE;
    if (append->place_count == 0)
        return append->batch_count == 1 && total == append->batches[0].records ? add_all_direct(index, append)
                                                                               : ERR_NONE;
    if (append->place_count != total)
        return ERR_NONE;
    enum err err = reserve_counters(index, append->batch_count);
    if (err != ERR_NONE || !agrees(index, append))
        return err;
    return add_all(index, append);
}

enum err place_index_add(struct place_index *index, const struct place_append *append)
{
    size_t before = lists_bytes(index);
    enum err err = add_if_known(index, append);
    index->bytes += lists_bytes(index) - before;
    return err;
}

/* --- Finding ----------------------------------------------------------------------------------------- */

static struct place_found
resolve(const struct place_index *index, const struct place_spot *spot, uint64_t number)
{
    if (spot->topic != PLACE_SCATTERED)
        return (struct place_found){spot->topic, spot->partition, number + spot->shift, spot->wall_ns};
    const struct place_entry *entry = chunk_list_at(&index->entries, (uint32_t)(number + spot->shift));
    const struct place_batch *batch = chunk_list_at(&index->batches, spot->partition + entry->batch);
    return (struct place_found){batch->topic, batch->partition, batch->base_offset + entry->record,
                                spot->wall_ns};
}

uint32_t place_index_find(const struct place_index *index,
                          uint32_t sequence,
                          uint64_t number,
                          struct place_found *found,
                          uint32_t size)
{
    enum { AT_ONCE = 64 };
    uint32_t spots[AT_ONCE];
    if (sequence >= PLACE_INDEX_SEQUENCES_MAX)
        return 0;
    uint32_t count =
        run_set_positions(&index->sequences[sequence], number, spots, size < AT_ONCE ? size : AT_ONCE);
    for (uint32_t i = 0; i < count; i++)
        found[i] = resolve(index, chunk_list_at(&index->spots, spots[i]), number);
    return count;
}
