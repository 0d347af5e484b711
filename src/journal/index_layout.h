/* Where everything lies in an index file: sections of entries in blocks, each block with its checksum. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_INDEX_LAYOUT_H
#define JOURNAL_INDEX_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

/*
 *   block 0      magic 8 | version 4 | zero 4 | segment 8 | epoch 8 | end 8 | first block 4, entries 4 per section
 *   every block  entries, zeros, CRC 4: over segment 8, epoch 8, block number 4 and the 4092 bytes before it
 *
 * docs/formats/journal.md 6.
 */
enum {
    INDEX_VERSION = 2,
    INDEX_VERSION_FIRST = 1, /* has the first five sections alone */
    INDEX_BLOCK_SIZE = 4096,
    INDEX_BLOCK_FILL = INDEX_BLOCK_SIZE - 4, /* what entries may take of it */
};

enum index_section_kind {
    INDEX_PARTITIONS,
    INDEX_EXTENTS,
    INDEX_SEQUENCES,
    INDEX_RUNS,
    INDEX_IDENTITIES,
    INDEX_PLACE_SEQUENCES,
    INDEX_PLACE_RUNS,
    INDEX_SPOTS,
    INDEX_BATCHES,
    INDEX_PLACES,
    INDEX_OUTCOMES,
    INDEX_OUTCOME_RUNS,
    INDEX_MARKS,
    INDEX_SECTION_COUNT,
    INDEX_SECTION_COUNT_FIRST = INDEX_IDENTITIES + 1
};

struct index_section {
    uint32_t first; /* block */
    uint32_t count; /* of entries */
};

struct index_layout {
    uint32_t version; /* as it was read */
    uint64_t number;  /* of the segment */
    uint64_t epoch;
    uint64_t end; /* of the segment: behind its last frame */
    struct index_section sections[INDEX_SECTION_COUNT];
};

uint32_t index_entry_size(enum index_section_kind kind);

/* Gives each section its first block, from the counts. */
void index_layout_place(struct index_layout *layout);
/* Of the whole file. */
uint32_t index_layout_blocks(const struct index_layout *layout);
/* Where an entry lies. */
uint32_t index_entry_block(const struct index_layout *layout, enum index_section_kind kind, uint32_t entry);
uint32_t index_entry_at(enum index_section_kind kind, uint32_t entry);

/* Fills in block 0 but for its checksum; the block is zeros before. */
void index_layout_write(uint8_t block[INDEX_BLOCK_SIZE], const struct index_layout *layout);
/* From a good block 0. False when it is of a version that is not known, or contradicts itself. */
bool index_layout_read(const uint8_t block[INDEX_BLOCK_SIZE], struct index_layout *ret_layout);

/* Of a block of this segment's life: an index of another one is not good. */
void index_block_seal(uint8_t block[INDEX_BLOCK_SIZE],
                      const struct index_layout *layout,
                      uint32_t block_number);
bool index_block_is_good(const uint8_t block[INDEX_BLOCK_SIZE],
                         const struct index_layout *layout,
                         uint32_t block_number);

#endif
