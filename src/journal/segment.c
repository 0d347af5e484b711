/* Segments in memory: states, summaries, and their table. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/segment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_SIZE_FIRST = 16, COPY_SIZE = 1 << 20 };

/* Rows: from; columns: to. */
static const bool moves[SEGMENT_STATE_COUNT][SEGMENT_STATE_COUNT] = {
    [SEGMENT_ACTIVE] = {[SEGMENT_SEALED] = true},
    [SEGMENT_SEALED] = {[SEGMENT_RETIRING] = true, [SEGMENT_INDEX_ONLY] = true},
    [SEGMENT_RETIRING] = {[SEGMENT_INDEX_ONLY] = true},
};

struct segment *segment_new(uint64_t number, uint64_t epoch)
{
    struct segment *segment = calloc(1, sizeof *segment);
    if (segment == NULL)
        return NULL;
    segment->number = number;
    segment->epoch = epoch;
    list_init(&segment->link);
    return segment;
}

struct segment *segment_free(struct segment *segment)
{
    if (segment == NULL)
        return NULL;
    segment->file = fs_close(segment->file);
    segment->index = segment_index_free(segment->index);
    segment->index_file = index_file_close(segment->index_file);
    free(segment->summaries);
    free(segment->slots);
    free(segment);
    return NULL;
}

void segment_move(struct segment *segment, enum segment_state state)
{
    check(moves[segment->state][state]);
    segment->state = state;
}

enum err segment_make_certain(struct fs_file *file, uint64_t from, uint64_t end)
{
    uint8_t *bytes = malloc(COPY_SIZE);
    enum err err = bytes == NULL ? ERR_MEMORY : ERR_NONE;
    while (err == ERR_NONE && from < end) {
        size_t len = end - from < COPY_SIZE ? (size_t)(end - from) : COPY_SIZE;
        err = fs_pread(file, bytes, len, from, &len);
        if (err == ERR_NONE && len == 0)
            err = ERR_IO;
        if (err == ERR_NONE)
            err = fs_pwrite(file, span_of(bytes, len), from);
        from += len;
    }
    free(bytes);
    return err == ERR_NONE ? fs_fdatasync(file) : err;
}

enum err segment_summarise(struct segment *segment)
{
    struct segment_summary *summaries = calloc(SEGMENT_INDEX_SEQUENCES_MAX, sizeof *summaries);
    if (summaries == NULL)
        return ERR_MEMORY;
    uint32_t count = 0;
    for (uint32_t sequence = 0; sequence < SEGMENT_INDEX_SEQUENCES_MAX; sequence++) {
        const struct run_set *runs = segment_index_runs(segment->index, sequence);
        if (runs == NULL)
            continue;
        summaries[count++] = (struct segment_summary){
            .sequence = sequence,
            .runs = run_set_merged_count(runs),
            .lowest = run_set_lowest(runs),
            .highest = run_set_highest(runs),
        };
    }
    free(segment->summaries);
    segment->summaries = summaries;
    segment->summary_count = count;
    segment->identity_count = segment_index_identity_count(segment->index);
    return ERR_NONE;
}

enum err segment_index_outcome(struct segment *segment, enum err err)
{
    if (err != ERR_DAMAGED)
        return err;
    segment->index_file = index_file_close(segment->index_file);
    segment->index_is_bad = true;
    return ERR_AGAIN;
}

enum err segment_table_add(struct segment_table *table, struct segment *segment)
{
    check(table->count == 0 || segment_table_last(table)->number < segment->number);
    if (table->count == table->size) {
        uint32_t size = table->size == 0 ? TABLE_SIZE_FIRST : table->size * 2;
        struct segment **segments = realloc(table->segments, size * sizeof(struct segment *));
        if (segments == NULL)
            return ERR_MEMORY;
        table->segments = segments;
        table->size = size;
    }
    table->segments[table->count++] = segment;
    return ERR_NONE;
}

/* The place of the first segment with this number or a higher one. */
static uint32_t place_of(const struct segment_table *table, uint64_t number)
{
    uint32_t low = 0;
    uint32_t high = table->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (table->segments[middle]->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct segment *segment_table_find(const struct segment_table *table, uint64_t number)
{
    uint32_t place = place_of(table, number);
    return place < table->count && table->segments[place]->number == number ? table->segments[place] : NULL;
}

struct segment *segment_table_before(const struct segment_table *table, uint64_t number)
{
    uint32_t place = place_of(table, number);
    return place == 0 ? NULL : table->segments[place - 1];
}

void segment_table_remove(struct segment_table *table, const struct segment *segment)
{
    uint32_t place = place_of(table, segment->number);
    check(place < table->count && table->segments[place] == segment);
    table->count--;
    memmove(table->segments + place, table->segments + place + 1,
            (table->count - place) * sizeof(struct segment *));
}

void segment_table_done(struct segment_table *table)
{
    for (uint32_t i = 0; i < table->count; i++)
        segment_free(table->segments[i]);
    free(table->segments);
    *table = (struct segment_table){0};
}
