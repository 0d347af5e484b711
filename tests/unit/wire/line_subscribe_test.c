/* Tests of the subscribe port's commands. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line_subscribe.h"

#include <stdio.h>
#include <string.h>

#include "support/test.h"

static struct line_subscribe parse(const char *line)
{
    struct line_subscribe command;
    enum line_error error = line_subscribe_parse(span_from_text(line), &command);
    if (error != LINE_ERROR_NONE)
        test_fail("%s: %s", line, line_error_code(error));
    return command;
}

static struct line_subscription parse_subscription(const char *line)
{
    struct line_subscribe command = parse(line);
    expect(command.kind == LINE_SUBSCRIBE_SUBSCRIBE);
    return command.subscription;
}

static void expect_refused(const char *line, enum line_error expected)
{
    struct line_subscribe command;
    enum line_error error = line_subscribe_parse(span_from_text(line), &command);
    if (error != expected)
        test_fail("%s: %s", line, error == LINE_ERROR_NONE ? "taken" : line_error_code(error));
}

TEST(topic_alone_has_every_default)
{
    struct line_subscription subscription = parse_subscription(" SUBSCRIBE\t orders ");
    expect_span_is(subscription.topic, "orders");
    expect_equal_u64(subscription.group.len, 0);
    expect(subscription.from == LINE_FROM_DEFAULT);
    expect_equal_u64(subscription.window, 10000);
    expect(subscription.encoding == LINE_ENCODING_TEXT);
}

TEST(options_come_in_any_order)
{
    const char *options[] = {"FROM 2:17", "GROUP billing", "WINDOW 1000000", "ENCODING base64"};
    for (unsigned turn = 0; turn < 4; turn++) {
        char line[200];
        (void)snprintf(line, sizeof line, "SUBSCRIBE t %s %s %s %s", options[turn % 4],
                       options[(turn + 3) % 4], options[(turn + 1) % 4], options[(turn + 2) % 4]);
        struct line_subscription subscription = parse_subscription(line);
        expect(subscription.from == LINE_FROM_PLACE);
        expect_equal_u64(subscription.partition, 2);
        expect_equal_u64(subscription.offset, 17);
        expect_span_is(subscription.group, "billing");
        expect_equal_u64(subscription.window, 1000000);
        expect(subscription.encoding == LINE_ENCODING_BASE64);
    }
}

TEST(every_place_to_begin_is_read)
{
    expect(parse_subscription("SUBSCRIBE t FROM_START").from == LINE_FROM_START);
    expect(parse_subscription("SUBSCRIBE t FROM_END").from == LINE_FROM_END);
    struct line_subscription subscription = parse_subscription("SUBSCRIBE t FROM 0 ENCODING text");
    expect(subscription.from == LINE_FROM_OFFSET);
    expect_equal_u64(subscription.offset, 0);
    expect_equal_u64(parse_subscription("SUBSCRIBE t FROM 18446744073709551615").offset, UINT64_MAX);
}

TEST(what_a_subscription_cannot_be_is_refused)
{
    static const char *const lines[] = {"SUBSCRIBE",
                                        "subscribe t",
                                        "SUBSCRIBE t FROM",
                                        "SUBSCRIBE t FROM -1",
                                        "SUBSCRIBE t FROM 1:",
                                        "SUBSCRIBE t FROM :1",
                                        "SUBSCRIBE t FROM 1024:0",
                                        "SUBSCRIBE t FROM 18446744073709551616",
                                        "SUBSCRIBE t FROM_START FROM_END",
                                        "SUBSCRIBE t FROM 1 FROM_END",
                                        "SUBSCRIBE t GROUP a GROUP a",
                                        "SUBSCRIBE t ENCODING hex",
                                        "SUBSCRIBE t ENCODING",
                                        "SUBSCRIBE t from_start",
                                        "SUBSCRIBE t u",
                                        "",
                                        "HELLO 1"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        expect_refused(lines[i], LINE_ERROR_BAD_REQUEST);
    expect_refused("SUBSCRIBE t WINDOW 0", LINE_ERROR_BAD_WINDOW);
    expect_refused("SUBSCRIBE t WINDOW 1000001", LINE_ERROR_BAD_WINDOW);
    expect_refused("SUBSCRIBE t WINDOW", LINE_ERROR_BAD_WINDOW);
    expect_refused("SUBSCRIBE t GROUP", LINE_ERROR_BAD_GROUP);
    expect_refused("SUBSCRIBE t GROUP ..", LINE_ERROR_BAD_GROUP);
    expect_refused("SUBSCRIBE t GROUP a/b", LINE_ERROR_BAD_GROUP);
}

TEST(done_takes_a_number_a_range_or_a_place)
{
    struct line_subscribe command = parse("DONE 0017");
    expect(command.kind == LINE_SUBSCRIBE_DONE);
    expect(!command.settlement.is_place);
    expect_equal_u64(command.settlement.from, 17);
    expect_equal_u64(command.settlement.to, 17);
    expect_span_is(command.settlement.word, "0017");
    command = parse("DONE 1-1000000 ");
    expect_equal_u64(command.settlement.from, 1);
    expect_equal_u64(command.settlement.to, 1000000);
    command = parse("DONE 1023:0");
    expect(command.settlement.is_place);
    expect_equal_u64(command.settlement.partition, 1023);
    expect_equal_u64(command.settlement.offset, 0);
}

TEST(fail_has_a_reason_that_takes_the_rest)
{
    struct line_subscribe command = parse("FAIL 17  no such | customer \t");
    expect(command.kind == LINE_SUBSCRIBE_FAIL);
    expect_equal_u64(command.settlement.from, 17);
    expect_span_is(command.settlement.reason, "no such | customer \t");
    expect(parse("FAIL 3:4 x").settlement.is_place);
}

TEST(retry_has_a_delay_with_a_unit_or_none)
{
    expect_equal_i64(parse("RETRY 17").settlement.delay_ns, 0);
    expect_equal_i64(parse("RETRY 17 500ms").settlement.delay_ns, 500000000);
    expect_equal_i64(parse("RETRY 0:17 24h").settlement.delay_ns, INT64_C(86400000000000));
    expect_refused("RETRY 17 500", LINE_ERROR_BAD_REQUEST);
    expect_refused("RETRY 17 25h", LINE_ERROR_BAD_REQUEST);
    expect_refused("RETRY 17 1s 2s", LINE_ERROR_BAD_REQUEST);
}

TEST(what_names_no_record_is_refused)
{
    static const char *const lines[] = {"DONE",        "DONE 0",     "DONE x",     "DONE 1 2",
                                        "DONE -1",     "DONE 1-",    "DONE 1-2-3", "DONE 1,2",
                                        "DONE 1:2-3",  "FAIL 1",     "FAIL 1  ",   "FAIL 1-2 because",
                                        "FAIL x y",    "RETRY",      "RETRY 1-2",  "DONE 9223372036854775808",
                                        "DONE 1024:1", "DONE 0:1:2", "done 1",     "DONES 1"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        expect_refused(lines[i], LINE_ERROR_BAD_REQUEST);
    expect_refused("DONE 2-1", LINE_ERROR_BAD_RANGE);
    expect_refused("DONE 1-1000001", LINE_ERROR_BAD_RANGE);
}

/* `word` and then so many letters. */
static const char *long_line(const char *word, size_t len)
{
    static char line[LINE_SUBSCRIBE_REASON_MAX + 100];
    size_t word_len = strlen(word);
    memset(line, 'x', sizeof line);
    memcpy(line, word, word_len);
    line[word_len + len] = '\0';
    return line;
}

TEST(commands_and_reasons_have_limits)
{
    expect_equal_u64(parse(long_line("FAIL 1 ", 4096)).settlement.reason.len, 4096);
    expect_refused(long_line("FAIL 1 ", 4097), LINE_ERROR_TOO_LONG);
    expect_refused(long_line("SUBSCRIBE ", 1024), LINE_ERROR_TOO_LONG);
    expect_refused(long_line("x", 1024), LINE_ERROR_TOO_LONG);
    expect_refused(long_line("x", 1023), LINE_ERROR_BAD_REQUEST);
}

TEST_MAIN(topic_alone_has_every_default,
          options_come_in_any_order,
          every_place_to_begin_is_read,
          what_a_subscription_cannot_be_is_refused,
          done_takes_a_number_a_range_or_a_place,
          fail_has_a_reason_that_takes_the_rest,
          retry_has_a_delay_with_a_unit_or_none,
          what_names_no_record_is_refused,
          commands_and_reasons_have_limits)
