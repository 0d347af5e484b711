/* Sorted runs in a directory of chunks. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/run_set.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = 256, DIRECTORY_FIRST = 4 };

struct run_chunk {
    uint32_t count;
    uint64_t reach; /* no number in here is above it: lets searches pass over whole chunks */
    struct run runs[CHUNK_SIZE];
};

void run_set_init(struct run_set *set, uint32_t count_max)
{
    check(count_max > 0);
    *set = (struct run_set){.count_max = count_max, .stretch = RUN_STRETCH};
}

void run_set_init_exact(struct run_set *set, uint32_t count_max)
{
    check(count_max > 0);
    *set = (struct run_set){.count_max = count_max, .stretch = 1};
}

void run_set_done(struct run_set *set)
{
    for (uint32_t i = 0; i < set->chunk_count; i++)
        free(set->chunks[i]);
    free(set->chunks);
    *set = (struct run_set){0};
}

static struct run *last_of(const struct run_chunk *chunk)
{
    return (struct run *)(uintptr_t)&chunk->runs[chunk->count - 1];
}

/* Behind the last run of the chunk with from <= number. */
static uint32_t place_in_chunk(const struct run_chunk *chunk, uint64_t number)
{
    uint32_t low = 0;
    uint32_t high = chunk->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (chunk->runs[middle].from <= number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Behind the last run with from <= number, in that run's chunk; {0, 0} when there is none. */
static struct run_cursor place_of(const struct run_set *set, uint64_t number)
{
    if (set->chunk_count == 0)
        return (struct run_cursor){0, 0};
    uint32_t newest = set->chunk_count - 1;
    if (last_of(set->chunks[newest])->from <= number)
        return (struct run_cursor){newest, set->chunks[newest]->count};
    uint32_t low = 0; /* the first chunk that begins above the number lies in [low, high] */
    uint32_t high = set->chunk_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (set->chunks[middle]->runs[0].from <= number)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return (struct run_cursor){0, 0};
    return (struct run_cursor){low - 1, place_in_chunk(set->chunks[low - 1], number)};
}

static struct run *run_before(const struct run_set *set, struct run_cursor place)
{
    return place.index == 0 ? NULL : &set->chunks[place.chunk]->runs[place.index - 1];
}

/* The place of the run behind; false when there is none. */
static bool
find_following(const struct run_set *set, struct run_cursor place, struct run_cursor *ret_following)
{
    if (place.chunk < set->chunk_count && place.index == set->chunks[place.chunk]->count)
        place = (struct run_cursor){place.chunk + 1, 0};
    if (place.chunk >= set->chunk_count)
        return false;
    *ret_following = place;
    return true;
}

/* An empty chunk in the directory at `at`. */
static enum err add_chunk(struct run_set *set, uint32_t at)
{
    if (set->chunk_count == set->chunks_size) {
        uint32_t size = set->chunks_size == 0 ? DIRECTORY_FIRST : set->chunks_size * 2;
        struct run_chunk **chunks = realloc(set->chunks, size * sizeof(struct run_chunk *));
        if (chunks == NULL)
            return ERR_MEMORY;
        set->chunks = chunks;
        set->chunks_size = size;
    }
    struct run_chunk *chunk = malloc(sizeof *chunk);
    if (chunk == NULL)
        return ERR_MEMORY;
    chunk->count = 0;
    chunk->reach = 0;
    memmove(&set->chunks[at + 1], &set->chunks[at], (set->chunk_count - at) * sizeof(struct run_chunk *));
    set->chunks[at] = chunk;
    set->chunk_count++;
    return ERR_NONE;
}

/* After a run of the chunk has grown. */
static void note_growth(struct run_set *set, struct run_chunk *chunk, const struct run *run)
{
    if (run_last(run) > chunk->reach)
        chunk->reach = run_last(run);
    if (run->count > set->longest)
        set->longest = run->count;
}

/*
 * Makes room at *place in a full chunk: half of it moves to a new one. At the end of all, where numbers that only
 * rise arrive, nothing moves, and the chunks stay full.
 */
static enum err split_chunk(struct run_set *set, struct run_cursor *place)
{
    enum err err = add_chunk(set, place->chunk + 1);
    if (err != ERR_NONE)
        return err;
    struct run_chunk *source = set->chunks[place->chunk];
    struct run_chunk *target = set->chunks[place->chunk + 1];
    bool is_end = place->chunk + 2 == set->chunk_count && place->index == source->count;
    uint32_t kept = is_end ? source->count : source->count / 2;
    target->count = source->count - kept;
    target->reach = target->count == 0 ? 0 : source->reach;
    memcpy(target->runs, &source->runs[kept], target->count * sizeof(struct run));
    source->count = kept;
    if (place->index > kept || is_end)
        *place = (struct run_cursor){place->chunk + 1, place->index - kept};
    return ERR_NONE;
}

static enum err insert_run(struct run_set *set, struct run_cursor place, const struct run *run)
{
    if (set->count == set->count_max)
        return ERR_TOO_MANY;
    enum err err = ERR_NONE;
    if (set->chunk_count == 0)
        err = add_chunk(set, 0);
    else if (set->chunks[place.chunk]->count == CHUNK_SIZE)
        err = split_chunk(set, &place);
    if (err != ERR_NONE)
        return err;
    struct run_chunk *chunk = set->chunks[place.chunk];
    struct run *slot = &chunk->runs[place.index];
    memmove(slot + 1, slot, (chunk->count - place.index) * sizeof *slot);
    *slot = *run;
    chunk->count++;
    note_growth(set, chunk, run);
    set->count++;
    return ERR_NONE;
}

static void remove_run(struct run_set *set, struct run_cursor place)
{
    struct run_chunk *chunk = set->chunks[place.chunk];
    struct run *slot = &chunk->runs[place.index];
    memmove(slot, slot + 1, (chunk->count - place.index - 1) * sizeof *slot);
    chunk->count--;
    set->count--;
    if (chunk->count > 0)
        return;
    free(chunk);
    set->chunk_count--;
    memmove(&set->chunks[place.chunk], &set->chunks[place.chunk + 1],
            (set->chunk_count - place.chunk) * sizeof(struct run_chunk *));
}

/* Whether the latest append, and so all before it, lies in the stretch behind the run's position. */
static bool is_near(const struct run_set *set, const struct run *run)
{
    return set->position - run->position < set->stretch;
}

static bool can_join(const struct run_set *set, const struct run *low, const struct run *high)
{
    return low->from + low->count == high->from && low->count + high->count <= RUN_COUNT_MAX &&
           is_near(set, low) && is_near(set, high);
}

/* Makes one of the run before `place`, which has just grown, and the one behind it. */
static void close_gap(struct run_set *set, struct run_cursor place)
{
    struct run_cursor following;
    if (!find_following(set, place, &following))
        return;
    struct run *low = run_before(set, place);
    const struct run *high = &set->chunks[following.chunk]->runs[following.index];
    if (!can_join(set, low, high))
        return;
    low->count += high->count;
    low->position = low->position < high->position ? low->position : high->position;
    note_growth(set, set->chunks[place.chunk], low);
    remove_run(set, following);
}

/* At most RUN_COUNT_MAX numbers, at set->position. */
static enum err add_piece(struct run_set *set, const struct run *piece)
{
    struct run_cursor place = place_of(set, piece->from);
    struct run *before = run_before(set, place);
    if (before != NULL && run_holds(before, piece->from) && run_holds(before, run_last(piece)) &&
        is_near(set, before))
        return ERR_NONE;
    if (before != NULL && can_join(set, before, piece)) {
        before->count += piece->count;
        note_growth(set, set->chunks[place.chunk], before);
        close_gap(set, place);
        return ERR_NONE;
    }
    struct run_cursor following;
    if (find_following(set, place, &following)) {
        struct run *after = &set->chunks[following.chunk]->runs[following.index];
        if (can_join(set, piece, after)) {
            after->from = piece->from;
            after->count += piece->count;
            note_growth(set, set->chunks[following.chunk], after);
            return ERR_NONE;
        }
    }
    return insert_run(set, place, piece);
}

enum err run_set_add(struct run_set *set, uint64_t from, uint64_t count, uint32_t position)
{
    check(position >= set->position || set->stretch == 1);
    if (!run_is_legal(from, count))
        return ERR_BAD_INPUT;
    set->position = position;
    while (count > 0) {
        uint32_t step = count < RUN_COUNT_MAX ? (uint32_t)count : RUN_COUNT_MAX;
        struct run piece = {from, step, position};
        enum err err = add_piece(set, &piece);
        if (err != ERR_NONE)
            return err;
        if (run_last(&piece) > set->highest)
            set->highest = run_last(&piece);
        from += step;
        count -= step;
    }
    return ERR_NONE;
}

/* Moves *place down to the next run that holds the number, and before it; NULL when there is none any more. */
static const struct run *next_holder(const struct run_set *set, uint64_t number, struct run_cursor *place)
{
    while (place->index > 0) {
        const struct run_chunk *chunk = set->chunks[place->chunk];
        const struct run *run = &chunk->runs[place->index - 1];
        if (number - run->from >= set->longest)
            return NULL;
        place->index = chunk->reach < number ? 0 : place->index - 1;
        if (place->index == 0 && place->chunk > 0) {
            place->chunk--;
            place->index = set->chunks[place->chunk]->count;
        }
        if (run_holds(run, number))
            return run;
    }
    return NULL;
}

bool run_set_has(const struct run_set *set, uint64_t number)
{
    struct run_cursor place = place_of(set, number);
    return next_holder(set, number, &place) != NULL;
}

uint32_t run_set_positions(const struct run_set *set, uint64_t number, uint32_t *positions, uint32_t size)
{
    struct run_cursor place = place_of(set, number);
    uint32_t count = 0;
    const struct run *run;
    while (count < size && (run = next_holder(set, number, &place)) != NULL)
        positions[count++] = run->position;
    return count;
}

void run_set_collect(const struct run_set *set, struct run_merge *merge)
{
    struct run_cursor place = {0};
    if (merge->from >= RUN_COUNT_MAX) /* a run that begins here or below does not reach merge->from */
        place = place_of(set, merge->from - RUN_COUNT_MAX);
    const struct run *run;
    while ((run = run_set_next(set, &place)) != NULL && run_merge_add(merge, run->from, run->count))
        continue;
}

uint64_t run_set_lowest(const struct run_set *set)
{
    return set->chunk_count == 0 ? 0 : set->chunks[0]->runs[0].from;
}

uint64_t run_set_highest(const struct run_set *set)
{
    return set->highest;
}

uint32_t run_set_merged_count(const struct run_set *set)
{
    uint32_t count = 0;
    uint64_t end = 0; /* behind all numbers seen */
    struct run_cursor cursor = {0};
    for (const struct run *run; (run = run_set_next(set, &cursor)) != NULL;) {
        if (count == 0 || run->from > end)
            count++;
        if (run_last(run) >= end)
            end = run_last(run) + 1;
    }
    return count;
}

size_t run_set_bytes(const struct run_set *set)
{
    return set->chunk_count * sizeof(struct run_chunk) + set->chunks_size * sizeof(struct run_chunk *);
}

const struct run *run_set_next(const struct run_set *set, struct run_cursor *cursor)
{
    if (!find_following(set, *cursor, cursor))
        return NULL;
    return &set->chunks[cursor->chunk]->runs[cursor->index++];
}
