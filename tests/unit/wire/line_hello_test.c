/* Tests of the greeting, and of strangers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line_hello.h"

#include "support/test.h"
#include "wire/line_stranger.h"

static enum line_error parse(const char *line, struct line_hello *hello)
{
    return line_hello_parse(span_from_text(line), hello);
}

TEST(a_greeting_may_name_its_producer)
{
    struct line_hello hello;
    expect(parse("HELLO 1", &hello) == LINE_ERROR_NONE);
    expect_equal_u64(hello.producer.len, 0);
    expect(parse("HELLO 1 later=words producer=till-7", &hello) == LINE_ERROR_NONE);
    expect_span_is(hello.producer, "till-7");
}

TEST(bad_greetings_are_told_apart_from_other_versions)
{
    struct line_hello hello;
    char long_id[300] = "HELLO 1 producer=";
    memset(long_id + strlen(long_id), 'x', LINE_PRODUCER_MAX + 1);
    expect(parse("HELLO", &hello) == LINE_ERROR_BAD_HELLO);
    expect(parse("HELLO one", &hello) == LINE_ERROR_BAD_HELLO);
    expect(parse("\t HELLO 1", &hello) == LINE_ERROR_BAD_HELLO);
    expect(parse("HELLO 2", &hello) == LINE_ERROR_BAD_VERSION);
    expect(parse("HELLO 1 producer=", &hello) == LINE_ERROR_BAD_HELLO);
    expect(parse("HELLO 1 producer=a|b", &hello) == LINE_ERROR_BAD_HELLO);
    expect(parse(long_id, &hello) == LINE_ERROR_BAD_HELLO);
}

TEST(data_that_resembles_a_greeting_is_data)
{
    expect(line_is_hello(span_from_text("HELLO")));
    expect(!line_is_hello(span_from_text("HELLO|1|2|body")));
    expect(!line_is_hello(span_from_text(" HELLO 1")));
    expect(!line_is_hello(span_from_text("hello 1")));
    expect(!line_is_hello(span_from_text("")));
}

TEST(tls_and_http_are_recognised_and_messages_are_not)
{
    static const uint8_t tls[] = {0x16, 0x03, 0x01, 0x02, 0x00};
    expect_equal_text(line_stranger(span_of(tls, sizeof tls)), "TLS");
    expect_equal_text(line_stranger(span_from_text("POST /topics/a HTTP/1.1\r\nHost: x\r\n")), "HTTP");
    expect_equal_text(line_stranger(span_from_text("PRI * HTTP/2.0\r\n")), "HTTP");
    expect_null(line_stranger(span_from_text("GET|1|2|HTTP/1.1")));
    expect_null(line_stranger(span_from_text("GET it done\n")));
    expect_null(line_stranger(span_from_text("\x16")));
    expect_null(line_stranger(span_from_text("")));
}

TEST_MAIN(a_greeting_may_name_its_producer,
          bad_greetings_are_told_apart_from_other_versions,
          data_that_resembles_a_greeting_is_data,
          tls_and_http_are_recognised_and_messages_are_not)
