/* Which records carry this number? The index names appends, their RUNS frames tell which, their batches where. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/finder.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "journal/reader.h"
#include "journal/replay.h"
#include "journal/scanner.h"
#include "wire/record_batch.h"

enum { POSITIONS_MAX = 16 }; /* of one number in one segment */

struct finder {
    struct journal *journal;
    uint32_t sequence;
    uint64_t number;
    struct store_position *positions;
    uint32_t size;
    uint32_t count;
    bool has_too_many;
};

static bool runs_hold(const struct finder *finder, struct span payload)
{
    struct frame_runs runs;
    if (!frame_runs_read(payload, &runs) || runs.sequence != finder->sequence)
        return false;
    for (uint32_t i = 0; i < runs.run_count; i++) {
        struct store_run run = frame_runs_at(&runs, i);
        if (finder->number >= run.from && finder->number - run.from < run.count)
            return true;
    }
    return false;
}

static bool set_holds(const struct finder *finder, const struct scan_set *set)
{
    struct span bytes = set->bytes;
    uint64_t position = set->position;
    struct frame frame;
    while (scan_set_next(&bytes, &position, &frame))
        if (frame.kind == FRAME_RUNS && runs_hold(finder, frame.payload))
            return true;
    return false;
}

static bool carries_number(const struct finder *finder, const struct record *record)
{
    uint64_t number;
    for (uint32_t i = 0; i < record->header_count; i++)
        if (span_equal_text(record->headers[i].name, "seq") && span_to_u64(record->headers[i].value, &number))
            return number == finder->number;
    return false;
}

static void search_batch(struct finder *finder, const struct frame_batch *frame)
{
    struct record_batch batch;
    struct record_cursor cursor;
    struct record record;
    size_t at;
    if (record_batch_decode(frame->batch, &batch, &at) != DECODE_DONE ||
        record_cursor_init(&cursor, &batch) != ERR_NONE)
        return;
    while (record_cursor_next(&cursor, &record) == DECODE_DONE) {
        if (!carries_number(finder, &record))
            continue;
        if (finder->count == finder->size) {
            finder->has_too_many = true;
            return;
        }
        finder->positions[finder->count++] =
            (struct store_position){frame->topic, frame->partition, record.offset};
    }
}

static void search_set(struct finder *finder, const struct scan_set *set)
{
    struct span bytes = set->bytes;
    uint64_t position = set->position;
    struct frame frame;
    struct frame_batch batch;
    while (scan_set_next(&bytes, &position, &frame))
        if (frame.kind == FRAME_BATCH && frame_batch_read(frame.payload, &batch))
            search_batch(finder, &batch);
}

/* The appends that begin at `position` or less than a stretch behind it. */
static enum err
search_stretch(struct finder *finder, const struct segment *segment, uint64_t end, uint32_t position)
{
    struct scanner scanner;
    struct scan_set set;
    enum err err = ERR_NONE;
    scanner_init(&scanner, segment->file, segment->epoch, end);
    scanner_seek(&scanner, position, 0, 0);
    while (scanner.position < (uint64_t)position + RUN_STRETCH &&
           scanner_next(&scanner, &set, &err) == SCAN_SET)
        if (set_holds(finder, &set))
            search_set(finder, &set);
    scanner_done(&scanner);
    return err;
}

/* The view lock is held. AGAIN: the index file must be opened. */
static enum err
positions_in(struct segment *segment, const struct finder *finder, uint32_t *positions, uint32_t *ret_count)
{
    *ret_count = 0;
    if (segment->state == SEGMENT_INDEX_ONLY)
        return ERR_NONE;
    if (segment->index != NULL) {
        const struct run_set *runs = segment_index_runs(segment->index, finder->sequence);
        if (runs != NULL)
            *ret_count = run_set_positions(runs, finder->number, positions, POSITIONS_MAX + 1);
        return ERR_NONE;
    }
    for (uint32_t i = 0; i < segment->summary_count; i++) {
        const struct segment_summary *summary = &segment->summaries[i];
        if (summary->sequence != finder->sequence || finder->number < summary->lowest ||
            finder->number > summary->highest)
            continue;
        if (segment->index_file == NULL)
            return ERR_AGAIN;
        struct index_sequence entry;
        enum err err = index_file_sequence(segment->index_file, finder->sequence, &entry);
        if (err == ERR_NOT_FOUND)
            return ERR_NONE;
        if (err == ERR_NONE)
            err = index_file_positions(segment->index_file, &entry, finder->number, positions,
                                       POSITIONS_MAX + 1, ret_count);
        return segment_index_outcome(segment, err);
    }
    return ERR_NONE;
}

/* The view lock is held, and given up while the disk is read. AGAIN: the index is open now, look again. */
static enum err search_segment(struct finder *finder, struct segment *segment)
{
    uint32_t positions[POSITIONS_MAX + 1]; /* the last one shows that there are more */
    uint32_t count;
    enum err err = positions_in(segment, finder, positions, &count);
    finder->has_too_many = finder->has_too_many || count > POSITIONS_MAX;
    uint64_t end = segment->end;
    bool is_open = segment->file != NULL;
    if (err == ERR_NONE && count == 0)
        return ERR_NONE;
    segment->references++;
    journal_unlock(&finder->journal->view);
    if (err == ERR_AGAIN || !is_open) {
        enum err opened = reader_open_segment(finder->journal, segment);
        err = opened == ERR_NONE ? err : opened;
    }
    for (uint32_t i = 0; err == ERR_NONE && i < count; i++)
        err = search_stretch(finder, segment, end, positions[i]);
    journal_lock(&finder->journal->view);
    segment->references--;
    return err;
}

static int compare(const void *a, const void *b)
{
    const struct store_position *left = a;
    const struct store_position *right = b;
    if (left->topic != right->topic)
        return left->topic < right->topic ? -1 : 1;
    if (left->partition != right->partition)
        return left->partition < right->partition ? -1 : 1;
    return (left->offset > right->offset) - (left->offset < right->offset);
}

/* Stretches overlap, so a record may have been met twice. */
static uint32_t sort_and_unite(struct store_position *positions, uint32_t count)
{
    uint32_t kept = 0;
    if (count > 1)
        qsort(positions, count, sizeof *positions, compare);
    for (uint32_t i = 0; i < count; i++)
        if (kept == 0 || compare(&positions[kept - 1], &positions[i]) != 0)
            positions[kept++] = positions[i];
    return kept;
}

enum err finder_find(struct store *store,
                     uint32_t sequence,
                     uint64_t number,
                     struct store_position *positions,
                     uint32_t size,
                     uint32_t *ret_count)
{
    struct finder finder = {.journal = journal_of(store),
                            .sequence = sequence,
                            .number = number,
                            .positions = positions,
                            .size = size};
    enum err err = ERR_NONE;
    journal_lock(&finder.journal->view);
    /* By number, not by place: the table may change while the lock is given up. */
    uint64_t next = UINT64_MAX;
    for (struct segment *segment; err == ERR_NONE && !finder.has_too_many;) {
        segment = segment_table_before(&finder.journal->table, next);
        if (segment == NULL)
            break;
        err = search_segment(&finder, segment);
        if (err == ERR_AGAIN)
            err = ERR_NONE;
        else
            next = segment->number;
    }
    journal_unlock(&finder.journal->view);
    *ret_count = sort_and_unite(positions, finder.count);
    return err == ERR_NONE && finder.has_too_many ? ERR_TOO_MANY : err;
}
