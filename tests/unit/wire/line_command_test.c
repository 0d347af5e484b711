/* Tests of the acks port's requests. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line_command.h"

#include "support/test.h"

static void expect_command(const char *line, enum line_command_kind kind, uint64_t from, uint64_t to)
{
    struct line_command command;
    expect(line_command_parse(span_from_text(line), &command) == LINE_ERROR_NONE);
    expect(command.kind == kind);
    expect_equal_u64(command.from, from);
    expect_equal_u64(command.to, to);
}

static void expect_refused(const char *line, enum line_error error)
{
    struct line_command command;
    expect(line_command_parse(span_from_text(line), &command) == error);
}

TEST(the_three_forms_are_read)
{
    expect_command("GET_ACK", LINE_COMMAND_HIGHEST, 0, 0);
    expect_command("GET_ACK 17", LINE_COMMAND_ONE, 17, 17);
    expect_command("GET_ACK 1-1000000", LINE_COMMAND_RANGE, 1, 1000000);
    expect_command("GET_ACK 9223372036854775807", LINE_COMMAND_ONE, INT64_MAX, INT64_MAX);
}

TEST(blanks_around_and_words_behind_are_passed_over)
{
    expect_command(" \tGET_ACK \t 007 some words ", LINE_COMMAND_ONE, 7, 7);
}

TEST(what_is_no_request_is_refused)
{
    static const char *const lines[] = {"",           "get_ack 1",     "GET_ACKS 1",
                                        "GET_ACK x",  "GET_ACK 0",     "GET_ACK -1",
                                        "GET_ACK 1-", "GET_ACK 1-2-3", "GET_ACK 9223372036854775808",
                                        "GET_ACK 1,2"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        expect_refused(lines[i], LINE_ERROR_BAD_REQUEST);
}

TEST(a_range_ascends_and_has_a_limit)
{
    expect_refused("GET_ACK 2-1", LINE_ERROR_BAD_RANGE);
    expect_refused("GET_ACK 1-1000001", LINE_ERROR_BAD_RANGE);
    expect_command("GET_ACK 5-5", LINE_COMMAND_RANGE, 5, 5);
}

TEST_MAIN(the_three_forms_are_read,
          blanks_around_and_words_behind_are_passed_over,
          what_is_no_request_is_refused,
          a_range_ascends_and_has_a_limit)
