/* Index files: written when a segment is sealed, made again when one is missing or bad. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/seal.h"

#include <stdlib.h>

#include "journal/replay.h"

enum err seal_note_slots(const struct catalog *catalog, struct segment *segment)
{
    struct index_slot *slots = calloc(catalog->slot_count + 1, sizeof *slots);
    if (slots == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < catalog->slot_count; i++) {
        const struct partition *partition = catalog->slots[i];
        struct index_summary summary = {.first_offset = partition->end, .end_offset = partition->end};
        (void)segment_index_summary(segment->index, i, &summary);
        slots[i] = (struct index_slot){
            .topic = partition->topic,
            .partition = partition->partition,
            .slot = i,
            .first_offset = summary.first_offset,
            .end_offset = summary.end_offset,
        };
    }
    free(segment->slots);
    segment->slots = slots;
    segment->slot_count = catalog->slot_count;
    return ERR_NONE;
}

/* Writes the file from what is in memory, and lets go of the memory. */
static enum err write_index(struct journal *journal, struct segment *segment)
{
    struct index_content content = {
        .number = segment->number,
        .epoch = segment->epoch,
        .end = segment->end,
        .index = segment->index,
        .slots = segment->slots,
        .slot_count = segment->slot_count,
    };
    struct index_file *file = NULL;
    enum err err = index_file_write(journal->seams.fs, &content);
    if (err == ERR_NONE)
        err = index_file_open(journal->seams.fs, segment->number, segment->epoch, &file);
    if (err != ERR_NONE)
        return err;
    journal_lock(&journal->view);
    index_file_remember(file, &journal->blocks);
    segment->index_file = file;
    segment->index_is_new = true;
    segment->index = segment_index_free(segment->index);
    free(segment->slots);
    segment->slots = NULL;
    segment->slot_count = 0;
    journal_unlock(&journal->view);
    return ERR_NONE;
}

/* The next segment without an index file, with a reference. */
static struct segment *take_unwritten(struct journal *journal)
{
    struct segment *found = NULL;
    journal_lock(&journal->view);
    for (uint32_t i = 0; found == NULL && i < journal->table.count; i++) {
        struct segment *segment = journal->table.segments[i];
        if (segment->state != SEGMENT_ACTIVE && segment->index != NULL && segment->index_file == NULL)
            found = segment;
    }
    if (found != NULL)
        found->references++;
    journal_unlock(&journal->view);
    return found;
}

bool seal_step(struct journal *journal)
{
    struct segment *segment = take_unwritten(journal);
    if (segment == NULL)
        return false;
    enum err err = write_index(journal, segment);
    journal_lock(&journal->view);
    segment->references--;
    journal_unlock(&journal->view);
    if (err != ERR_NONE)
        journal_put_off(journal, err, "writing an index file");
    return err == ERR_NONE;
}

/* No space for the file: the index serves from memory until the helper can write it. */
static enum err keep_in_memory(struct journal *journal, struct segment *segment, struct segment *copy)
{
    journal_lock(&journal->view);
    if (segment->index == NULL && segment->index_file == NULL) {
        free(segment->slots);
        segment->index = copy->index;
        segment->slots = copy->slots;
        segment->slot_count = copy->slot_count;
        segment->index_is_bad = false;
        copy->index = NULL;
        copy->slots = NULL;
    }
    journal_unlock(&journal->view);
    return ERR_NONE;
}

static enum err rebuild(struct journal *journal, struct segment *segment)
{
    journal_lock(&journal->view);
    struct segment copy = *segment; /* so that nobody sees an index that is half made */
    journal_unlock(&journal->view);
    copy.index = NULL;
    copy.index_file = NULL;
    copy.slots = NULL;
    struct catalog catalog = {0}; /* as the segment ends */
    enum err err = segment_index_new(JOURNAL_INDEX_MAX, &copy.index);
    if (err == ERR_NONE)
        err = replay_index(journal, &copy, &catalog);
    if (err == ERR_NONE)
        err = seal_note_slots(&catalog, &copy);
    if (err == ERR_NONE)
        err = write_index(journal, &copy);
    if (err == ERR_NO_SPACE)
        err = keep_in_memory(journal, segment, &copy);
    catalog_done(&catalog);
    segment_index_free(copy.index);
    free(copy.slots);
    index_file_close(copy.index_file);
    return err;
}

static enum err
open_or_rebuild(struct journal *journal, struct segment *segment, struct index_file **ret_file)
{
    struct fs *fs = journal->seams.fs;
    journal_lock(&journal->view);
    bool is_bad = segment->index_is_bad;
    bool has_records = segment->state != SEGMENT_INDEX_ONLY;
    journal_unlock(&journal->view);
    enum err err = is_bad ? ERR_DAMAGED : index_file_open(fs, segment->number, segment->epoch, ret_file);
    if ((err != ERR_NOT_FOUND && err != ERR_DAMAGED) || !has_records)
        return err;
    err = rebuild(journal, segment);
    if (err != ERR_NONE)
        return err;
    err = index_file_open(fs, segment->number, segment->epoch, ret_file);
    journal_lock(&journal->view);
    bool is_in_memory = segment->index != NULL;
    journal_unlock(&journal->view);
    return is_in_memory ? ERR_NONE : err;
}

enum err seal_open_index(struct journal *journal, struct segment *segment)
{
    struct index_file *file = NULL;
    journal_lock(&journal->indexes); /* two that make the same file would spoil each other's draft */
    enum err err = open_or_rebuild(journal, segment, &file);
    journal_unlock(&journal->indexes);
    if (err != ERR_NONE)
        return err;
    journal_lock(&journal->view);
    if (segment->index_file == NULL && segment->index == NULL && file != NULL) {
        index_file_remember(file, &journal->blocks);
        segment->index_file = file;
        segment->index_is_new = !index_file_is_older(file);
        segment->index_is_bad = false;
        file = NULL;
    }
    journal_unlock(&journal->view);
    index_file_close(file);
    return ERR_NONE;
}

/* The next sealed segment of which it is not known whether its index has all that there is today, with a reference. */
static struct segment *take_older(struct journal *journal)
{
    struct segment *found = NULL;
    journal_lock(&journal->view);
    for (uint32_t i = 0; found == NULL && i < journal->table.count; i++) {
        struct segment *segment = journal->table.segments[i];
        if (segment->state == SEGMENT_SEALED && segment->index == NULL && !segment->index_is_new)
            found = segment;
    }
    if (found != NULL)
        found->references++;
    journal_unlock(&journal->view);
    return found;
}

/* One that cannot be read is made again when somebody asks for it. */
static enum err renew(struct journal *journal, struct segment *segment)
{
    struct index_file *file = NULL;
    journal_lock(&journal->indexes);
    bool is_older = index_file_open(journal->seams.fs, segment->number, segment->epoch, &file) == ERR_NONE &&
                    index_file_is_older(file);
    file = index_file_close(file);
    enum err err = is_older ? rebuild(journal, segment) : ERR_NONE;
    journal_unlock(&journal->indexes);
    return err;
}

bool seal_renew_step(struct journal *journal)
{
    struct segment *segment = take_older(journal);
    if (segment == NULL)
        return false;
    enum err err = renew(journal, segment);
    journal_lock(&journal->view);
    segment->index_is_new = true; /* as far as it can be: it is not tried again before the next start */
    segment->index_file =
        index_file_close(segment->index_file); /* the old one; it is opened when it is asked for */
    segment->references--;
    journal_unlock(&journal->view);
    if (err != ERR_NONE)
        journal_put_off(journal, err, "making an older index file again");
    return true;
}
