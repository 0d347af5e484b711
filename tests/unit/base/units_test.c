/* Tests of durations and sizes: what is taken, what is refused, and that printing gives it back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"

#include "base/random.h"
#include "support/test.h"

TEST(durations_need_a_unit)
{
    int64_t ns = 0;
    expect(units_parse_duration(span_from_text("20ms"), &ns));
    expect_equal_i64(ns, 20000000);
    expect(units_parse_duration(span_from_text("7d"), &ns));
    expect_equal_i64(ns, INT64_C(604800000000000));
    expect(units_parse_duration(span_from_text("0"), &ns));
    expect_equal_i64(ns, 0);
    static const char *const wrong[] = {"",   "10",  "s",    "-1s",     "1.5s", "1 s",
                                        "1S", "1s ", "1sec", "106752d", "5KiB"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (units_parse_duration(span_from_text(wrong[i]), &ns))
            test_fail("taken: \"%s\"", wrong[i]);
}

TEST(sizes_need_a_unit)
{
    uint64_t bytes = 0;
    expect(units_parse_size(span_from_text("100KiB"), &bytes));
    expect_equal_u64(bytes, 102400);
    expect(units_parse_size(span_from_text("1B"), &bytes));
    expect_equal_u64(bytes, 1);
    static const char *const wrong[] = {"100", "100k", "100KB", "100kib", "1KiBs", "16777216TiB", "5s"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (units_parse_size(span_from_text(wrong[i]), &bytes))
            test_fail("taken: \"%s\"", wrong[i]);
}

TEST(printed_values_are_read_back_exactly)
{
    struct random random;
    random_seed(&random, 3);
    for (int i = 0; i < 10000; i++) {
        uint64_t value = random_u64(&random) >> random_below(&random, 64) >> 1;
        char text[UNITS_TEXT_SIZE];
        int64_t ns = -1;
        uint64_t bytes = 0;
        expect(units_parse_duration(span_from_text(units_put_duration(text, (int64_t)value)), &ns));
        expect_equal_i64(ns, (int64_t)value);
        expect(units_parse_size(span_from_text(units_put_size(text, value)), &bytes));
        expect_equal_u64(bytes, value);
    }
}

TEST(printed_values_take_the_largest_whole_unit)
{
    char text[UNITS_TEXT_SIZE];
    expect_equal_text(units_put_duration(text, INT64_C(7200000000000)), "2h");
    expect_equal_text(units_put_duration(text, 1500000), "1500us");
    expect_equal_text(units_put_size(text, UINT64_C(64) << 20), "64MiB");
    expect_equal_text(units_about_duration(text, 1236000), "1.24ms");
    expect_equal_text(units_about_duration(text, 512), "512ns");
    expect_equal_text(units_about_size(text, 18140365), "17.3MiB");
    expect_equal_text(units_about_size(text, UINT64_C(300) << 40), "300TiB");
}

TEST_MAIN(durations_need_a_unit,
          sizes_need_a_unit,
          printed_values_are_read_back_exactly,
          printed_values_take_the_largest_whole_unit)
