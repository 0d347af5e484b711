/* Tests what a line of a processed log speaks of. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/processed_line.h"

#include "support/test.h"

static struct processed_line parse(const char *line)
{
    return processed_line_parse(span_from_text(line));
}

static void expect_number(const char *line, uint64_t number)
{
    struct processed_line parsed = parse(line);
    expect(parsed.kind == PROCESSED_LINE_NUMBER);
    expect_equal_u64(parsed.number, number);
}

TEST(the_first_field_is_the_number)
{
    expect_number("17|eu.1|1795334400123|body|more\n", 17);
    expect_number("17\n", 17);
    expect_number("0017\r\n", 17);
    expect_number(" 17\t|x\n", 17);
    expect_number("17|\n", 17);
    expect_number("9223372036854775807|\n", INT64_MAX);
}

TEST(nuls_in_front_are_passed_over)
{
    struct processed_line parsed = processed_line_parse(span_of("\0\0\0"
                                                                "17|x\n",
                                                                8));
    expect(parsed.kind == PROCESSED_LINE_NUMBER);
    expect_equal_u64(parsed.number, 17);
}

TEST(a_place_may_stand_for_it)
{
    struct processed_line parsed = parse("3:42|k|1|b\n");
    expect(parsed.kind == PROCESSED_LINE_PLACE);
    expect_equal_u64(parsed.place.partition, 3);
    expect_equal_u64(parsed.place.offset, 42);
    expect_equal_u64(parsed.place.topic.len, 0);
    parsed = parse("orders/3/42\n");
    expect(parsed.kind == PROCESSED_LINE_PLACE);
    expect_span_is(parsed.place.topic, "orders");
}

TEST(empty_lines_say_nothing_and_others_are_bad)
{
    expect(parse("\n").kind == PROCESSED_LINE_EMPTY);
    expect(parse(" \r\n").kind == PROCESSED_LINE_EMPTY);
    static const char *const bad[] = {
        "x\n", "|17\n", "0\n", "-1|\n", "1 2|\n", "17 x\n", "9223372036854775808\n", "1.0|x\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect(parse(bad[i]).kind == PROCESSED_LINE_BAD);
}

TEST_MAIN(the_first_field_is_the_number,
          nuls_in_front_are_passed_over,
          a_place_may_stand_for_it,
          empty_lines_say_nothing_and_others_are_bad)
