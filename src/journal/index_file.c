/* Finds its way in an index file by reading single blocks. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/index_file.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "journal/index_reader.h"
#include "journal/segment_name.h"

/* --- The file ----------------------------------------------------------------------------------- */

/* Whether the file is exactly as long as its block 0 says, and of the segment that was asked for. */
static enum err read_layout(struct index_file *file, uint64_t number, uint64_t epoch)
{
    uint8_t block[INDEX_BLOCK_SIZE];
    struct index_layout life = {.number = number, .epoch = epoch};
    enum err err = index_block_read(file->file, &life, 0, block);
    if (err != ERR_NONE)
        return err;
    if (!index_layout_read(block, &file->layout) || file->layout.number != number ||
        file->layout.epoch != epoch)
        return ERR_DAMAGED;
    struct fs_stat stat;
    err = file->file->ops->stat(file->file, &stat);
    if (err != ERR_NONE)
        return err;
    return stat.size == (uint64_t)index_layout_blocks(&file->layout) * INDEX_BLOCK_SIZE ? ERR_NONE
                                                                                        : ERR_DAMAGED;
}

enum err index_file_open(struct fs *fs, uint64_t number, uint64_t epoch, struct index_file **ret_file)
{
    struct index_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return ERR_MEMORY;
    char name[SEGMENT_NAME_SIZE];
    segment_name(name, number, ".index");
    enum err err = fs_open(fs, name, FS_OPEN_READ, &file->file);
    if (err == ERR_NONE)
        err = read_layout(file, number, epoch);
    if (err != ERR_NONE) {
        file = index_file_close(file);
        return err;
    }
    *ret_file = file;
    return ERR_NONE;
}

void index_file_remember(struct index_file *file, struct block_cache *cache)
{
    file->cache = cache;
    file->id = block_cache_name(cache);
}

bool index_file_is_older(const struct index_file *file)
{
    return file->layout.version < INDEX_VERSION;
}

struct index_file *index_file_close(struct index_file *file)
{
    if (file == NULL)
        return NULL;
    file->file = fs_close(file->file);
    free(file);
    return NULL;
}

uint64_t index_file_end(const struct index_file *file)
{
    return file->layout.end;
}

void index_file_will_need(const struct index_file *file)
{
    uint64_t size = (uint64_t)index_layout_blocks(&file->layout) * INDEX_BLOCK_SIZE;
    file->file->ops->will_need(file->file, 0, size);
}

enum err index_file_verify(const struct index_file *file)
{
    uint8_t bytes[INDEX_BLOCK_SIZE];
    uint32_t blocks = index_layout_blocks(&file->layout);
    for (uint32_t block = 0; block < blocks; block++) {
        enum err err = index_block_read(file->file, &file->layout, block, bytes);
        if (err != ERR_NONE)
            return err;
    }
    return ERR_NONE;
}

/* --- Partitions --------------------------------------------------------------------------------- */

/* By topic, then partition. */
static bool partition_is_before(const uint8_t *entry, const void *sought)
{
    struct index_partition partition;
    index_partition_read(entry, &partition);
    const struct index_partition *other = sought;
    return partition.topic != other->topic ? partition.topic < other->topic
                                           : partition.partition < other->partition;
}

enum err index_file_partition(const struct index_file *file,
                              uint32_t topic,
                              uint32_t partition,
                              struct index_partition *ret_partition)
{
    struct index_reader reader;
    index_reader_init(&reader, file);
    struct index_partition found = {.topic = topic, .partition = partition};
    struct index_range all = {.kind = INDEX_PARTITIONS, .end = file->layout.sections[INDEX_PARTITIONS].count};
    uint32_t place;
    enum err err = index_reader_find(&reader, all, partition_is_before, &found, &place);
    if (err != ERR_NONE)
        return err;
    if (place == all.end)
        return ERR_NOT_FOUND;
    const uint8_t *entry;
    err = index_reader_entry(&reader, INDEX_PARTITIONS, place, &entry);
    if (err != ERR_NONE)
        return err;
    index_partition_read(entry, &found);
    if (found.topic != topic || found.partition != partition)
        return ERR_NOT_FOUND;
    *ret_partition = found;
    return ERR_NONE;
}

/* Which extents belong to a partition. */
static enum err range_of_extents(const struct index_file *file,
                                 const struct index_partition *partition,
                                 struct index_range *ret_range)
{
    return index_reader_range(file, INDEX_EXTENTS, partition->extent_first, partition->extent_count,
                              ret_range);
}

static bool extent_is_at_or_below(const uint8_t *entry, const void *sought)
{
    struct index_extent extent;
    index_extent_read(entry, &extent);
    return extent.base_offset <= *(const uint64_t *)sought;
}

enum err index_file_extents_from(const struct index_file *file,
                                 const struct index_partition *partition,
                                 uint64_t offset,
                                 struct index_extent *extents,
                                 uint32_t size,
                                 uint32_t *ret_count)
{
    struct index_reader reader;
    index_reader_init(&reader, file);
    struct index_range range;
    uint32_t place;
    enum err err = range_of_extents(file, partition, &range);
    if (err == ERR_NONE)
        err = index_reader_find(&reader, range, extent_is_at_or_below, &offset, &place);
    if (err != ERR_NONE)
        return err;
    if (place > range.first)
        place--;
    if (offset >= partition->summary.end_offset)
        place = range.end;
    uint32_t count = 0;
    for (; count < size && place < range.end; count++, place++) {
        const uint8_t *entry;
        err = index_reader_entry(&reader, INDEX_EXTENTS, place, &entry);
        if (err != ERR_NONE)
            return err;
        index_extent_read(entry, &extents[count]);
    }
    *ret_count = count;
    return ERR_NONE;
}

static bool extent_is_older(const uint8_t *entry, const void *sought)
{
    struct index_extent extent;
    index_extent_read(entry, &extent);
    return extent.wall_ns < *(const int64_t *)sought;
}

enum err index_file_extent_at_time(const struct index_file *file,
                                   const struct index_partition *partition,
                                   int64_t wall_ns,
                                   struct index_extent *ret_extent)
{
    if (partition->extent_count == 0 || partition->summary.last_ns < wall_ns)
        return ERR_NOT_FOUND;
    struct index_reader reader;
    index_reader_init(&reader, file);
    struct index_range range;
    uint32_t place;
    enum err err = range_of_extents(file, partition, &range);
    if (err == ERR_NONE)
        err = index_reader_find(&reader, range, extent_is_older, &wall_ns, &place);
    if (err != ERR_NONE)
        return err;
    if (place > range.first)
        place--;
    const uint8_t *entry;
    err = index_reader_entry(&reader, INDEX_EXTENTS, place, &entry);
    if (err != ERR_NONE)
        return err;
    index_extent_read(entry, ret_extent);
    return ERR_NONE;
}

/* --- Sequences ---------------------------------------------------------------------------------- */

enum err
index_file_sequence(const struct index_file *file, uint32_t sequence, struct index_sequence *ret_sequence)
{
    struct index_reader reader;
    index_reader_init(&reader, file);
    for (uint32_t i = 0; i < file->layout.sections[INDEX_SEQUENCES].count; i++) { /* at most 64 */
        const uint8_t *entry;
        enum err err = index_reader_entry(&reader, INDEX_SEQUENCES, i, &entry);
        if (err != ERR_NONE)
            return err;
        struct index_sequence found;
        index_sequence_read(entry, &found);
        if (found.sequence != sequence)
            continue;
        *ret_sequence = found;
        return ERR_NONE;
    }
    return ERR_NOT_FOUND;
}

/* The range of a sequence's runs. */
static enum err range_of_runs(const struct index_file *file,
                              const struct index_sequence *sequence,
                              struct index_range *ret_range)
{
    return index_reader_range(file, INDEX_RUNS, sequence->run_first, sequence->run_count, ret_range);
}

enum err index_file_positions(const struct index_file *file,
                              const struct index_sequence *sequence,
                              uint64_t number,
                              uint32_t *positions,
                              uint32_t size,
                              uint32_t *ret_count)
{
    struct index_reader reader;
    struct index_range range;
    index_reader_init(&reader, file);
    enum err err = range_of_runs(file, sequence, &range);
    if (err != ERR_NONE)
        return err;
    return index_reader_holders(&reader, range, number, positions, size, ret_count);
}

enum err index_file_has(const struct index_file *file,
                        const struct index_sequence *sequence,
                        uint64_t number,
                        bool *ret_has)
{
    uint32_t position;
    uint32_t count;
    enum err err = index_file_positions(file, sequence, number, &position, 1, &count);
    if (err != ERR_NONE)
        return err;
    *ret_has = count > 0;
    return ERR_NONE;
}

static bool run_is_at_or_below(const uint8_t *entry, const void *sought)
{
    return bytes_get_le64(entry) <= *(const uint64_t *)sought;
}

enum err index_file_collect(const struct index_file *file,
                            const struct index_sequence *sequence,
                            struct run_merge *merge)
{
    struct index_reader reader;
    index_reader_init(&reader, file);
    struct index_range range;
    uint32_t place = 0;
    /* A run that begins at merge->from - RUN_COUNT_MAX or below does not reach merge->from. */
    uint64_t below = merge->from < RUN_COUNT_MAX ? 0 : merge->from - RUN_COUNT_MAX;
    enum err err = range_of_runs(file, sequence, &range);
    if (err == ERR_NONE)
        err = index_reader_find(&reader, range, run_is_at_or_below, &below, &place);
    if (err != ERR_NONE)
        return err;
    if (merge->from < RUN_COUNT_MAX)
        place = range.first;
    for (uint64_t from = 0; place < range.end; place++) {
        struct run run;
        const uint8_t *entry;
        err = index_reader_entry(&reader, INDEX_RUNS, place, &entry);
        if (err != ERR_NONE)
            return err;
        if (!index_run_read(entry, &run) || run.from < from)
            return ERR_DAMAGED;
        from = run.from;
        if (!run_merge_add(merge, run.from, run.count))
            break;
    }
    return ERR_NONE;
}

/* --- Walks -------------------------------------------------------------------------------------- */

enum err index_file_each_partition(const struct index_file *file,
                                   void (*on_partition)(void *owner, const struct index_partition *partition),
                                   void *owner)
{
    struct index_reader reader;
    index_reader_init(&reader, file);
    for (uint32_t i = 0; i < file->layout.sections[INDEX_PARTITIONS].count; i++) {
        const uint8_t *entry;
        enum err err = index_reader_entry(&reader, INDEX_PARTITIONS, i, &entry);
        if (err != ERR_NONE)
            return err;
        struct index_partition partition;
        index_partition_read(entry, &partition);
        on_partition(owner, &partition);
    }
    return ERR_NONE;
}

enum err index_file_each_identity(const struct index_file *file,
                                  void (*on_identity)(void *owner, const struct index_identity *identity),
                                  void *owner)
{
    struct index_reader reader;
    index_reader_init(&reader, file);
    for (uint32_t i = 0; i < file->layout.sections[INDEX_IDENTITIES].count; i++) {
        const uint8_t *entry;
        enum err err = index_reader_entry(&reader, INDEX_IDENTITIES, i, &entry);
        if (err != ERR_NONE)
            return err;
        struct index_identity identity;
        index_identity_read(entry, &identity);
        on_identity(owner, &identity);
    }
    return ERR_NONE;
}
