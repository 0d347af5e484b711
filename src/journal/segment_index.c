/* The index of the active segment. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/segment_index.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAGE_SLOTS = 64,
    BLOCK_IDENTITIES = 170,
    SHELF_FIRST = 16,
    EXTENTS_FIRST = 4,
};

struct slot {
    struct index_summary summary;
    struct index_extent *extents; /* NULL: nothing was added */
    uint32_t count;
    uint32_t size;
};

struct slot_page {
    struct slot slots[PAGE_SLOTS];
};

struct identity_block {
    struct index_identity identities[BLOCK_IDENTITIES];
};

/* Pointers to things of one kind, each made when it is first needed; none moves. */
struct shelf {
    void **things;
    uint32_t size;
};

struct segment_index {
    size_t bytes;
    size_t bytes_max;
    struct shelf pages;  /* struct slot_page, by slot / PAGE_SLOTS */
    struct shelf blocks; /* struct identity_block */
    uint32_t identity_count;
    struct run_set sequences[SEGMENT_INDEX_SEQUENCES_MAX];
    struct place_index places;
    struct outcome_index outcomes;
};

enum err segment_index_new(size_t bytes_max, struct segment_index **ret_index)
{
    size_t runs_max = bytes_max * SEGMENT_INDEX_OVERSHOOT / sizeof(struct run);
    check(runs_max > 0 && runs_max <= UINT32_MAX);
    struct segment_index *index = calloc(1, sizeof *index);
    if (index == NULL)
        return ERR_MEMORY;
    index->bytes = sizeof *index;
    index->bytes_max = bytes_max;
    for (uint32_t i = 0; i < SEGMENT_INDEX_SEQUENCES_MAX; i++)
        run_set_init(&index->sequences[i], (uint32_t)runs_max);
    place_index_init(&index->places);
    outcome_index_init(&index->outcomes);
    *ret_index = index;
    return ERR_NONE;
}

static void shelf_done(struct shelf *shelf)
{
    for (uint32_t i = 0; i < shelf->size; i++)
        free(shelf->things[i]);
    free(shelf->things);
    *shelf = (struct shelf){0};
}

struct segment_index *segment_index_free(struct segment_index *index)
{
    if (index == NULL)
        return NULL;
    for (uint32_t i = 0; i < index->pages.size; i++) {
        struct slot_page *page = index->pages.things[i];
        for (uint32_t k = 0; page != NULL && k < PAGE_SLOTS; k++)
            free(page->slots[k].extents);
    }
    shelf_done(&index->pages);
    shelf_done(&index->blocks);
    for (uint32_t i = 0; i < SEGMENT_INDEX_SEQUENCES_MAX; i++)
        run_set_done(&index->sequences[i]);
    place_index_done(&index->places);
    outcome_index_done(&index->outcomes);
    free(index);
    return NULL;
}

/* Counts the bytes by which a thing is about to grow. */
static enum err claim(struct segment_index *index, size_t bytes)
{
    if (index->bytes + bytes > index->bytes_max * SEGMENT_INDEX_OVERSHOOT)
        return ERR_TOO_MANY;
    index->bytes += bytes;
    return ERR_NONE;
}

static enum err shelf_reserve(struct segment_index *index, struct shelf *shelf, uint32_t place)
{
    if (place < shelf->size)
        return ERR_NONE;
    uint32_t size = shelf->size == 0 ? SHELF_FIRST : shelf->size * 2;
    while (size <= place)
        size *= 2;
    enum err err = claim(index, (size - shelf->size) * sizeof(void *));
    if (err != ERR_NONE)
        return err;
    void **things = realloc(shelf->things, size * sizeof(void *));
    if (things == NULL) {
        index->bytes -= (size - shelf->size) * sizeof(void *);
        return ERR_MEMORY;
    }
    memset(&things[shelf->size], 0, (size - shelf->size) * sizeof(void *));
    *shelf = (struct shelf){things, size};
    return ERR_NONE;
}

/* The thing at this place, made of zeros when it is new. */
static enum err
shelf_make(struct segment_index *index, struct shelf *shelf, uint32_t place, size_t thing_size)
{
    enum err err = shelf_reserve(index, shelf, place);
    if (err != ERR_NONE || shelf->things[place] != NULL)
        return err;
    err = claim(index, thing_size);
    if (err != ERR_NONE)
        return err;
    shelf->things[place] = calloc(1, thing_size);
    if (shelf->things[place] == NULL) {
        index->bytes -= thing_size;
        return ERR_MEMORY;
    }
    return ERR_NONE;
}

static const void *shelf_get(const struct shelf *shelf, uint32_t place)
{
    return place < shelf->size ? shelf->things[place] : NULL;
}

/* NULL when nothing was added to it. */
static const struct slot *find_slot(const struct segment_index *index, uint32_t number)
{
    const struct slot_page *page = shelf_get(&index->pages, number / PAGE_SLOTS);
    if (page == NULL || page->slots[number % PAGE_SLOTS].count == 0)
        return NULL;
    return &page->slots[number % PAGE_SLOTS];
}

static enum err reserve_extent(struct segment_index *index, struct slot *slot)
{
    if (slot->count < slot->size)
        return ERR_NONE;
    uint32_t more = slot->size == 0 ? EXTENTS_FIRST : slot->size / 2;
    enum err err = claim(index, more * sizeof *slot->extents);
    if (err != ERR_NONE)
        return err;
    struct index_extent *extents = realloc(slot->extents, (slot->size + more) * sizeof *extents);
    if (extents == NULL) {
        index->bytes -= more * sizeof *extents;
        return ERR_MEMORY;
    }
    slot->extents = extents;
    slot->size += more;
    return ERR_NONE;
}

/* The extent that the batch makes longer, or NULL when it begins a new one. */
static struct index_extent *extent_to_join(const struct slot *slot, const struct index_batch *batch)
{
    if (slot->count == 0)
        return NULL;
    struct index_extent *extent = &slot->extents[slot->count - 1];
    check(batch->position >= extent->position + extent->len &&
          batch->base_offset >= slot->summary.end_offset);
    bool is_near = batch->position - (extent->position + extent->len) <= SEGMENT_INDEX_GAP_MAX;
    bool is_short = batch->position + batch->len - extent->position <= SEGMENT_INDEX_STRETCH;
    return is_near && is_short ? extent : NULL;
}

static void summarise(struct index_summary *summary, const struct index_batch *batch, bool is_first)
{
    if (is_first)
        *summary = (struct index_summary){
            .first_offset = batch->base_offset, .first_ns = batch->wall_ns, .last_ns = batch->wall_ns};
    summary->end_offset = batch->base_offset + batch->records;
    summary->bytes += batch->len;
    if (batch->wall_ns > summary->last_ns)
        summary->last_ns = batch->wall_ns;
}

enum err segment_index_add_batch(struct segment_index *index, const struct index_batch *batch)
{
    check(batch->len <= UINT32_MAX - batch->position);
    enum err err = shelf_make(index, &index->pages, batch->slot / PAGE_SLOTS, sizeof(struct slot_page));
    if (err != ERR_NONE)
        return err;
    struct slot_page *page = index->pages.things[batch->slot / PAGE_SLOTS];
    struct slot *slot = &page->slots[batch->slot % PAGE_SLOTS];
    if (batch->base_offset < slot->summary.end_offset)
        return ERR_BAD_INPUT;
    struct index_extent *extent = extent_to_join(slot, batch);
    if (extent != NULL) {
        extent->len = batch->position + batch->len - extent->position;
        summarise(&slot->summary, batch, false);
        return ERR_NONE;
    }
    err = reserve_extent(index, slot);
    if (err != ERR_NONE)
        return err;
    summarise(&slot->summary, batch, slot->count == 0);
    slot->extents[slot->count++] =
        (struct index_extent){batch->base_offset, batch->position, batch->len, slot->summary.last_ns};
    return ERR_NONE;
}

enum err segment_index_add_runs(struct segment_index *index,
                                uint32_t sequence,
                                const struct store_run *runs,
                                uint32_t count,
                                uint32_t position)
{
    if (sequence >= SEGMENT_INDEX_SEQUENCES_MAX)
        return ERR_BAD_INPUT;
    struct run_set *set = &index->sequences[sequence];
    size_t before = run_set_bytes(set);
    enum err err = ERR_NONE;
    for (uint32_t i = 0; i < count && err == ERR_NONE; i++)
        err = run_set_add(set, runs[i].from, runs[i].count, position);
    index->bytes += run_set_bytes(set) - before; /* chunks may also go: the sum wraps to what is right */
    return err;
}

enum err segment_index_add_identity(struct segment_index *index,
                                    const uint8_t hash[SEGMENT_INDEX_HASH_SIZE],
                                    int64_t wall_ns)
{
    uint32_t place = index->identity_count / BLOCK_IDENTITIES;
    enum err err = shelf_make(index, &index->blocks, place, sizeof(struct identity_block));
    if (err != ERR_NONE)
        return err;
    struct identity_block *block = index->blocks.things[place];
    struct index_identity *identity = &block->identities[index->identity_count % BLOCK_IDENTITIES];
    identity->wall_ns = wall_ns;
    memcpy(identity->hash, hash, SEGMENT_INDEX_HASH_SIZE);
    index->identity_count++;
    return ERR_NONE;
}

enum err segment_index_add_places(struct segment_index *index, const struct place_append *append)
{
    size_t before = index->places.bytes;
    enum err err = place_index_add(&index->places, append);
    index->bytes += index->places.bytes - before;
    return err;
}

enum err segment_index_add_outcome(struct segment_index *index,
                                   const struct outcome_key *key,
                                   uint64_t from,
                                   uint64_t count,
                                   const struct outcome_mark *mark)
{
    size_t before = index->outcomes.bytes;
    size_t needed = (size_t)(count / RUN_COUNT_MAX) * sizeof(struct run);
    if (index->bytes + needed > index->bytes_max * SEGMENT_INDEX_OVERSHOOT)
        return ERR_TOO_MANY;
    enum err err = outcome_index_add(&index->outcomes, key, from, count, mark);
    index->bytes += index->outcomes.bytes - before;
    return err;
}

void segment_index_begin_outcomes_anew(struct segment_index *index)
{
    outcome_index_begin_anew(&index->outcomes);
}

const struct place_index *segment_index_places(const struct segment_index *index)
{
    return &index->places;
}

const struct outcome_index *segment_index_outcomes(const struct segment_index *index)
{
    return &index->outcomes;
}

size_t segment_index_bytes(const struct segment_index *index)
{
    return index->bytes;
}

bool segment_index_is_full(const struct segment_index *index)
{
    return index->bytes >= index->bytes_max;
}

bool segment_index_summary(const struct segment_index *index,
                           uint32_t slot,
                           struct index_summary *ret_summary)
{
    const struct slot *found = find_slot(index, slot);
    if (found == NULL)
        return false;
    *ret_summary = found->summary;
    return true;
}

const struct index_extent *
segment_index_extents(const struct segment_index *index, uint32_t slot, uint32_t *ret_count)
{
    const struct slot *found = find_slot(index, slot);
    *ret_count = found == NULL ? 0 : found->count;
    return found == NULL ? NULL : found->extents;
}

/* The number of the last extent that begins at or below `offset`, or 0. */
static uint32_t place_of_offset(const struct slot *slot, uint64_t offset)
{
    uint32_t low = 1;
    uint32_t high = slot->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (slot->extents[middle].base_offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1;
}

uint32_t segment_index_extents_from(const struct segment_index *index,
                                    uint32_t slot,
                                    uint64_t offset,
                                    struct index_extent *extents,
                                    uint32_t size)
{
    const struct slot *found = find_slot(index, slot);
    if (found == NULL || offset >= found->summary.end_offset)
        return 0;
    uint32_t first = place_of_offset(found, offset);
    uint32_t count = found->count - first < size ? found->count - first : size;
    memcpy(extents, &found->extents[first], count * sizeof *extents);
    return count;
}

bool segment_index_extent_at_time(const struct segment_index *index,
                                  uint32_t slot,
                                  int64_t wall_ns,
                                  struct index_extent *ret_extent)
{
    const struct slot *found = find_slot(index, slot);
    if (found == NULL || found->summary.last_ns < wall_ns)
        return false;
    uint32_t low = 1; /* the last extent whose first batch is older may hold the one that is sought */
    uint32_t high = found->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (found->extents[middle].wall_ns < wall_ns)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_extent = found->extents[low - 1];
    return true;
}

const struct run_set *segment_index_runs(const struct segment_index *index, uint32_t sequence)
{
    if (sequence >= SEGMENT_INDEX_SEQUENCES_MAX || index->sequences[sequence].count == 0)
        return NULL;
    return &index->sequences[sequence];
}

uint32_t segment_index_identity_count(const struct segment_index *index)
{
    return index->identity_count;
}

const struct index_identity *segment_index_identity(const struct segment_index *index, uint32_t number)
{
    check(number < index->identity_count);
    const struct identity_block *block = index->blocks.things[number / BLOCK_IDENTITIES];
    return &block->identities[number % BLOCK_IDENTITIES];
}
