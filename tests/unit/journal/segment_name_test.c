/* Tests of the names of files: numbers there and back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/segment_name.h"

#include "support/test.h"

TEST(name_has_sixteen_digits_and_its_kind)
{
    char name[SEGMENT_NAME_SIZE];
    segment_name(name, 42, ".index");
    expect_equal_text(name, "0000000000000042.index");
    segment_name(name, UINT64_MAX, ".index.tmp");
    expect_equal_text(name, "18446744073709551615.index.tmp");
}

TEST(number_is_read_back_from_names_of_that_kind_alone)
{
    char name[SEGMENT_NAME_SIZE];
    segment_name(name, 9999999999999999, ".segment");
    expect_equal_u64(segment_number_of(name, ".segment"), 9999999999999999);
    expect_equal_u64(segment_number_of(name, ".index"), 0);
    expect_equal_u64(segment_number_of("0000000000000042.index.tmp", ".index"), 0);
    expect_equal_u64(segment_number_of("42.index", ".index"), 0);
    expect_equal_u64(segment_number_of("00000000000000x2.index", ".index"), 0);
    expect_equal_u64(segment_number_of("0000000000000042", ""), 0);
}

TEST_MAIN(name_has_sixteen_digits_and_its_kind, number_is_read_back_from_names_of_that_kind_alone)
