/* Places of numbers and marks of outcomes in an index file. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "journal/index_file.h"
#include "journal/index_reader.h"

enum { HOLDERS_MAX = 64 };

/* --- Places -------------------------------------------------------------------------------------- */

static enum err
find_sequence(struct index_reader *reader, uint32_t sequence, struct index_place_sequence *ret_sequence)
{
    uint32_t count = reader->file->layout.sections[INDEX_PLACE_SEQUENCES].count;
    for (uint32_t i = 0; i < count; i++) { /* at most 64 */
        const uint8_t *entry;
        enum err err = index_reader_entry(reader, INDEX_PLACE_SEQUENCES, i, &entry);
        if (err != ERR_NONE)
            return err;
        index_place_sequence_read(entry, ret_sequence);
        if (ret_sequence->sequence == sequence)
            return ERR_NONE;
    }
    return ERR_NOT_FOUND;
}

static enum err find_scattered(struct index_reader *reader,
                               const struct place_spot *spot,
                               uint64_t number,
                               struct place_found *ret_found)
{
    const uint8_t *bytes;
    struct place_entry entry;
    struct place_batch batch;
    uint64_t at = number + spot->shift;
    if (at > UINT32_MAX)
        return ERR_DAMAGED;
    enum err err = index_reader_entry(reader, INDEX_PLACES, (uint32_t)at, &bytes);
    if (err != ERR_NONE)
        return err;
    index_place_read(bytes, &entry);
    if (spot->partition > UINT32_MAX - entry.batch)
        return ERR_DAMAGED;
    err = index_reader_entry(reader, INDEX_BATCHES, spot->partition + entry.batch, &bytes);
    if (err != ERR_NONE)
        return err;
    index_batch_read(bytes, &batch);
    *ret_found =
        (struct place_found){batch.topic, batch.partition, batch.base_offset + entry.record, spot->wall_ns};
    return ERR_NONE;
}

static enum err find_place(struct index_reader *reader,
                           uint32_t number_of_spot,
                           uint64_t number,
                           struct place_found *ret_found)
{
    const uint8_t *bytes;
    struct place_spot spot;
    enum err err = index_reader_entry(reader, INDEX_SPOTS, number_of_spot, &bytes);
    if (err != ERR_NONE)
        return err;
    index_spot_read(bytes, &spot);
    if (spot.topic == PLACE_SCATTERED)
        return find_scattered(reader, &spot, number, ret_found);
    *ret_found = (struct place_found){spot.topic, spot.partition, number + spot.shift, spot.wall_ns};
    return ERR_NONE;
}

enum err index_file_places(const struct index_file *file,
                           uint32_t sequence,
                           uint64_t number,
                           struct place_found *found,
                           uint32_t size,
                           uint32_t *ret_count)
{
    struct index_reader reader;
    struct index_place_sequence about;
    struct index_range range = {0};
    uint32_t spots[HOLDERS_MAX];
    uint32_t count = 0;
    *ret_count = 0;
    index_reader_init(&reader, file);
    enum err err = find_sequence(&reader, sequence, &about);
    if (err != ERR_NONE)
        return err == ERR_NOT_FOUND ? ERR_NONE : err;
    err = index_reader_range(file, INDEX_PLACE_RUNS, about.run_first, about.run_count, &range);
    range.longest = about.longest;
    if (err == ERR_NONE)
        err = index_reader_holders(&reader, range, number, spots, size < HOLDERS_MAX ? size : HOLDERS_MAX,
                                   &count);
    for (uint32_t i = 0; err == ERR_NONE && i < count; i++)
        err = find_place(&reader, spots[i], number, &found[i]);
    *ret_count = err == ERR_NONE ? count : 0;
    return err;
}

/* --- Outcomes -------------------------------------------------------------------------------------- */

static bool key_is_before(const uint8_t *entry, const void *sought)
{
    struct index_outcomes outcomes;
    index_outcomes_read(entry, &outcomes);
    return outcome_key_compare(&outcomes.key, sought) < 0;
}

static enum err
find_key(struct index_reader *reader, const struct outcome_key *key, struct index_outcomes *ret_outcomes)
{
    uint32_t count = reader->file->layout.sections[INDEX_OUTCOMES].count;
    struct index_range all = {.kind = INDEX_OUTCOMES, .end = count};
    const uint8_t *entry;
    uint32_t place;
    enum err err = index_reader_find(reader, all, key_is_before, key, &place);
    if (err != ERR_NONE || place == count)
        return err == ERR_NONE ? ERR_NOT_FOUND : err;
    err = index_reader_entry(reader, INDEX_OUTCOMES, place, &entry);
    if (err != ERR_NONE)
        return err;
    index_outcomes_read(entry, ret_outcomes);
    return outcome_key_compare(&ret_outcomes->key, key) == 0 ? ERR_NONE : ERR_NOT_FOUND;
}

/* The latest of those that hold the offset: marks are in the order of time. */
static enum err find_mark(struct index_reader *reader,
                          const struct index_outcomes *outcomes,
                          uint64_t offset,
                          struct outcome_mark *ret_mark)
{
    struct index_range range = {0};
    uint32_t marks[HOLDERS_MAX];
    uint32_t count = 0;
    enum err err = index_reader_range(reader->file, INDEX_OUTCOME_RUNS, outcomes->run_first,
                                      outcomes->run_count, &range);
    range.longest = outcomes->longest;
    if (err == ERR_NONE)
        err = index_reader_holders(reader, range, offset, marks, HOLDERS_MAX, &count);
    if (err != ERR_NONE || count == 0)
        return err == ERR_NONE ? ERR_NOT_FOUND : err;
    uint32_t latest = marks[0];
    for (uint32_t i = 1; i < count; i++)
        latest = marks[i] > latest ? marks[i] : latest;
    const uint8_t *entry;
    err = index_reader_entry(reader, INDEX_MARKS, latest, &entry);
    if (err != ERR_NONE)
        return err;
    return index_mark_read(entry, ret_mark) ? ERR_NONE : ERR_DAMAGED;
}

enum err index_file_outcome(const struct index_file *file,
                            const struct outcome_key *key,
                            uint64_t offset,
                            struct outcome_mark *ret_mark)
{
    struct index_reader reader;
    struct index_outcomes outcomes;
    index_reader_init(&reader, file);
    enum err err = find_key(&reader, key, &outcomes);
    if (err != ERR_NONE)
        return err;
    if (offset < outcomes.lowest || offset > outcomes.highest)
        return ERR_NOT_FOUND;
    return find_mark(&reader, &outcomes, offset, ret_mark);
}
