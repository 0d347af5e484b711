/* Tests of the geometry of an index file. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/index_layout.h"

#include "support/test.h"

static struct index_layout example(void)
{
    struct index_layout layout = {
        .version = INDEX_VERSION, .number = 7, .epoch = 0x1122334455667788, .end = 65536};
    static const uint32_t counts[INDEX_SECTION_COUNT] = {74, 0, 1, 255, 171, 1, 1, 0, 0, 1024, 0, 0, 1};
    for (uint32_t i = 0; i < INDEX_SECTION_COUNT; i++)
        layout.sections[i].count = counts[i];
    index_layout_place(&layout);
    return layout;
}

TEST(sections_follow_each_other_and_entries_do_not_cross_blocks)
{
    struct index_layout layout = example();
    static const uint32_t firsts[INDEX_SECTION_COUNT] = {1, 3, 3, 4, 5, 7, 8, 9, 9, 9, 11, 11, 11};
    for (uint32_t i = 0; i < INDEX_SECTION_COUNT; i++)
        expect_equal_u64(layout.sections[i].first, firsts[i]);
    expect_equal_u64(index_layout_blocks(&layout), 12);
    for (enum index_section_kind kind = 0; kind < INDEX_SECTION_COUNT; kind++)
        for (uint32_t entry = 0; entry < 1000; entry++)
            expect(index_entry_at(kind, entry) + index_entry_size(kind) <= INDEX_BLOCK_FILL);
    expect_equal_u64(index_entry_block(&layout, INDEX_PARTITIONS, 72), 1);
    expect_equal_u64(index_entry_block(&layout, INDEX_PARTITIONS, 73), 2);
    expect_equal_u64(index_entry_at(INDEX_PARTITIONS, 73), 0);
}

TEST(layout_is_read_as_it_was_written)
{
    uint8_t block[INDEX_BLOCK_SIZE] = {0};
    struct index_layout layout = example();
    struct index_layout found;
    index_layout_write(block, &layout);
    expect(index_layout_read(block, &found));
    expect_equal_span(span_of(&found, sizeof found), span_of(&layout, sizeof layout));
}

TEST(layout_of_the_first_version_has_the_first_sections_alone)
{
    uint8_t block[INDEX_BLOCK_SIZE] = {0};
    struct index_layout layout = example();
    struct index_layout found;
    for (uint32_t i = INDEX_SECTION_COUNT_FIRST; i < INDEX_SECTION_COUNT; i++)
        layout.sections[i].count = 0;
    index_layout_place(&layout);
    index_layout_write(block, &layout);
    block[8] = INDEX_VERSION_FIRST;
    for (uint32_t i = 40 + INDEX_SECTION_COUNT_FIRST * 8; i < INDEX_BLOCK_SIZE; i++)
        block[i] = 0; /* an older program wrote nothing there */
    expect(index_layout_read(block, &found));
    expect_equal_u64(found.version, INDEX_VERSION_FIRST);
    expect_equal_u64(index_layout_blocks(&found), index_layout_blocks(&layout));
    expect_equal_u64(found.sections[INDEX_MARKS].count, 0);
}

TEST(layout_that_contradicts_itself_is_refused)
{
    static const uint32_t places[] = {0 /* magic */, 8 /* version */, 48 /* a first block */,
                                      44 /* a count */};
    for (uint32_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        uint8_t block[INDEX_BLOCK_SIZE] = {0};
        struct index_layout layout = example();
        index_layout_write(block, &layout);
        block[places[i]] ^= 0x40;
        expect(!index_layout_read(block, &layout));
    }
}

TEST(block_is_good_only_in_its_place_and_life)
{
    uint8_t block[INDEX_BLOCK_SIZE] = {1, 2, 3};
    struct index_layout layout = example();
    index_block_seal(block, &layout, 3);
    expect(index_block_is_good(block, &layout, 3));
    expect(!index_block_is_good(block, &layout, 4));
    struct index_layout other = layout;
    other.epoch++;
    expect(!index_block_is_good(block, &other, 3));
    other = layout;
    other.number++;
    expect(!index_block_is_good(block, &other, 3));
}

TEST_MAIN(sections_follow_each_other_and_entries_do_not_cross_blocks,
          layout_is_read_as_it_was_written,
          layout_of_the_first_version_has_the_first_sections_alone,
          layout_that_contradicts_itself_is_refused,
          block_is_good_only_in_its_place_and_life)
