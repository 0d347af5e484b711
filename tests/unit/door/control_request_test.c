/* Tests what the control socket takes for a request. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/control_request.h"

#include "base/buffer.h"
#include "support/test.h"

static enum err parse(const char *line, struct control_request *request, struct why *why)
{
    return control_request_parse(span_from_text(line), NULL, request, why);
}

TEST(tail_takes_all_its_members)
{
    struct control_request request;
    expect_fine(
        parse("{\"op\":\"tail\",\"topic\":\"or\\u0064ers\",\"from\":\"3:99\",\"follow\":true,\"limit\":7,"
              "\"encoding\":\"base64\"}",
              &request, NULL));
    expect(request.op == CONTROL_OP_TAIL);
    expect_span_is(span_of(request.topic, request.topic_len), "orders");
    expect(request.from == CONTROL_FROM_OFFSET && request.from_has_partition);
    expect_equal_u64(request.from_partition, 3);
    expect_equal_u64(request.from_offset, 99);
    expect(request.follow && request.is_base64);
    expect_equal_u64(request.limit, 7);
}

TEST(members_left_out_have_their_defaults)
{
    struct control_request request;
    expect_fine(parse("{\"op\":\"tail\",\"topic\":\"t\"}", &request, NULL));
    expect(request.from == CONTROL_FROM_END && !request.follow && !request.is_base64);
    expect_equal_u64(request.limit, 0);
    expect_fine(parse("{\"op\":\"send\",\"topic\":\"t\",\"key\":\"\"}", &request, NULL));
    expect(request.has_key && request.key_len == 0);
    expect_fine(parse("{\"op\":\"send\",\"topic\":\"t\"}", &request, NULL));
    expect(!request.has_key);
}

TEST(requests_that_are_none_are_refused_with_a_reason)
{
    static const struct {
        const char *line;
        const char *reason;
    } cases[] = {
        {"", "not a JSON object (byte 0)"},
        {"[]", "not a JSON object (byte 1)"},
        {"{\"op\":\"status\"", "not a JSON object (byte 14)"},
        {"{\"op\":\"status\"} {}", "not a JSON object (byte 16)"},
        {"{}", "op is missing"},
        {"{\"op\":\"tale\"}", "op is tale, but should be: topics status metrics tail send"},
        {"{\"op\":7}", "op is 7, but should be: topics status metrics tail send"},
        {"{\"op\":\"tail\"}", "topic is missing"},
        {"{\"op\":\"status\",\"topic\":\"t\"}", "topic does not belong to status"},
        {"{\"op\":\"status\",\"follows\":true}", "\"follows\" is not known"},
        {"{\"op\":\"tail\",\"topic\":\"t\",\"limit\":0}",
         "limit is 0, but should be: a whole number above 0"},
        {"{\"op\":\"tail\",\"topic\":\"t\",\"limit\":-1}",
         "limit is -1, but should be: a whole number above 0"},
        {"{\"op\":\"tail\",\"topic\":\"t\",\"follow\":\"yes\"}",
         "follow is yes, but should be: true or false"},
        {"{\"op\":\"tail\",\"topic\":\"t\",\"from\":\"1:\"}",
         "from is 1:, but should be: start, end, <offset> or <partition>:<offset>"},
        {"{\"op\":\"tail\",\"topic\":\"t\",\"from\":\"1024:0\"}",
         "from is 1024:0, but should be: start, end, <offset> or <partition>:<offset>"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct control_request request;
        struct why why = {""};
        expect_err(parse(cases[i].line, &request, &why), ERR_BAD_INPUT);
        expect_equal_text(why.text, cases[i].reason);
    }
}

TEST(topic_and_key_have_their_limits_after_escapes_are_resolved)
{
    struct control_request request;
    struct buffer line;
    buffer_init(&line, CONTROL_REQUEST_MAX);
    expect_fine(buffer_append_text(&line, "{\"op\":\"send\",\"topic\":\"t\",\"key\":\""));
    for (size_t i = 0; i < CONTROL_KEY_MAX; i++)
        expect_fine(buffer_append_text(&line, "\\u0041"));
    size_t key_end = line.len;
    expect_fine(buffer_append_text(&line, "\"}"));
    expect_fine(control_request_parse(buffer_span(&line), NULL, &request, NULL));
    expect_equal_u64(request.key_len, CONTROL_KEY_MAX);
    line.len = key_end;
    expect_fine(buffer_append_text(&line, "A\"}"));
    expect_err(control_request_parse(buffer_span(&line), NULL, &request, NULL), ERR_BAD_INPUT);
    buffer_done(&line);
}

TEST_MAIN(tail_takes_all_its_members,
          members_left_out_have_their_defaults,
          requests_that_are_none_are_refused_with_a_reason,
          topic_and_key_have_their_limits_after_escapes_are_resolved)
