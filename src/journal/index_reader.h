/* Entries of an index file, block by block, for the files that search it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_INDEX_READER_H
#define JOURNAL_INDEX_READER_H

#include "base/err.h"
#include "base/fs.h"
#include "journal/block_cache.h"
#include "journal/index_layout.h"

struct index_file {
    struct fs_file *file;
    struct block_cache *cache; /* NULL: none */
    uint64_t id;               /* in the cache */
    struct index_layout layout;
};

/* The way of one call through the file: the block it read last. */
struct index_reader {
    const struct index_file *file;
    uint32_t block;         /* 0: none yet */
    const uint8_t *entries; /* of the block */
    uint8_t bytes[INDEX_BLOCK_SIZE];
};

/* Entries `first` to `end` - 1 of a section, ordered by what they are sought for. */
struct index_range {
    enum index_section_kind kind;
    uint32_t first;
    uint32_t end;
    uint32_t longest; /* of runs: none is longer */
};

/* Reads and checks one. DAMAGED, or an error of the file. */
enum err index_block_read(struct fs_file *file,
                          const struct index_layout *layout,
                          uint32_t block,
                          uint8_t *to) MUST_CHECK;

void index_reader_init(struct index_reader *reader, const struct index_file *file);
/* The entry stays until the next one is read. DAMAGED also when there is none. */
enum err index_reader_entry(struct index_reader *reader,
                            enum index_section_kind kind,
                            uint32_t entry,
                            const uint8_t **ret_entry) MUST_CHECK;
/* `count` entries from `first` on; DAMAGED when the section has not so many. */
enum err index_reader_range(const struct index_file *file,
                            enum index_section_kind kind,
                            uint32_t first,
                            uint32_t count,
                            struct index_range *ret_range) MUST_CHECK;
/* The first entry of the range for which `is_before` does not hold; the range's end when it holds for all. */
enum err index_reader_find(struct index_reader *reader,
                           struct index_range range,
                           bool (*is_before)(const uint8_t *entry, const void *sought),
                           const void *sought,
                           uint32_t *ret_entry) MUST_CHECK;

/* Of a range of runs, by `from`: the positions of those that hold the number, at most `size`. */
enum err index_reader_holders(struct index_reader *reader,
                              struct index_range range,
                              uint64_t number,
                              uint32_t *positions,
                              uint32_t size,
                              uint32_t *ret_count) MUST_CHECK;

#endif
