/* Sections and blocks of an index file. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/index_layout.h"

#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"

enum { SECTIONS_AT = 40, SECTION_SIZE = 8 };

static const char magic[8] = {'W', 'A', 'Y', 'I', 'N', 'D', 'E', 'X'};

uint32_t index_entry_size(enum index_section_kind kind)
{
    static const uint8_t sizes[INDEX_SECTION_COUNT] = {
        [INDEX_PARTITIONS] = 56, [INDEX_EXTENTS] = 24,    [INDEX_SEQUENCES] = 32,
        [INDEX_RUNS] = 16,       [INDEX_IDENTITIES] = 24, [INDEX_PLACE_SEQUENCES] = 16,
        [INDEX_PLACE_RUNS] = 16, [INDEX_SPOTS] = 24,      [INDEX_BATCHES] = 16,
        [INDEX_PLACES] = 4,      [INDEX_OUTCOMES] = 40,   [INDEX_OUTCOME_RUNS] = 16,
        [INDEX_MARKS] = 96,
    };
    check(kind < INDEX_SECTION_COUNT);
    return sizes[kind];
}

static uint32_t entries_per_block(enum index_section_kind kind)
{
    return INDEX_BLOCK_FILL / index_entry_size(kind);
}

/* Even sections of 2^32 entries together have far less than 2^32 blocks. */
static uint32_t blocks_of(enum index_section_kind kind, uint32_t count)
{
    return count / entries_per_block(kind) + (count % entries_per_block(kind) > 0 ? 1 : 0);
}

void index_layout_place(struct index_layout *layout)
{
    uint32_t block = 1;
    for (enum index_section_kind kind = 0; kind < INDEX_SECTION_COUNT; kind++) {
        layout->sections[kind].first = block;
        block += blocks_of(kind, layout->sections[kind].count);
    }
}

uint32_t index_layout_blocks(const struct index_layout *layout)
{
    uint32_t blocks = 1;
    for (enum index_section_kind kind = 0; kind < INDEX_SECTION_COUNT; kind++)
        blocks += blocks_of(kind, layout->sections[kind].count);
    return blocks;
}

uint32_t index_entry_block(const struct index_layout *layout, enum index_section_kind kind, uint32_t entry)
{
    return layout->sections[kind].first + entry / entries_per_block(kind);
}

uint32_t index_entry_at(enum index_section_kind kind, uint32_t entry)
{
    return entry % entries_per_block(kind) * index_entry_size(kind);
}

void index_layout_write(uint8_t block[INDEX_BLOCK_SIZE], const struct index_layout *layout)
{
    memcpy(block, magic, sizeof magic);
    bytes_put_le32(block + 8, INDEX_VERSION);
    bytes_put_le64(block + 16, layout->number);
    bytes_put_le64(block + 24, layout->epoch);
    bytes_put_le64(block + 32, layout->end);
    for (uint32_t i = 0; i < INDEX_SECTION_COUNT; i++) {
        bytes_put_le32(block + SECTIONS_AT + i * SECTION_SIZE, layout->sections[i].first);
        bytes_put_le32(block + SECTIONS_AT + i * SECTION_SIZE + 4, layout->sections[i].count);
    }
}

bool index_layout_read(const uint8_t block[INDEX_BLOCK_SIZE], struct index_layout *ret_layout)
{
    uint32_t version = bytes_get_le32(block + 8);
    if (memcmp(block, magic, sizeof magic) != 0 ||
        (version != INDEX_VERSION && version != INDEX_VERSION_FIRST))
        return false;
    uint32_t sections = version == INDEX_VERSION ? INDEX_SECTION_COUNT : INDEX_SECTION_COUNT_FIRST;
    struct index_layout layout = {
        .version = version,
        .number = bytes_get_le64(block + 16),
        .epoch = bytes_get_le64(block + 24),
        .end = bytes_get_le64(block + 32),
    };
    for (uint32_t i = 0; i < sections; i++)
        layout.sections[i].count = bytes_get_le32(block + SECTIONS_AT + i * SECTION_SIZE + 4);
    index_layout_place(&layout);
    for (uint32_t i = 0; i < sections; i++)
        if (layout.sections[i].first != bytes_get_le32(block + SECTIONS_AT + i * SECTION_SIZE))
            return false;
    *ret_layout = layout;
    return true;
}

static uint32_t crc_of(const uint8_t *block, const struct index_layout *layout, uint32_t block_number)
{
    uint8_t life[20];
    bytes_put_le64(life, layout->number);
    bytes_put_le64(life + 8, layout->epoch);
    bytes_put_le32(life + 16, block_number);
    return hash_crc32c(span_of(block, INDEX_BLOCK_FILL), hash_crc32c(span_of(life, sizeof life), 0));
}

void index_block_seal(uint8_t block[INDEX_BLOCK_SIZE],
                      const struct index_layout *layout,
                      uint32_t block_number)
{
    bytes_put_le32(block + INDEX_BLOCK_FILL, crc_of(block, layout, block_number));
}

bool index_block_is_good(const uint8_t block[INDEX_BLOCK_SIZE],
                         const struct index_layout *layout,
                         uint32_t block_number)
{
    return bytes_get_le32(block + INDEX_BLOCK_FILL) == crc_of(block, layout, block_number);
}
