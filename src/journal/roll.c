/* From segment to segment: the full one is sealed, the next one begins with a checkpoint. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/roll.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/metric.h"
#include "journal/checkpoint.h"
#include "journal/seal.h"

enum { SEAL_SIZE = FRAME_HEADER_SIZE + 8 };

/*
 * 1. A group with the SEAL frame ends the full segment, synced.
 * 2. The next segment's header, checkpoint and first group go out in one write and one sync.
 * 3. Its index in memory is summarised; the helper writes the index file (seal.c).
 *
 * A crash between 1 and 2 leaves a sealed last segment: recovery begins the next one. In 2, the new segment holds nothing
 * that was acknowledged.
 */

enum err roll_seal(struct journal *journal)
{
    struct writer *writer = &journal->writer;
    struct segment *active = segment_table_active(&journal->table);
    if (writer_has_room(writer, FRAME_GROUP_SIZE + SEAL_SIZE, 0)) {
        writer_group_begin(writer);
        uint64_t position;
        uint8_t *frame = writer_put_small(writer, 8, &position);
        bytes_put_le64(frame + FRAME_HEADER_SIZE, writer->lsn - active->first_lsn + 1);
        writer_frame(writer, frame, FRAME_SEAL, 0, SEAL_SIZE);
        enum err err = writer_write(writer, clock_wall_ns(journal->seams.clock));
        if (err == ERR_NONE)
            err = writer_sync(writer);
        if (err != ERR_NONE)
            return err;
    }
    return roll_close(journal);
}

enum err roll_close(struct journal *journal)
{
    struct segment *active = segment_table_active(&journal->table);
    journal_lock(&journal->view);
    active->end = journal->writer.position;
    active->last_lsn = journal->writer.lsn - 1;
    enum err err = segment_summarise(active);
    if (err == ERR_NONE)
        err = seal_note_slots(&journal->catalog, active);
    if (err == ERR_NONE)
        segment_move(active, SEGMENT_SEALED);
    journal_unlock(&journal->view);
    return err;
}

/* Cuts the checkpoint into frames, in one allocation that the caller frees after the write. */
static enum err put_pieces(struct journal *journal, struct span checkpoint, uint8_t **ret_frames)
{
    size_t pieces = (checkpoint.len + CHECKPOINT_PIECE_MAX - 1) / CHECKPOINT_PIECE_MAX;
    uint8_t *frames = calloc(1, checkpoint.len + pieces * (FRAME_HEADER_SIZE + FRAME_ALIGNMENT));
    if (frames == NULL)
        return ERR_MEMORY;
    *ret_frames = frames;
    size_t at = 0;
    while (checkpoint.len > 0) {
        size_t len = checkpoint.len < CHECKPOINT_PIECE_MAX ? checkpoint.len : CHECKPOINT_PIECE_MAX;
        memcpy(frames + at + FRAME_HEADER_SIZE, checkpoint.data, len);
        checkpoint = span_after(checkpoint, len);
        writer_frame(&journal->writer, frames + at, FRAME_CHECKPOINT, checkpoint.len > 0 ? FRAME_MORE : 0,
                     FRAME_HEADER_SIZE + len);
        at += frame_padded(FRAME_HEADER_SIZE + len);
    }
    (void)writer_put(&journal->writer, frames, at);
    return ERR_NONE;
}

enum err roll_write_checkpoint(struct journal *journal)
{
    struct buffer buffer;
    buffer_init(&buffer, CHECKPOINT_SIZE_MAX);
    journal_lock(&journal->view);
    enum err err = checkpoint_write(&buffer, &journal->catalog, &journal->table);
    journal_unlock(&journal->view);
    uint8_t *frames = NULL;
    writer_group_begin(&journal->writer);
    if (err == ERR_NONE && !writer_has_room(&journal->writer, buffer.len * 2, 0))
        err = ERR_TOO_LARGE;
    if (err == ERR_NONE)
        err = put_pieces(journal, buffer_span(&buffer), &frames);
    if (err == ERR_NONE)
        err = writer_write(&journal->writer, clock_wall_ns(journal->seams.clock));
    if (err == ERR_NONE)
        err = writer_sync(&journal->writer);
    free(frames);
    buffer_done(&buffer);
    return err;
}

static struct segment_header
header_of(const struct journal *journal, const struct segment *segment, const struct segment *previous)
{
    struct segment_header header = {
        .features_incompatible = SEGMENT_HAS_OUTCOMES,
        .number = segment->number,
        .epoch = segment->epoch,
        .first_lsn = segment->first_lsn,
        .incarnation = journal->writer.incarnation,
        .wall_ns = clock_wall_ns(journal->seams.clock),
        .size = journal->settings.segment_size,
    };
    memcpy(header.journal_id, journal->journal_id, sizeof header.journal_id);
    if (previous != NULL) {
        header.previous_number = previous->number;
        header.previous_epoch = previous->epoch;
        header.previous_last_lsn = previous->last_lsn;
        header.previous_end = previous->end;
    }
    return header;
}

/* Takes the prepared file into a new segment, and that into the table. */
static enum err
add_active(struct journal *journal, struct prepared *take_prepared, struct segment **ret_segment)
{
    struct segment *segment = segment_new(take_prepared->number, random_u64(journal->seams.random));
    enum err err = segment == NULL ? ERR_MEMORY : segment_index_new(JOURNAL_INDEX_MAX, &segment->index);
    if (segment != NULL) {
        segment->file = take_prepared->file;
        segment->first_lsn = journal->writer.lsn;
        segment->size = journal->settings.segment_size;
        segment->end = SEGMENT_HEADER_SIZE;
    } else {
        fs_close(take_prepared->file);
    }
    free(take_prepared);
    if (err == ERR_NONE) {
        journal_lock(&journal->view);
        err = segment_table_add(&journal->table, segment);
        journal_unlock(&journal->view);
    }
    if (err != ERR_NONE)
        segment = segment_free(segment);
    *ret_segment = segment;
    return err;
}

enum err roll_begin(struct journal *journal, struct prepared *take_prepared)
{
    struct segment *previous = segment_table_last(&journal->table);
    if (previous != NULL && previous->state == SEGMENT_INDEX_ONLY)
        previous = NULL;
    struct segment *segment;
    enum err err = add_active(journal, take_prepared, &segment);
    if (err != ERR_NONE)
        return err;
    struct segment_header header = header_of(journal, segment, previous);
    writer_begin_segment(&journal->writer, segment->file, &header);
    err = roll_write_checkpoint(journal);
    if (err != ERR_NONE)
        return err;
    journal_lock(&journal->view);
    segment->end = journal->writer.position;
    segment->last_lsn = journal->writer.lsn - 1;
    metric_set(METRIC_SEGMENTS, journal->table.count);
    journal_unlock(&journal->view);
    return ERR_NONE;
}
