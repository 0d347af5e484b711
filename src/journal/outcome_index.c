/* Runs of offsets that share a mark, for each group and partition. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/outcome_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum {
    KEYS_FIRST = 8,
    RUNS_MAX = 1 << 24,
    MARKS_LOOKED_AT = 16, /* the latest ones, when a run may share one */
    HOLDERS_MAX = 64,     /* of one offset: it was opened again so often within one segment */
};

void outcome_index_init(struct outcome_index *index)
{
    *index = (struct outcome_index){0};
    chunk_list_init(&index->marks, sizeof(struct outcome_mark));
}

void outcome_index_done(struct outcome_index *index)
{
    for (uint32_t i = 0; i < index->key_count; i++) {
        run_set_done(&index->keys[i]->runs);
        free(index->keys[i]);
    }
    free(index->keys);
    chunk_list_done(&index->marks);
    *index = (struct outcome_index){0};
}

int outcome_key_compare(const struct outcome_key *a, const struct outcome_key *b)
{
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    if (a->topic != b->topic)
        return a->topic < b->topic ? -1 : 1;
    return (a->partition > b->partition) - (a->partition < b->partition);
}

static uint32_t place_of(const struct outcome_index *index, const struct outcome_key *key)
{
    uint32_t low = 0;
    uint32_t high = index->key_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (outcome_key_compare(&index->keys[middle]->key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct outcome_runs *find_key(const struct outcome_index *index, const struct outcome_key *key)
{
    uint32_t place = place_of(index, key);
    bool is_there = place < index->key_count && outcome_key_compare(&index->keys[place]->key, key) == 0;
    return is_there ? index->keys[place] : NULL;
}

static enum err reserve_key(struct outcome_index *index)
{
    if (index->key_count < index->key_size)
        return ERR_NONE;
    uint32_t size = index->key_size == 0 ? KEYS_FIRST : index->key_size * 2;
    struct outcome_runs **keys = realloc(index->keys, size * sizeof(struct outcome_runs *));
    if (keys == NULL)
        return ERR_MEMORY;
    index->bytes += (size - index->key_size) * sizeof(struct outcome_runs *);
    index->keys = keys;
    index->key_size = size;
    return ERR_NONE;
}

static struct outcome_runs *make_key(struct outcome_index *index, const struct outcome_key *key)
{
    struct outcome_runs *runs = find_key(index, key);
    if (runs != NULL || reserve_key(index) != ERR_NONE)
        return runs;
    runs = calloc(1, sizeof *runs);
    if (runs == NULL)
        return NULL;
    runs->key = *key;
    run_set_init_exact(&runs->runs, RUNS_MAX);
    uint32_t place = place_of(index, key);
    memmove(index->keys + place + 1, index->keys + place,
            (index->key_count - place) * sizeof(struct outcome_runs *));
    index->keys[place] = runs;
    index->key_count++;
    index->bytes += sizeof *runs;
    return runs;
}

static bool is_same(const struct outcome_mark *a, const struct outcome_mark *b)
{
    return a->outcome == b->outcome && a->attempts == b->attempts && a->status == b->status &&
           a->at_ns / CLOCK_NS_PER_S == b->at_ns / CLOCK_NS_PER_S && a->dead_topic == b->dead_topic &&
           a->dead_partition == b->dead_partition && a->dead_shift == b->dead_shift &&
           a->by_len == b->by_len && memcmp(a->by, b->by, a->by_len) == 0;
}

/* One of the latest, or a new one. */
static enum err find_mark(struct outcome_index *index, const struct outcome_mark *mark, uint32_t *ret_number)
{
    uint32_t count = index->marks.count;
    uint32_t oldest = count > MARKS_LOOKED_AT ? count - MARKS_LOOKED_AT : 0;
    oldest = oldest > index->fresh ? oldest : index->fresh;
    for (uint32_t i = count; i > oldest; i--) {
        if (is_same(chunk_list_at(&index->marks, i - 1), mark)) {
            *ret_number = i - 1;
            return ERR_NONE;
        }
    }
    struct outcome_mark *added = chunk_list_add(&index->marks);
    if (added == NULL)
        return ERR_MEMORY;
    *added = *mark;
    *ret_number = count;
    return ERR_NONE;
}

enum err outcome_index_add(struct outcome_index *index,
                           const struct outcome_key *key,
                           uint64_t from,
                           uint64_t count,
                           const struct outcome_mark *mark)
{
    uint32_t number;
    struct outcome_runs *runs = make_key(index, key);
    if (runs == NULL)
        return ERR_MEMORY;
    size_t before = run_set_bytes(&runs->runs) + chunk_list_bytes(&index->marks);
    enum err err = find_mark(index, mark, &number);
    if (err == ERR_NONE)
        err = run_set_add(&runs->runs, from, count, number);
    index->bytes += run_set_bytes(&runs->runs) + chunk_list_bytes(&index->marks) - before;
    return err;
}

void outcome_index_begin_anew(struct outcome_index *index)
{
    index->fresh = index->marks.count;
}

const struct outcome_mark *
outcome_index_find(const struct outcome_index *index, const struct outcome_key *key, uint64_t offset)
{
    uint32_t marks[HOLDERS_MAX];
    const struct outcome_runs *runs = find_key(index, key);
    uint32_t count = runs == NULL ? 0 : run_set_positions(&runs->runs, offset, marks, HOLDERS_MAX);
    if (count == 0)
        return NULL;
    uint32_t latest = marks[0];
    for (uint32_t i = 1; i < count; i++)
        latest = marks[i] > latest ? marks[i] : latest;
    return chunk_list_at(&index->marks, latest);
}

struct store_fate outcome_mark_fate(const struct outcome_mark *mark, uint64_t offset)
{
    struct store_fate fate = {
        .outcome = (enum store_outcome)mark->outcome,
        .attempts = mark->attempts,
        .status = mark->status,
        .at_ns = mark->at_ns,
        .by_len = mark->by_len,
    };
    memcpy(fate.by, mark->by, mark->by_len);
    fate.dead_is_known = mark->dead_topic != UINT32_MAX;
    if (fate.dead_is_known)
        fate.dead =
            (struct store_position){mark->dead_topic, mark->dead_partition, offset + mark->dead_shift};
    return fate;
}
