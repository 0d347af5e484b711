/* Writes the index file of a segment out of its index in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal/index_file.h"
#include "journal/index_layout.h"
#include "journal/segment_name.h"

enum { STAGE_BLOCKS = 16 };

/* Blocks gather in `stage` and go out 16 at a time. The first error sticks; what is put after it goes nowhere. */
struct index_writer {
    const struct index_content *content;
    struct index_layout layout;
    struct fs_file *file;
    uint8_t *stage;
    uint32_t block; /* number of the one that is being filled */
    uint32_t at;    /* where its next entry goes */
    enum err err;
};

static uint8_t *block_of(const struct index_writer *writer)
{
    return writer->stage + writer->block % STAGE_BLOCKS * INDEX_BLOCK_SIZE;
}

/* Writes the staged blocks before writer->block. */
static void flush(struct index_writer *writer)
{
    uint32_t count = (writer->block - 1) % STAGE_BLOCKS + 1;
    uint64_t at = (uint64_t)(writer->block - count) * INDEX_BLOCK_SIZE;
    if (writer->err == ERR_NONE)
        writer->err = fs_pwrite(writer->file, span_of(writer->stage, count * INDEX_BLOCK_SIZE), at);
    memset(writer->stage, 0, STAGE_BLOCKS * INDEX_BLOCK_SIZE);
}

static void end_block(struct index_writer *writer)
{
    index_block_seal(block_of(writer), &writer->layout, writer->block);
    writer->block++;
    writer->at = 0;
    if (writer->block % STAGE_BLOCKS == 0)
        flush(writer);
}

/* Room for the next entry of the section: zeros. */
static uint8_t *next_entry(struct index_writer *writer, enum index_section_kind kind)
{
    uint32_t size = index_entry_size(kind);
    if (writer->at + size > INDEX_BLOCK_FILL)
        end_block(writer);
    uint8_t *entry = block_of(writer) + writer->at;
    writer->at += size;
    return entry;
}

static void end_section(struct index_writer *writer)
{
    if (writer->at > 0)
        end_block(writer);
}

static void count_places(const struct segment_index *index, uint32_t counts[INDEX_SECTION_COUNT])
{
    const struct place_index *places = segment_index_places(index);
    for (uint32_t i = 0; i < PLACE_INDEX_SEQUENCES_MAX; i++) {
        counts[INDEX_PLACE_SEQUENCES] += places->sequences[i].count > 0 ? 1 : 0;
        counts[INDEX_PLACE_RUNS] += places->sequences[i].count;
    }
    counts[INDEX_SPOTS] = places->spots.count;
    counts[INDEX_BATCHES] = places->batches.count;
    counts[INDEX_PLACES] = places->entries.count;
}

static void count_outcomes(const struct segment_index *index, uint32_t counts[INDEX_SECTION_COUNT])
{
    const struct outcome_index *outcomes = segment_index_outcomes(index);
    counts[INDEX_OUTCOMES] = outcomes->key_count;
    for (uint32_t i = 0; i < outcomes->key_count; i++)
        counts[INDEX_OUTCOME_RUNS] += outcomes->keys[i]->runs.count;
    counts[INDEX_MARKS] = outcomes->marks.count;
}

static void count_entries(struct index_writer *writer)
{
    const struct index_content *content = writer->content;
    uint32_t counts[INDEX_SECTION_COUNT] = {0};
    counts[INDEX_PARTITIONS] = content->slot_count;
    for (uint32_t i = 0; i < content->slot_count; i++) {
        uint32_t extents;
        (void)segment_index_extents(content->index, content->slots[i].slot, &extents);
        counts[INDEX_EXTENTS] += extents;
    }
    for (uint32_t i = 0; i < SEGMENT_INDEX_SEQUENCES_MAX; i++) {
        const struct run_set *set = segment_index_runs(content->index, i);
        counts[INDEX_SEQUENCES] += set == NULL ? 0 : 1;
        counts[INDEX_RUNS] += set == NULL ? 0 : set->count;
    }
    counts[INDEX_IDENTITIES] = segment_index_identity_count(content->index);
    count_places(content->index, counts);
    count_outcomes(content->index, counts);
    for (uint32_t i = 0; i < INDEX_SECTION_COUNT; i++)
        writer->layout.sections[i].count = counts[i];
}

static void write_header(struct index_writer *writer)
{
    writer->layout.number = writer->content->number;
    writer->layout.epoch = writer->content->epoch;
    writer->layout.end = writer->content->end;
    count_entries(writer);
    index_layout_place(&writer->layout);
    index_layout_write(block_of(writer), &writer->layout);
    end_block(writer);
}

static void write_partitions(struct index_writer *writer)
{
    uint32_t extent_first = 0;
    for (uint32_t i = 0; i < writer->content->slot_count; i++) {
        const struct index_slot *slot = &writer->content->slots[i];
        check(i == 0 || slot->topic > slot[-1].topic ||
              (slot->topic == slot[-1].topic && slot->partition > slot[-1].partition));
        struct index_partition partition = {.topic = slot->topic, .partition = slot->partition};
        partition.extent_first = extent_first;
        (void)segment_index_summary(writer->content->index, slot->slot, &partition.summary);
        partition.summary.first_offset = slot->first_offset;
        partition.summary.end_offset = slot->end_offset;
        (void)segment_index_extents(writer->content->index, slot->slot, &partition.extent_count);
        index_partition_write(next_entry(writer, INDEX_PARTITIONS), &partition);
        extent_first += partition.extent_count;
    }
    end_section(writer);
}

static void write_extents(struct index_writer *writer)
{
    for (uint32_t i = 0; i < writer->content->slot_count; i++) {
        uint32_t count;
        const struct index_extent *extents =
            segment_index_extents(writer->content->index, writer->content->slots[i].slot, &count);
        for (uint32_t k = 0; k < count; k++)
            index_extent_write(next_entry(writer, INDEX_EXTENTS), &extents[k]);
    }
    end_section(writer);
}

static void write_sequences(struct index_writer *writer)
{
    uint32_t run_first = 0;
    for (uint32_t i = 0; i < SEGMENT_INDEX_SEQUENCES_MAX; i++) {
        const struct run_set *set = segment_index_runs(writer->content->index, i);
        if (set == NULL)
            continue;
        struct index_sequence sequence = {
            .sequence = i,
            .run_first = run_first,
            .run_count = set->count,
            .merged_count = run_set_merged_count(set),
            .lowest = run_set_lowest(set),
            .highest = run_set_highest(set),
        };
        index_sequence_write(next_entry(writer, INDEX_SEQUENCES), &sequence);
        run_first += set->count;
    }
    end_section(writer);
}

static void write_runs(struct index_writer *writer)
{
    for (uint32_t i = 0; i < SEGMENT_INDEX_SEQUENCES_MAX; i++) {
        const struct run_set *set = segment_index_runs(writer->content->index, i);
        struct run_cursor cursor = {0};
        const struct run *run;
        while (set != NULL && (run = run_set_next(set, &cursor)) != NULL)
            index_run_write(next_entry(writer, INDEX_RUNS), run);
    }
    end_section(writer);
}

static void write_identities(struct index_writer *writer)
{
    uint32_t count = segment_index_identity_count(writer->content->index);
    for (uint32_t i = 0; i < count; i++)
        index_identity_write(next_entry(writer, INDEX_IDENTITIES),
                             segment_index_identity(writer->content->index, i));
    end_section(writer);
}

static void
write_run_set(struct index_writer *writer, enum index_section_kind kind, const struct run_set *set)
{
    struct run_cursor cursor = {0};
    for (const struct run *run; (run = run_set_next(set, &cursor)) != NULL;)
        index_run_write(next_entry(writer, kind), run);
}

static void write_place_sequences(struct index_writer *writer)
{
    const struct place_index *places = segment_index_places(writer->content->index);
    uint32_t run_first = 0;
    for (uint32_t i = 0; i < PLACE_INDEX_SEQUENCES_MAX; i++) {
        const struct run_set *set = &places->sequences[i];
        if (set->count == 0)
            continue;
        struct index_place_sequence sequence = {i, run_first, set->count, set->longest};
        index_place_sequence_write(next_entry(writer, INDEX_PLACE_SEQUENCES), &sequence);
        run_first += set->count;
    }
    end_section(writer);
    for (uint32_t i = 0; i < PLACE_INDEX_SEQUENCES_MAX; i++)
        write_run_set(writer, INDEX_PLACE_RUNS, &places->sequences[i]);
    end_section(writer);
}

static void write_places(struct index_writer *writer)
{
    const struct place_index *places = segment_index_places(writer->content->index);
    write_place_sequences(writer);
    for (uint32_t i = 0; i < places->spots.count; i++)
        index_spot_write(next_entry(writer, INDEX_SPOTS), chunk_list_at(&places->spots, i));
    end_section(writer);
    for (uint32_t i = 0; i < places->batches.count; i++)
        index_batch_write(next_entry(writer, INDEX_BATCHES), chunk_list_at(&places->batches, i));
    end_section(writer);
    for (uint32_t i = 0; i < places->entries.count; i++)
        index_place_write(next_entry(writer, INDEX_PLACES), chunk_list_at(&places->entries, i));
    end_section(writer);
}

static void write_outcomes(struct index_writer *writer)
{
    const struct outcome_index *outcomes = segment_index_outcomes(writer->content->index);
    uint32_t run_first = 0;
    for (uint32_t i = 0; i < outcomes->key_count; i++) {
        const struct outcome_runs *runs = outcomes->keys[i];
        struct index_outcomes entry = {
            .key = runs->key,
            .run_first = run_first,
            .run_count = runs->runs.count,
            .longest = runs->runs.longest,
            .lowest = run_set_lowest(&runs->runs),
            .highest = run_set_highest(&runs->runs),
        };
        index_outcomes_write(next_entry(writer, INDEX_OUTCOMES), &entry);
        run_first += runs->runs.count;
    }
    end_section(writer);
    for (uint32_t i = 0; i < outcomes->key_count; i++)
        write_run_set(writer, INDEX_OUTCOME_RUNS, &outcomes->keys[i]->runs);
    end_section(writer);
    for (uint32_t i = 0; i < outcomes->marks.count; i++)
        index_mark_write(next_entry(writer, INDEX_MARKS), chunk_list_at(&outcomes->marks, i));
    end_section(writer);
}

static enum err write_blocks(struct index_writer *writer)
{
    write_header(writer);
    write_partitions(writer);
    write_extents(writer);
    write_sequences(writer);
    write_runs(writer);
    write_identities(writer);
    write_places(writer);
    write_outcomes(writer);
    if (writer->block % STAGE_BLOCKS != 0)
        flush(writer);
    if (writer->err != ERR_NONE)
        return writer->err;
    return fs_fdatasync(writer->file);
}

/* The whole file, synced, under a name that may hold the rest of an earlier attempt. */
static enum err write_file(struct fs *fs, const char *path, const struct index_content *content)
{
    struct index_writer writer = {.content = content, .stage = calloc(STAGE_BLOCKS, INDEX_BLOCK_SIZE)};
    if (writer.stage == NULL)
        return ERR_MEMORY;
    enum err err = fs_open(fs, path, FS_OPEN_WRITE | FS_OPEN_CREATE, &writer.file);
    if (err == ERR_NONE) {
        err = writer.file->ops->truncate(writer.file, 0);
        if (err == ERR_NONE)
            err = write_blocks(&writer);
        writer.file = fs_close(writer.file);
    }
    free(writer.stage);
    return err;
}

enum err index_file_write(struct fs *fs, const struct index_content *content)
{
    char name[SEGMENT_NAME_SIZE];
    char draft[SEGMENT_NAME_SIZE];
    segment_name(name, content->number, ".index");
    segment_name(draft, content->number, ".index.tmp");
    enum err err = write_file(fs, draft, content);
    if (err == ERR_NONE)
        err = fs->ops->rename(fs, draft, name);
    if (err != ERR_NONE) {
        (void)fs->ops->unlink(fs, draft);
        return err;
    }
    return fs->ops->sync_directory(fs);
}
