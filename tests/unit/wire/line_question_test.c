/* Tests of the status port's requests. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line_question.h"

#include "support/test.h"

static struct line_question parsed(const char *line)
{
    struct line_question question = {.from = 0};
    expect(line_question_parse(span_from_text(line), &question) == LINE_ERROR_NONE);
    return question;
}

static void expect_refused(const char *line, enum line_error error)
{
    struct line_question question;
    expect(line_question_parse(span_from_text(line), &question) == error);
}

TEST(a_number_is_asked_about_with_either_word)
{
    struct line_question status = parsed("GET_STATUS 17");
    expect(status.kind == LINE_QUESTION_STATUS && status.subject == LINE_QUESTION_NUMBER);
    expect_equal_u64(status.from, 17);
    expect_equal_u64(status.to, 17);
    struct line_question receipt = parsed("GET_RECEIPT 0018");
    expect(receipt.kind == LINE_QUESTION_RECEIPT && receipt.subject == LINE_QUESTION_NUMBER);
    expect_equal_u64(receipt.from, 18);
    expect_span_is(receipt.word, "0018");
}

TEST(a_range_is_for_the_status_alone)
{
    struct line_question status = parsed("GET_STATUS 5-7");
    expect(status.subject == LINE_QUESTION_RANGE);
    expect_equal_u64(status.from, 5);
    expect_equal_u64(status.to, 7);
    expect_refused("GET_RECEIPT 5-7", LINE_ERROR_BAD_REQUEST);
    expect_refused("GET_STATUS 7-5", LINE_ERROR_BAD_RANGE);
    expect_refused("GET_STATUS 1-1000001", LINE_ERROR_BAD_RANGE);
}

TEST(a_place_stands_wherever_a_number_does)
{
    struct line_question with_topic = parsed("GET_RECEIPT my-orders.eu/3/42");
    expect(with_topic.subject == LINE_QUESTION_PLACE);
    expect_span_is(with_topic.place.topic, "my-orders.eu");
    expect_equal_u64(with_topic.place.partition, 3);
    expect_equal_u64(with_topic.place.offset, 42);
    struct line_question without = parsed("GET_STATUS 0:0");
    expect(without.subject == LINE_QUESTION_PLACE);
    expect_equal_u64(without.place.topic.len, 0);
    expect_equal_u64(without.place.offset, 0);
}

TEST(the_word_behind_may_be_a_key_and_others_are_passed_over)
{
    expect_span_is(parsed(" \tGET_STATUS\t 17  eu.1 more ").next, "eu.1");
    expect_equal_u64(parsed("GET_STATUS 17 ").next.len, 0);
}

TEST(what_is_no_question_is_refused)
{
    static const char *const lines[] = {"",
                                        "GET_STATUS",
                                        "get_status 1",
                                        "GET_STATUSES 1",
                                        "GET_ACK 1",
                                        "GET_STATUS x",
                                        "GET_STATUS 0",
                                        "GET_STATUS 1-",
                                        "GET_STATUS 1-2-3",
                                        "GET_STATUS 9223372036854775808",
                                        "GET_RECEIPT",
                                        "GET_RECEIPT orders/0",
                                        "GET_RECEIPT /0/1",
                                        "GET_RECEIPT orders/0/1/2",
                                        "GET_RECEIPT orders/1024/0",
                                        "GET_RECEIPT orders/-1/0",
                                        "GET_RECEIPT 1:",
                                        "GET_RECEIPT :1",
                                        "GET_RECEIPT 1:2:3",
                                        "GET_RECEIPT 1:99999999999999999999"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        expect_refused(lines[i], LINE_ERROR_BAD_REQUEST);
}

TEST_MAIN(a_number_is_asked_about_with_either_word,
          a_range_is_for_the_status_alone,
          a_place_stands_wherever_a_number_does,
          the_word_behind_may_be_a_key_and_others_are_passed_over,
          what_is_no_question_is_refused)
