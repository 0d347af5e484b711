/* One block at a time, checked when it is read, remembered when it is worth it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/index_reader.h"

#include "base/bytes.h"
#include "journal/index_entry.h"

enum err
index_block_read(struct fs_file *file, const struct index_layout *layout, uint32_t block, uint8_t *to)
{
    size_t len;
    enum err err = fs_pread(file, to, INDEX_BLOCK_SIZE, (uint64_t)block * INDEX_BLOCK_SIZE, &len);
    if (err != ERR_NONE)
        return err;
    if (len < INDEX_BLOCK_SIZE || !index_block_is_good(to, layout, block))
        return ERR_DAMAGED;
    return ERR_NONE;
}

void index_reader_init(struct index_reader *reader, const struct index_file *file)
{
    reader->file = file;
    reader->block = 0;
}

/* Entries of scattered numbers are many, and each is asked for seldom: they would drive the others out. */
static bool is_remembered(const struct index_file *file, enum index_section_kind kind)
{
    return file->cache != NULL && kind != INDEX_PLACES && kind != INDEX_IDENTITIES;
}

static enum err load_block(struct index_reader *reader, enum index_section_kind kind, uint32_t block)
{
    const struct index_file *file = reader->file;
    bool is_kept = is_remembered(file, kind);
    const uint8_t *known = is_kept ? block_cache_get(file->cache, file->id, block) : NULL;
    enum err err = ERR_NONE;
    if (known == NULL) {
        uint8_t *to = is_kept ? block_cache_take(file->cache, file->id, block) : NULL;
        to = to == NULL ? reader->bytes : to;
        err = index_block_read(file->file, &file->layout, block, to);
        if (err != ERR_NONE && to != reader->bytes)
            block_cache_drop(file->cache, file->id, block);
        known = to;
    }
    reader->entries = known;
    reader->block = err == ERR_NONE ? block : 0;
    return err;
}

enum err index_reader_entry(struct index_reader *reader,
                            enum index_section_kind kind,
                            uint32_t entry,
                            const uint8_t **ret_entry)
{
    const struct index_layout *layout = &reader->file->layout;
    if (entry >= layout->sections[kind].count)
        return ERR_DAMAGED;
    uint32_t block = index_entry_block(layout, kind, entry);
    if (block != reader->block) {
        enum err err = load_block(reader, kind, block);
        if (err != ERR_NONE)
            return err;
    }
    *ret_entry = reader->entries + index_entry_at(kind, entry);
    return ERR_NONE;
}

enum err index_reader_range(const struct index_file *file,
                            enum index_section_kind kind,
                            uint32_t first,
                            uint32_t count,
                            struct index_range *ret_range)
{
    uint32_t all = file->layout.sections[kind].count;
    if (first > all || count > all - first)
        return ERR_DAMAGED;
    *ret_range = (struct index_range){kind, first, first + count, RUN_COUNT_MAX};
    return ERR_NONE;
}

enum err index_reader_find(struct index_reader *reader,
                           struct index_range range,
                           bool (*is_before)(const uint8_t *entry, const void *sought),
                           const void *sought,
                           uint32_t *ret_entry)
{
    while (range.first < range.end) {
        uint32_t middle = range.first + (range.end - range.first) / 2;
        const uint8_t *entry;
        enum err err = index_reader_entry(reader, range.kind, middle, &entry);
        if (err != ERR_NONE)
            return err;
        if (is_before(entry, sought))
            range.first = middle + 1;
        else
            range.end = middle;
    }
    *ret_entry = range.first;
    return ERR_NONE;
}

static bool run_is_at_or_below(const uint8_t *entry, const void *sought)
{
    return bytes_get_le64(entry) <= *(const uint64_t *)sought;
}

enum err index_reader_holders(struct index_reader *reader,
                              struct index_range range,
                              uint64_t number,
                              uint32_t *positions,
                              uint32_t size,
                              uint32_t *ret_count)
{
    uint32_t place;
    enum err err = index_reader_find(reader, range, run_is_at_or_below, &number, &place);
    uint32_t count = 0;
    while (err == ERR_NONE && count < size && place > range.first) {
        struct run run = {0};
        const uint8_t *entry;
        err = index_reader_entry(reader, range.kind, --place, &entry);
        if (err == ERR_NONE && !index_run_read(entry, &run))
            err = ERR_DAMAGED;
        if (err != ERR_NONE || number - run.from >= range.longest)
            break;
        if (run_holds(&run, number))
            positions[count++] = run.position;
    }
    *ret_count = count;
    return err;
}
