/* The header page: two copies, features, versions. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/segment_header.h"

#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "support/test.h"

enum { COPY = 256, SECOND = 2048 };

static const struct segment_header example = {
    .features_compatible = 4,
    .number = 7,
    .epoch = 0x1122334455667788,
    .first_lsn = 1000,
    .incarnation = 3,
    .previous_number = 6,
    .previous_epoch = 99,
    .previous_last_lsn = 999,
    .previous_end = 65000,
    .wall_ns = 1700000000,
    .size = 65536,
    .journal_id = {1, 2, 3},
};

static void expect_same(const struct segment_header *header)
{
    uint8_t page[SEGMENT_PAGE];
    uint8_t expected[SEGMENT_PAGE];
    segment_header_write(page, header);
    segment_header_write(expected, &example);
    expect_equal_span(span_of(page, sizeof page), span_of(expected, sizeof expected));
    expect_equal_u64(header->previous_end, example.previous_end);
}

/* As a newer program would: with a CRC that is right. */
static void patch(uint8_t *copy, size_t at, uint64_t value, size_t size)
{
    if (size == 4)
        bytes_put_le32(copy + at, (uint32_t)value);
    else
        bytes_put_le64(copy + at, value);
    bytes_put_le32(copy + 12, 0);
    bytes_put_le32(copy + 12, hash_crc32c(span_of(copy, COPY), 0));
}

TEST(a_header_is_read_back_and_unknown_compatible_features_are_ignored)
{
    uint8_t page[SEGMENT_PAGE];
    struct segment_header header;
    enum segment_header_state state;
    segment_header_write(page, &example);
    expect_fine(segment_header_read(page, &header, &state, NULL));
    expect(state == SEGMENT_HEADER_WHOLE);
    expect_same(&header);
}

TEST(any_bad_byte_of_the_page_is_damage_and_one_good_copy_is_enough)
{
    uint8_t page[SEGMENT_PAGE];
    struct segment_header header;
    enum segment_header_state state;
    segment_header_write(page, &example);
    for (size_t i = 0; i < SEGMENT_PAGE; i++) {
        page[i] ^= 0x40;
        expect_fine(segment_header_read(page, &header, &state, NULL));
        expect(state == SEGMENT_HEADER_DAMAGED);
        expect_same(&header);
        page[i] ^= 0x40;
    }
    page[40] ^= 1;
    page[SECOND + 40] ^= 1;
    expect_fine(segment_header_read(page, &header, &state, NULL));
    expect(state == SEGMENT_HEADER_LOST);
    memset(page, 0, sizeof page);
    expect_fine(segment_header_read(page, &header, &state, NULL));
    expect(state == SEGMENT_HEADER_ABSENT);
}

TEST(a_newer_version_and_an_unknown_incompatible_feature_are_refused_by_name)
{
    uint8_t page[SEGMENT_PAGE];
    struct segment_header header;
    enum segment_header_state state;
    struct why why;
    segment_header_write(page, &example);
    patch(page, 8, 2, 4);
    expect_err(segment_header_read(page, &header, &state, &why), ERR_NEWER_FORMAT);
    expect_not_null(strstr(why.text, "format version 2"));
    segment_header_write(page, &example);
    patch(page, 24, 0x20, 8);
    expect_err(segment_header_read(page, &header, &state, &why), ERR_NEWER_FORMAT);
    expect_not_null(strstr(why.text, "feature bits 0x20"));
}

TEST_MAIN(a_header_is_read_back_and_unknown_compatible_features_are_ignored,
          any_bad_byte_of_the_page_is_damage_and_one_good_copy_is_enough,
          a_newer_version_and_an_unknown_incompatible_feature_are_refused_by_name)
