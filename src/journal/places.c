/* Segment by segment: places from the oldest on, outcomes from the newest. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/places.h"

#include "journal/lookup.h"

/* --- Places -------------------------------------------------------------------------------------- */

struct search {
    struct journal *journal;
    uint32_t sequence;
    uint64_t number;
    struct store_place *places;
    uint32_t size;
    uint32_t count;
    bool has_too_many;
    bool has_unplaced;
};

static void take(struct search *search, const struct place_found *found)
{
    const struct partition *partition =
        catalog_partition(&search->journal->catalog, found->topic, found->partition);
    if (search->count == search->size) {
        search->has_too_many = true;
        return;
    }
    search->places[search->count++] = (struct store_place){
        .position = {found->topic, found->partition, found->offset},
        .stored_ns = found->wall_ns,
        .is_expired = partition == NULL || found->offset < partition->start,
    };
}

/* AGAIN: the index file must be opened. */
static enum err find_in_segment(struct search *search,
                                struct segment *segment,
                                struct place_found *found,
                                uint32_t size,
                                uint32_t *ret_count)
{
    *ret_count = 0;
    if (segment->index != NULL) {
        *ret_count = place_index_find(segment_index_places(segment->index), search->sequence, search->number,
                                      found, size);
        return ERR_NONE;
    }
    const struct segment_summary *summary = lookup_summary(segment, search->sequence);
    if (segment->index_is_lost || summary == NULL || search->number < summary->lowest ||
        search->number > summary->highest)
        return ERR_NONE;
    if (segment->index_file == NULL)
        return ERR_AGAIN;
    return segment_index_outcome(segment, index_file_places(segment->index_file, search->sequence,
                                                            search->number, found, size, ret_count));
}

/* The latest place comes first out of the index. */
static enum err search_segment(struct search *search, struct segment *segment)
{
    enum { PLACES_MAX = 64 };
    struct place_found found[PLACES_MAX];
    uint32_t count;
    bool has = false;
    enum err err = find_in_segment(search, segment, found, PLACES_MAX, &count);
    for (uint32_t i = count; err == ERR_NONE && i > 0; i--)
        take(search, &found[i - 1]);
    if (err == ERR_NONE && count == 0)
        err = lookup_has_in_segment(segment, search->sequence, search->number, &has);
    search->has_unplaced = search->has_unplaced || has;
    return err;
}

enum err places_find(struct store *store,
                     struct store_number number,
                     struct store_place *places,
                     uint32_t size,
                     uint32_t *ret_count,
                     bool *ret_unplaced)
{
    struct search search = {
        .journal = journal_of(store),
        .sequence = number.sequence,
        .number = number.number,
        .places = places,
        .size = size,
    };
    const struct catalog *catalog = &search.journal->catalog;
    const struct segment_table *table = &search.journal->table;
    enum err err = ERR_NONE;
    journal_lock(&search.journal->view);
    bool is_possible = number.sequence < catalog->sequence_count && number.number > 0 &&
                       number.number <= catalog->sequences[number.sequence].highest;
    for (uint32_t i = 0; err == ERR_NONE && is_possible && i < table->count; i++) {
        struct segment *segment = table->segments[i];
        err = search_segment(&search, segment);
        if (err != ERR_AGAIN)
            continue;
        err = lookup_open_index(search.journal, segment);
        search.count = 0;
        search.has_too_many = search.has_unplaced = false;
        i = UINT32_MAX; /* from the oldest again: the table may have changed */
    }
    journal_unlock(&search.journal->view);
    *ret_count = search.count;
    *ret_unplaced = search.has_unplaced;
    return err == ERR_NONE && search.has_too_many ? ERR_TOO_MANY : err;
}

/* --- Fates ----------------------------------------------------------------------------------------- */

/* NOT_FOUND: the segment tells nothing of it. AGAIN: the index file must be opened. */
static enum err fate_in_segment(struct segment *segment,
                                const struct outcome_key *key,
                                uint64_t offset,
                                struct store_fate *ret_fate)
{
    if (segment->index != NULL) {
        const struct outcome_mark *found =
            outcome_index_find(segment_index_outcomes(segment->index), key, offset);
        if (found == NULL)
            return ERR_NOT_FOUND;
        *ret_fate = outcome_mark_fate(found, offset);
        return ERR_NONE;
    }
    if (segment->index_is_lost)
        return ERR_NOT_FOUND;
    if (segment->index_file == NULL)
        return ERR_AGAIN;
    struct outcome_mark mark;
    enum err err = index_file_outcome(segment->index_file, key, offset, &mark);
    if (err == ERR_NONE)
        *ret_fate = outcome_mark_fate(&mark, offset);
    return segment_index_outcome(segment, err);
}

enum err places_fate(struct journal *journal,
                     const struct outcome_key *key,
                     uint64_t offset,
                     struct store_fate *ret_fate)
{
    const struct segment_table *table = &journal->table;
    enum err err = ERR_NOT_FOUND;
    for (uint32_t i = table->count; err == ERR_NOT_FOUND && i > 0; i--) {
        struct segment *segment = table->segments[i - 1];
        err = fate_in_segment(segment, key, offset, ret_fate);
        if (err != ERR_AGAIN)
            continue;
        err = lookup_open_index(journal, segment);
        err = err == ERR_NONE ? ERR_NOT_FOUND : err;
        i = table->count + 1; /* from the newest again */
    }
    return err;
}
