/* Tests of the entries of an index file: the bytes of docs/formats/journal.md 6. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/index_entry.h"

#include "support/test.h"

/* Each field holds its own place, so that no two can change places unseen. */
static void expect_places(const uint8_t *entry, const uint8_t *places, size_t len)
{
    for (size_t i = 0; i < len; i++)
        expect_equal_u64(entry[i], places[i]);
}

TEST(partition_has_its_fields_where_the_page_says)
{
    struct index_partition partition = {
        .topic = 1, .partition = 4, .summary = {8, 16, 24, 32, 40}, .extent_first = 48, .extent_count = 52};
    uint8_t entry[56];
    index_partition_write(entry, &partition);
    static const uint8_t places[56] = {
        [0] = 1, [4] = 4, [8] = 8, [16] = 16, [24] = 24, [32] = 32, [40] = 40, [48] = 48, [52] = 52};
    expect_places(entry, places, sizeof places);
    struct index_partition found;
    index_partition_read(entry, &found);
    expect_equal_span(span_of(&found, sizeof found), span_of(&partition, sizeof partition));
}

TEST(extent_has_its_fields_where_the_page_says)
{
    struct index_extent extent = {.base_offset = 1, .position = 8, .len = 12, .wall_ns = -2};
    uint8_t entry[24];
    index_extent_write(entry, &extent);
    static const uint8_t places[24] = {
        [0] = 1,     [8] = 8,     [12] = 12,   [16] = 0xfe, [17] = 0xff, [18] = 0xff,
        [19] = 0xff, [20] = 0xff, [21] = 0xff, [22] = 0xff, [23] = 0xff};
    expect_places(entry, places, sizeof places);
    struct index_extent found;
    index_extent_read(entry, &found);
    expect_equal_span(span_of(&found, sizeof found), span_of(&extent, sizeof extent));
}

TEST(sequence_has_its_fields_where_the_page_says)
{
    struct index_sequence sequence = {
        .sequence = 1, .run_first = 4, .run_count = 8, .merged_count = 12, .lowest = 16, .highest = 24};
    uint8_t entry[32];
    index_sequence_write(entry, &sequence);
    static const uint8_t places[32] = {[0] = 1, [4] = 4, [8] = 8, [12] = 12, [16] = 16, [24] = 24};
    expect_places(entry, places, sizeof places);
    struct index_sequence found;
    index_sequence_read(entry, &found);
    expect_equal_span(span_of(&found, sizeof found), span_of(&sequence, sizeof sequence));
}

TEST(run_has_its_fields_where_the_page_says_and_illegal_ones_are_refused)
{
    struct run run = {.from = 1, .count = 8, .position = 12};
    uint8_t entry[16];
    index_run_write(entry, &run);
    static const uint8_t places[16] = {[0] = 1, [8] = 8, [12] = 12};
    expect_places(entry, places, sizeof places);
    struct run found;
    expect(index_run_read(entry, &found));
    expect_equal_span(span_of(&found, sizeof found), span_of(&run, sizeof run));
    static const struct run illegal[] = {{1, 0, 0}, {1, RUN_COUNT_MAX + 1, 0}, {RUN_NUMBER_MAX, 2, 0}};
    for (size_t i = 0; i < sizeof illegal / sizeof illegal[0]; i++) {
        index_run_write(entry, &illegal[i]);
        expect(!index_run_read(entry, &found));
    }
}

TEST(identity_has_its_fields_where_the_page_says)
{
    struct index_identity identity = {.wall_ns = 1, .hash = {8, 9, 10, 11, 12, 13, 14, 15, 16}};
    uint8_t entry[24];
    index_identity_write(entry, &identity);
    static const uint8_t places[24] = {1, 0, 0, 0, 0, 0, 0, 0, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    expect_places(entry, places, sizeof places);
    struct index_identity found;
    index_identity_read(entry, &found);
    expect_equal_span(span_of(&found, sizeof found), span_of(&identity, sizeof identity));
}

TEST_MAIN(partition_has_its_fields_where_the_page_says,
          extent_has_its_fields_where_the_page_says,
          sequence_has_its_fields_where_the_page_says,
          run_has_its_fields_where_the_page_says_and_illegal_ones_are_refused,
          identity_has_its_fields_where_the_page_says)
