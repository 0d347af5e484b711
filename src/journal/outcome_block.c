/* From an append's arrays to frames, and from there to the state. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/outcome_block.h"

#include <stdlib.h>

#include "journal/outcome_frame.h"

/*
 * Runs that share everything but their offsets go into one OUTCOMES frame. Until the frame is written, the place of its LSN holds
 * the part with its dead letters.
 */
enum { PART_AT = 16 };

/* --- Checking ------------------------------------------------------------------------------------ */

static enum err find_place(const struct journal *journal,
                           uint32_t group,
                           uint32_t topic,
                           uint32_t partition,
                           struct journal_group **ret_group,
                           const struct partition **ret_partition)
{
    *ret_group = group_book_by_id(&journal->catalog.groups, group);
    *ret_partition = catalog_partition(&journal->catalog, topic, partition);
    if (*ret_group == NULL || (*ret_group)->is_going)
        return ERR_NOT_FOUND;
    return *ret_partition == NULL ? ERR_UNKNOWN_TOPIC : ERR_NONE;
}

static bool has_dead_letter(const struct store_append *append, const struct store_settled *settled)
{
    return settled->outcome == STORE_OUTCOME_DEAD && settled->dead_part < append->part_count;
}

static bool is_legal(const struct store_append *append, const struct store_settled *settled)
{
    if (settled->count == 0 || settled->by.len > STORE_BY_MAX || settled->outcome <= STORE_OUTCOME_OPEN ||
        settled->outcome >= STORE_OUTCOME_COUNT)
        return false;
    return !has_dead_letter(append, settled) ||
           (uint64_t)settled->dead_record + settled->count <= append->parts[settled->dead_part].records;
}

/* Bitmaps are made now, so that nothing can fail any more when the append is synced. The view lock is held. */
static enum err reserve_settled(struct journal *journal,
                                const struct store_append *append,
                                const struct store_settled *settled,
                                size_t *pending)
{
    struct group_book *book = &journal->catalog.groups;
    struct journal_group *group;
    const struct partition *partition;
    struct group_progress *progress;
    enum err err =
        find_place(journal, settled->group, settled->topic, settled->partition, &group, &partition);
    if (err != ERR_NONE)
        return err;
    if (!is_legal(append, settled) || settled->offset > partition->end ||
        settled->count > partition->end - settled->offset)
        return ERR_BAD_INPUT;
    struct group_place place = {settled->topic, settled->partition, partition->slot, partition->start};
    err = group_book_make_progress(book, group, &place, true, &progress);
    if (err != ERR_NONE)
        return err;
    if (settled->offset > progress->low) { /* chunks that are settled as a whole are not reserved */
        size_t growth = (size_t)settled->count / PROGRESS_CHUNK * PROGRESS_RUN_COST;
        if (growth > 0 && !group_book_has_room(book, growth))
            return ERR_TOO_MANY;
        book->pending += growth;
        *pending += growth;
    }
    return group_book_reserve(book, progress,
                              (struct progress_range){settled->offset, settled->offset + settled->count});
}

static enum err reserve_seek(struct journal *journal, const struct store_seek *seek)
{
    struct journal_group *group;
    const struct partition *partition;
    struct group_progress *progress;
    enum err err = find_place(journal, seek->group, seek->topic, seek->partition, &group, &partition);
    if (err != ERR_NONE)
        return err;
    if (seek->offset > partition->end)
        return ERR_BAD_INPUT;
    struct group_place place = {seek->topic, seek->partition, partition->slot, partition->start};
    return group_book_make_progress(&journal->catalog.groups, group, &place, true, &progress);
}

static enum err
reserve_notes(struct journal *journal, const struct store_append *append, uint32_t *ret_reserved)
{
    enum err err = ERR_NONE;
    for (uint32_t i = 0; err == ERR_NONE && i < append->note_count; i++) {
        err = note_is_legal(&append->notes[i]) ? note_book_reserve(&journal->catalog.notes, &append->notes[i])
                                               : ERR_BAD_INPUT;
        *ret_reserved += err == ERR_NONE;
    }
    return err;
}

static void release_notes(struct journal *journal, const struct store_append *append, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        note_book_release(&journal->catalog.notes, &append->notes[i]);
}

/* The view lock is held. On an error nothing stays reserved but empty bitmaps, which cost nothing for long. */
static enum err
reserve(struct journal *journal, const struct store_append *append, struct outcome_block *block)
{
    enum err err = ERR_NONE;
    for (uint32_t i = 0; err == ERR_NONE && i < append->seek_count; i++)
        err = reserve_seek(journal, &append->seeks[i]);
    for (uint32_t i = 0; err == ERR_NONE && i < append->settled_count; i++)
        err = reserve_settled(journal, append, &append->settled[i], &block->pending);
    uint32_t notes = 0;
    if (err == ERR_NONE)
        err = reserve_notes(journal, append, &notes);
    if (err != ERR_NONE) {
        release_notes(journal, append, notes);
        journal->catalog.groups.pending -= block->pending;
    }
    return err;
}

/* --- Laying out ------------------------------------------------------------------------------------- */

/* Whether the second goes on where the first ends, in all but its offset. */
static bool is_same(const struct store_append *append,
                    const struct store_settled *first,
                    const struct store_settled *next)
{
    bool is_near = first->group == next->group && first->topic == next->topic &&
                   first->partition == next->partition && first->outcome == next->outcome &&
                   first->attempts == next->attempts && first->status == next->status &&
                   span_equal(first->by, next->by);
    if (!is_near || first->outcome != STORE_OUTCOME_DEAD)
        return is_near;
    if (!has_dead_letter(append, first))
        return !has_dead_letter(append, next);
    return first->dead_part == next->dead_part && first->dead_record + first->count == next->dead_record;
}

/* How many from `first` on share a frame. */
static uint32_t count_same(const struct store_append *append, uint32_t first)
{
    uint32_t count = 1;
    while (first + count < append->settled_count &&
           is_same(append, &append->settled[first + count - 1], &append->settled[first + count]))
        count++;
    return count;
}

static size_t outcomes_len(const struct store_settled *settled, uint32_t runs)
{
    return FRAME_HEADER_SIZE + FRAME_OUTCOMES_FIXED + (size_t)runs * FRAME_OUTCOME_RUN_SIZE + settled->by.len;
}

static size_t len_of(const struct store_append *append)
{
    size_t len = (size_t)append->seek_count * (FRAME_HEADER_SIZE + FRAME_SEEK_SIZE);
    for (uint32_t i = 0; i < append->settled_count;) {
        uint32_t runs = count_same(append, i);
        len += frame_padded(outcomes_len(&append->settled[i], runs));
        i += runs;
    }
    for (uint32_t i = 0; i < append->note_count; i++)
        len += frame_padded(FRAME_HEADER_SIZE + frame_note_len(&append->notes[i]));
    return len;
}

/* Room for a frame of `len` bytes; its length and kind already stand in its header. */
static uint8_t *add_frame(struct outcome_block *block, enum frame_kind kind, size_t len)
{
    uint8_t *frame = block->frames + block->len;
    bytes_put_le32(frame + 4, (uint32_t)len);
    frame[8] = (uint8_t)kind;
    block->len += frame_padded(len);
    block->frame_count++;
    return frame;
}

static void
add_outcomes(struct outcome_block *block, const struct store_append *append, uint32_t first, uint32_t runs)
{
    const struct store_settled *settled = &append->settled[first];
    uint8_t *frame = add_frame(block, FRAME_OUTCOMES, outcomes_len(settled, runs));
    struct frame_outcomes outcomes = {
        .group = settled->group,
        .topic = settled->topic,
        .partition = settled->partition,
        .outcome = (uint8_t)settled->outcome,
        .attempts = settled->attempts,
        .status = settled->status,
        .run_count = runs,
        .by = settled->by,
    };
    if (has_dead_letter(append, settled)) {
        const struct store_part *part = &append->parts[settled->dead_part];
        outcomes.dead = (struct store_position){part->topic, part->partition, settled->dead_record};
        bytes_put_le32(frame + PART_AT, settled->dead_part);
    } else if (settled->outcome == STORE_OUTCOME_DEAD) {
        outcomes.dead.topic = FRAME_NO_DEAD_LETTER;
    }
    uint8_t *payload = frame + FRAME_HEADER_SIZE;
    frame_outcomes_write(payload, &outcomes);
    payload += FRAME_OUTCOMES_FIXED;
    for (uint32_t i = 0; i < runs; i++, payload += FRAME_OUTCOME_RUN_SIZE)
        frame_outcomes_put_run(payload, settled[i].offset, settled[i].count);
    if (settled->by.len > 0)
        memcpy(payload, settled->by.data, settled->by.len);
}

static void lay_out(struct outcome_block *block, const struct store_append *append)
{
    for (uint32_t i = 0; i < append->seek_count; i++)
        frame_seek_write(add_frame(block, FRAME_SEEK, FRAME_HEADER_SIZE + FRAME_SEEK_SIZE) +
                             FRAME_HEADER_SIZE,
                         &append->seeks[i]);
    for (uint32_t i = 0; i < append->settled_count;) {
        uint32_t runs = count_same(append, i);
        add_outcomes(block, append, i, runs);
        i += runs;
    }
    for (uint32_t i = 0; i < append->note_count; i++)
        frame_note_write(add_frame(block, FRAME_NOTE, FRAME_HEADER_SIZE + frame_note_len(&append->notes[i])) +
                             FRAME_HEADER_SIZE,
                         &append->notes[i]);
}

/* --- The life of a block ------------------------------------------------------------------------------ */

static enum err copy_notes(struct outcome_block *block, const struct store_append *append)
{
    block->note_count = append->note_count;
    for (uint32_t i = 0; i < append->note_count; i++) {
        if (append->notes[i].value.data == NULL || !note_is_legal(&append->notes[i]))
            continue; /* the second is refused when room is sought for it */
        block->notes[i] = note_new(&append->notes[i]);
        if (block->notes[i] == NULL)
            return ERR_MEMORY;
    }
    return ERR_NONE;
}

enum err outcome_block_new(struct journal *journal,
                           const struct store_append *append,
                           struct outcome_block **ret_block)
{
    *ret_block = NULL;
    if (!outcome_block_is_needed(append))
        return ERR_NONE;
    size_t notes_size = append->note_count * sizeof(struct note *);
    struct outcome_block *block = calloc(1, sizeof *block + notes_size + len_of(append));
    if (block == NULL)
        return ERR_MEMORY;
    block->notes = (struct note **)(block + 1);
    block->frames = (uint8_t *)(block + 1) + notes_size;
    enum err err = copy_notes(block, append);
    if (err == ERR_NONE) {
        journal_lock(&journal->view);
        err = reserve(journal, append, block);
        journal_unlock(&journal->view);
    }
    if (err != ERR_NONE) {
        outcome_block_free(block);
        return err;
    }
    lay_out(block, append);
    *ret_block = block;
    return ERR_NONE;
}

struct outcome_block *outcome_block_free(struct outcome_block *block)
{
    if (block == NULL)
        return NULL;
    for (uint32_t i = 0; i < block->note_count; i++)
        free(block->notes[i]);
    free(block);
    return NULL;
}

/* The view lock is held. */
static void
release(struct catalog *catalog, const struct store_append *append, const struct outcome_block *block)
{
    catalog->groups.pending -= block->pending;
    for (uint32_t i = 0; i < append->note_count; i++)
        note_book_release(&catalog->notes, &append->notes[i]);
}

struct outcome_block *
outcome_block_drop(struct journal *journal, const struct store_append *append, struct outcome_block *block)
{
    if (block == NULL)
        return NULL;
    journal_lock(&journal->view);
    release(&journal->catalog, append, block);
    journal_unlock(&journal->view);
    return outcome_block_free(block);
}

static void complete_outcomes(uint8_t *frame, const struct store_append *append, int64_t wall_ns)
{
    uint8_t *payload = frame + FRAME_HEADER_SIZE;
    uint32_t part = bytes_get_le32(frame + PART_AT);
    frame_outcomes_set_time(payload, wall_ns);
    struct frame_outcomes outcomes;
    size_t len = bytes_get_le32(frame + 4) - (size_t)FRAME_HEADER_SIZE;
    check(frame_outcomes_read(span_of(payload, len), &outcomes));
    if (outcomes.outcome == STORE_OUTCOME_DEAD && outcomes.dead.topic != FRAME_NO_DEAD_LETTER)
        frame_outcomes_set_dead(payload, append->parts[part].ret_base_offset + outcomes.dead.offset);
}

void outcome_block_put(struct writer *writer,
                       const struct store_append *append,
                       struct outcome_block *block,
                       int64_t wall_ns)
{
    uint8_t *frame = block->frames;
    for (uint32_t i = 0; i < block->frame_count; i++) {
        size_t len = bytes_get_le32(frame + 4);
        enum frame_kind kind = (enum frame_kind)frame[8];
        if (kind == FRAME_OUTCOMES)
            complete_outcomes(frame, append, wall_ns);
        else if (kind == FRAME_SEEK)
            frame_seek_set_time(frame + FRAME_HEADER_SIZE, wall_ns);
        writer_frame(writer, frame, kind, i + 1 < block->frame_count ? FRAME_MORE : 0, len);
        frame += frame_padded(len);
    }
    (void)writer_put(writer, block->frames, block->len);
}

/* --- Publishing ---------------------------------------------------------------------------------------- */

static enum err publish_settled(const struct settle *settle,
                                const struct store_append *append,
                                const struct store_settled *settled)
{
    struct settle_run run = {
        .group = settled->group,
        .topic = settled->topic,
        .partition = settled->partition,
        .offset = settled->offset,
        .count = settled->count,
        .outcome = settled->outcome,
        .attempts = settled->attempts,
        .status = settled->status,
        .by = settled->by,
        .has_dead = has_dead_letter(append, settled),
    };
    if (run.has_dead) {
        const struct store_part *part = &append->parts[settled->dead_part];
        run.dead = (struct store_position){part->topic, part->partition,
                                           part->ret_base_offset + settled->dead_record};
    }
    return settle_run(settle, &run);
}

static void
publish_notes(struct catalog *catalog, const struct store_append *append, struct outcome_block *block)
{
    for (uint32_t i = 0; i < append->note_count; i++) {
        if (block->notes[i] == NULL)
            note_book_remove(&catalog->notes, append->notes[i].key);
        else
            note_book_put(&catalog->notes, block->notes[i]);
        block->notes[i] = NULL;
    }
}

/* A group that was forgotten meanwhile, or sent back: then a replay does not know these outcomes either. */
static enum err only_memory(enum err err)
{
    return err == ERR_MEMORY ? err : ERR_NONE;
}

enum err outcome_block_publish(const struct settle *settle,
                               const struct store_append *append,
                               struct outcome_block *block)
{
    enum err err = ERR_NONE;
    for (uint32_t i = 0; err == ERR_NONE && i < append->seek_count; i++)
        err = only_memory(settle_seek(settle, &append->seeks[i]));
    for (uint32_t i = 0; err == ERR_NONE && i < append->settled_count; i++)
        err = only_memory(publish_settled(settle, append, &append->settled[i]));
    if (err == ERR_NONE)
        publish_notes(settle->catalog, append, block);
    release(settle->catalog, append, block);
    return err;
}
