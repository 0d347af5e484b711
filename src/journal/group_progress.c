/* A low-water mark with a directory of bitmaps above it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/group_progress.h"

#include <stdlib.h>
#include <string.h>

enum { DIRECTORY_FIRST = 4, DIRECTORY_MAX = PROGRESS_SPAN_MAX / PROGRESS_CHUNK + 2, WORD_BITS = 64 };

static const struct progress_chunk settled_chunk;

/* Stands in the directory for every chunk that is wholly settled; never written to. */
static struct progress_chunk *full_chunk(void)
{
    return (struct progress_chunk *)(uintptr_t)&settled_chunk;
}

static bool is_partial(const struct progress_chunk *chunk)
{
    return chunk != NULL && chunk != full_chunk();
}

enum err group_progress_new(
    uint32_t topic, uint32_t partition, uint32_t slot, uint64_t low, struct group_progress **ret_progress)
{
    struct group_progress *progress = calloc(1, sizeof *progress);
    if (progress == NULL)
        return ERR_MEMORY;
    *progress =
        (struct group_progress){.topic = topic, .partition = partition, .slot = slot, .low = low, .end = low};
    *ret_progress = progress;
    return ERR_NONE;
}

static void free_chunk(struct group_progress *progress, uint32_t place)
{
    struct progress_chunk *chunk = progress->chunks[place];
    progress->partial_count -= is_partial(chunk);
    progress->full_count -= chunk == full_chunk();
    if (is_partial(chunk))
        free(chunk);
    progress->chunks[place] = NULL;
}

static void free_chunks(struct group_progress *progress)
{
    for (uint32_t i = 0; i < progress->chunk_count; i++)
        free_chunk(progress, i);
    progress->chunk_count = 0;
}

struct group_progress *group_progress_free(struct group_progress *progress)
{
    if (progress == NULL)
        return NULL;
    free_chunks(progress);
    free(progress->chunks);
    free(progress->stretches);
    free(progress);
    return NULL;
}

/* --- Chunks -------------------------------------------------------------------------------------- */

static uint64_t first_chunk(const struct group_progress *progress)
{
    return progress->low / PROGRESS_CHUNK;
}

/* NULL also beyond the directory. */
static const struct progress_chunk *chunk_at(const struct group_progress *progress, uint64_t number)
{
    uint64_t place = number - first_chunk(progress);
    return place < progress->chunk_count ? progress->chunks[place] : NULL;
}

static enum err reserve_directory(struct group_progress *progress, uint32_t count)
{
    check(count <= DIRECTORY_MAX);
    if (count > progress->chunk_size) {
        uint32_t size = progress->chunk_size == 0 ? DIRECTORY_FIRST : progress->chunk_size * 2;
        size = size < count ? count : size;
        struct progress_chunk **chunks = realloc(progress->chunks, size * sizeof(struct progress_chunk *));
        if (chunks == NULL)
            return ERR_MEMORY;
        progress->chunks = chunks;
        progress->chunk_size = size;
    }
    while (progress->chunk_count < count)
        progress->chunks[progress->chunk_count++] = NULL;
    return ERR_NONE;
}

/* The part of the range that lies in a chunk, as bits of it. */
static struct progress_range bits_in(uint64_t chunk, struct progress_range range)
{
    uint64_t first = chunk * PROGRESS_CHUNK;
    uint64_t from = range.from > first ? range.from - first : 0;
    uint64_t to = range.to - first < PROGRESS_CHUNK ? range.to - first : PROGRESS_CHUNK;
    return (struct progress_range){from, to};
}

static bool is_whole(struct progress_range bits)
{
    return bits.to - bits.from == PROGRESS_CHUNK;
}

bool group_progress_can_settle(const struct group_progress *progress, struct progress_range range)
{
    return range.from <= progress->low || range.to - progress->low <= PROGRESS_SPAN_MAX;
}

enum err group_progress_reserve(struct group_progress *progress, struct progress_range range)
{
    check(range.from < range.to);
    if (range.from <= progress->low) /* it only lifts the mark */
        return ERR_NONE;
    if (!group_progress_can_settle(progress, range))
        return ERR_TOO_MANY;
    uint64_t first = first_chunk(progress);
    uint64_t last = (range.to - 1) / PROGRESS_CHUNK;
    enum err err = reserve_directory(progress, (uint32_t)(last - first) + 1);
    for (uint64_t i = range.from / PROGRESS_CHUNK; err == ERR_NONE && i <= last; i++) {
        struct progress_chunk **chunk = &progress->chunks[i - first];
        if (*chunk != NULL || is_whole(bits_in(i, range)))
            continue;
        *chunk = calloc(1, sizeof **chunk);
        err = *chunk == NULL ? ERR_MEMORY : ERR_NONE;
        progress->partial_count += *chunk != NULL;
    }
    return err;
}

void group_progress_trim(struct group_progress *progress)
{
    for (uint32_t i = 0; i < progress->chunk_count; i++)
        if (is_partial(progress->chunks[i]) && progress->chunks[i]->settled == 0)
            free_chunk(progress, i);
}

/* The bits [from, to) of word `word`. */
static uint64_t mask_of(uint32_t word, struct progress_range bits)
{
    uint64_t first = (uint64_t)word * WORD_BITS;
    if (bits.to <= first || bits.from >= first + WORD_BITS)
        return 0;
    uint64_t mask = UINT64_MAX;
    if (bits.from > first)
        mask &= UINT64_MAX << (bits.from - first);
    if (bits.to < first + WORD_BITS)
        mask &= UINT64_MAX >> (first + WORD_BITS - bits.to);
    return mask;
}

static uint32_t set_bits(struct progress_chunk *chunk, struct progress_range bits)
{
    uint32_t added = 0;
    for (uint32_t word = (uint32_t)(bits.from / WORD_BITS); word * WORD_BITS < bits.to; word++) {
        uint64_t mask = mask_of(word, bits) & ~chunk->bits[word];
        chunk->bits[word] |= mask;
        added += (uint32_t)__builtin_popcountll(mask);
    }
    chunk->settled += added;
    return added;
}

static uint32_t count_bits(const struct progress_chunk *chunk, struct progress_range bits)
{
    uint32_t count = 0;
    if (chunk == full_chunk())
        return (uint32_t)(bits.to - bits.from);
    for (uint32_t word = (uint32_t)(bits.from / WORD_BITS); chunk != NULL && word * WORD_BITS < bits.to;
         word++)
        count += (uint32_t)__builtin_popcountll(mask_of(word, bits) & chunk->bits[word]);
    return count;
}

/* How many in the range have a bit. */
static uint64_t count_settled(const struct group_progress *progress, struct progress_range range)
{
    uint64_t count = 0;
    uint64_t end = (first_chunk(progress) + progress->chunk_count) * PROGRESS_CHUNK;
    range.to = range.to < end ? range.to : end;
    for (uint64_t i = range.from / PROGRESS_CHUNK; i * PROGRESS_CHUNK < range.to; i++)
        count += count_bits(chunk_at(progress, i), bits_in(i, range));
    return count;
}

/* --- The mark --------------------------------------------------------------------------------------- */

/* Chunks wholly below the new mark go. */
static void raise_low(struct group_progress *progress, uint64_t low)
{
    progress->settled_above -= count_settled(progress, (struct progress_range){progress->low, low});
    uint64_t passed = low / PROGRESS_CHUNK - first_chunk(progress);
    uint32_t gone = passed < progress->chunk_count ? (uint32_t)passed : progress->chunk_count;
    for (uint32_t i = 0; i < gone; i++)
        free_chunk(progress, i);
    if (gone > 0)
        memmove(progress->chunks, progress->chunks + gone,
                (progress->chunk_count - gone) * sizeof(struct progress_chunk *));
    progress->chunk_count -= gone;
    progress->low = low;
    progress->end = progress->end > low ? progress->end : low;
}

/* The first bit at or behind `from` that is as told; PROGRESS_CHUNK when there is none. */
static uint32_t find_bit(const struct progress_chunk *chunk, uint32_t from, bool is_set)
{
    for (uint32_t word = from / WORD_BITS; word < PROGRESS_CHUNK_WORDS; word++) {
        uint64_t bits = is_set ? chunk->bits[word] : ~chunk->bits[word];
        if (word == from / WORD_BITS)
            bits &= UINT64_MAX << from % WORD_BITS;
        if (bits != 0)
            return word * WORD_BITS + (uint32_t)__builtin_ctzll(bits);
    }
    return PROGRESS_CHUNK;
}

/* The first offset at or behind `from`, which is not below the mark, that is settled or not; UINT64_MAX when there is none. */
static uint64_t find_offset(const struct group_progress *progress, uint64_t from, bool is_settled)
{
    uint64_t behind = first_chunk(progress) + progress->chunk_count;
    for (uint64_t i = from / PROGRESS_CHUNK; i < behind; i++, from = i * PROGRESS_CHUNK) {
        const struct progress_chunk *chunk = chunk_at(progress, i);
        if (!is_partial(chunk)) {
            if ((chunk != NULL) == is_settled)
                return from;
            continue;
        }
        uint32_t bit = find_bit(chunk, (uint32_t)(from % PROGRESS_CHUNK), is_settled);
        if (bit < PROGRESS_CHUNK)
            return i * PROGRESS_CHUNK + bit;
    }
    return is_settled ? UINT64_MAX : from;
}

/* Bits in the range, all above the mark; the chunks are there. */
static void mark(struct group_progress *progress, struct progress_range range)
{
    uint64_t first = first_chunk(progress);
    for (uint64_t i = range.from / PROGRESS_CHUNK; i * PROGRESS_CHUNK < range.to; i++) {
        struct progress_range bits = bits_in(i, range);
        struct progress_chunk *chunk = progress->chunks[i - first];
        if (chunk == full_chunk())
            continue;
        if (is_partial(chunk))
            progress->settled_above += set_bits(chunk, bits);
        else
            progress->settled_above += PROGRESS_CHUNK; /* it is settled as a whole */
        if (chunk != NULL && chunk->settled < PROGRESS_CHUNK)
            continue;
        free_chunk(progress, (uint32_t)(i - first));
        progress->chunks[i - first] = full_chunk();
        progress->full_count++;
    }
    progress->end = range.to > progress->end ? range.to : progress->end;
}

enum err group_progress_settle(struct group_progress *progress, struct progress_range range)
{
    enum err err = group_progress_reserve(progress, range);
    if (err != ERR_NONE)
        return err;
    progress->has_begun = true;
    if (range.to <= progress->low)
        return ERR_NONE;
    if (range.from <= progress->low)
        raise_low(progress, range.to);
    else
        mark(progress, range);
    uint64_t open = find_offset(progress, progress->low, false);
    if (open > progress->low)
        raise_low(progress, open);
    return ERR_NONE;
}

bool group_progress_is_settled(const struct group_progress *progress, uint64_t offset)
{
    if (offset < progress->low)
        return true;
    const struct progress_chunk *chunk = chunk_at(progress, offset / PROGRESS_CHUNK);
    if (!is_partial(chunk))
        return chunk != NULL;
    uint64_t bit = offset % PROGRESS_CHUNK;
    return (chunk->bits[bit / WORD_BITS] >> bit % WORD_BITS & 1) != 0;
}

struct progress_range group_progress_open_from(const struct group_progress *progress, uint64_t from)
{
    from = find_offset(progress, from > progress->low ? from : progress->low, false);
    return (struct progress_range){from, find_offset(progress, from, true)};
}

/* --- Stretches -------------------------------------------------------------------------------------- */

static void remove_stretch(struct group_progress *progress, uint32_t place)
{
    memmove(progress->stretches + place, progress->stretches + place + 1,
            (progress->stretch_count - place - 1) * sizeof *progress->stretches);
    progress->stretch_count--;
}

/* Makes one of the two with the least between them. */
static void unite_nearest(struct group_progress *progress)
{
    struct progress_range *stretches = progress->stretches;
    uint32_t nearest = 0;
    for (uint32_t i = 1; i + 1 < progress->stretch_count; i++)
        if (stretches[i + 1].from - stretches[i].to < stretches[nearest + 1].from - stretches[nearest].to)
            nearest = i;
    stretches[nearest].to = stretches[nearest + 1].to;
    remove_stretch(progress, nearest + 1);
}

enum err group_progress_add_stretch(struct group_progress *progress, struct progress_range range)
{
    if (progress->stretches == NULL) /* one more than is kept, for the moment before two become one */
        progress->stretches = calloc(PROGRESS_STRETCHES_MAX + 1, sizeof *progress->stretches);
    struct progress_range *stretches = progress->stretches;
    if (stretches == NULL)
        return ERR_MEMORY;
    uint32_t place = progress->stretch_count;
    while (place > 0 && stretches[place - 1].to >= range.from)
        place--;
    while (place < progress->stretch_count && stretches[place].from <= range.to) {
        range.from = stretches[place].from < range.from ? stretches[place].from : range.from;
        range.to = stretches[place].to > range.to ? stretches[place].to : range.to;
        remove_stretch(progress, place);
    }
    memmove(stretches + place + 1, stretches + place, (progress->stretch_count - place) * sizeof *stretches);
    stretches[place] = range;
    progress->stretch_count++;
    if (progress->stretch_count > PROGRESS_STRETCHES_MAX)
        unite_nearest(progress);
    return ERR_NONE;
}

bool group_progress_is_in_stretch(const struct group_progress *progress, uint64_t offset)
{
    for (uint32_t i = progress->stretch_count; i > 0; i--)
        if (offset >= progress->stretches[i - 1].from)
            return offset < progress->stretches[i - 1].to;
    return false;
}

void group_progress_seek(struct group_progress *progress, uint64_t offset)
{
    free_chunks(progress);
    progress->low = progress->end = offset;
    progress->settled_above = 0;
    progress->has_begun = true;
    while (progress->stretch_count > 0) {
        struct progress_range *last = &progress->stretches[progress->stretch_count - 1];
        last->to = last->to < offset ? last->to : offset;
        if (last->from < last->to)
            return;
        progress->stretch_count--;
    }
}

/* --- Pieces ------------------------------------------------------------------------------------------ */

bool group_progress_next_piece(const struct group_progress *progress,
                               uint32_t *place,
                               struct progress_piece *ret_piece)
{
    while (*place < progress->chunk_count) {
        uint64_t offset = (first_chunk(progress) + *place) * PROGRESS_CHUNK;
        const struct progress_chunk *chunk = progress->chunks[(*place)++];
        if (!is_partial(chunk) && chunk != full_chunk())
            continue;
        if (is_partial(chunk) && chunk->settled == 0)
            continue;
        *ret_piece = (struct progress_piece){offset, PROGRESS_CHUNK, is_partial(chunk) ? chunk : NULL};
        while (ret_piece->bits == NULL && *place < progress->chunk_count &&
               progress->chunks[*place] == full_chunk()) {
            ret_piece->count += PROGRESS_CHUNK;
            (*place)++;
        }
        return true;
    }
    return false;
}
