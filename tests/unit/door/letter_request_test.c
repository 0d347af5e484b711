/* Tests what the control socket takes for a request about dead letters. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/letter_request.h"

#include "support/test.h"

static struct letter_request request;

static enum err parse(const char *line, struct why *why)
{
    return letter_request_parse(span_from_text(line), &request, why);
}

TEST(replay_takes_all_its_members)
{
    expect_fine(
        parse("{\"topic\":\"a.dlq\",\"from\":\"0:1,1:2\",\"to\":\"9\",\"reason\":\"re:^\\\"\",\"key\":\"k*\","
              "\"rate\":1000,\"dry_run\":true,\"last_retry\":true,\"delivery\":\"other\",\"op\":\"replay\"}",
              NULL));
    expect(request.op == LETTER_OP_REPLAY);
    expect_span_is(request.topic, "a.dlq");
    expect_span_is(request.from, "0:1,1:2");
    expect_span_is(request.to, "9");
    expect_span_is(request.reason, "re:^\"");
    expect_span_is(request.key, "k*");
    expect_span_is(request.delivery, "other");
    expect(request.rate == 1000 && request.is_dry && request.is_last_retry && !request.is_reroute);
}

TEST(members_left_out_are_empty)
{
    expect_fine(parse("{\"op\":\"deadletters\"}", NULL));
    expect(request.op == LETTER_OP_LIST && request.topic.len == 0 && request.limit == 0 && !request.is_whole);
    expect_fine(parse("{\"op\":\"replays\",\"id\":\"00000017\"}", NULL));
    expect_equal_u64(request.id, 17);
    expect_fine(parse("{\"op\":\"audit\",\"correlation_id\":\"c\",\"event\":\"dead\"}", NULL));
    expect_span_is(request.correlation_id, "c");
}

TEST(requests_of_others_are_not_found_and_wrong_ones_refused)
{
    static const struct {
        const char *line;
        enum err err;
        const char *reason;
    } cases[] = {
        {"", ERR_NOT_FOUND, ""},
        {"{\"op\":\"tail\"}", ERR_NOT_FOUND, ""},
        {"{\"op\":\"replay\"}", ERR_BAD_INPUT, "topic is missing"},
        {"{\"op\":\"drop\",\"topic\":\"t\",\"rate\":1}", ERR_BAD_INPUT, "rate does not belong to drop"},
        {"{\"op\":\"replay\",\"topic\":\"t\",\"rate\":0}", ERR_BAD_INPUT,
         "rate is 0, but should be: records a second, above 0"},
        {"{\"op\":\"replay\",\"topic\":\"t\",\"reroute\":true,\"rate\":5}", ERR_BAD_INPUT,
         "rate, last_retry and delivery do not go with reroute"},
        {"{\"op\":\"replay_stop\",\"id\":\"0\"}", ERR_BAD_INPUT,
         "id is 0, but should be: the number of a replay"},
        {"{\"op\":\"replay_stop\"}", ERR_BAD_INPUT, "id is missing"},
        {"{\"op\":\"audit\",\"form\":1}", ERR_BAD_INPUT, "\"form\" is not known"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct why why = {""};
        expect_err(parse(cases[i].line, &why), cases[i].err);
        expect_equal_text(why.text, cases[i].reason);
    }
}

TEST_MAIN(replay_takes_all_its_members,
          members_left_out_are_empty,
          requests_of_others_are_not_found_and_wrong_ones_refused)
