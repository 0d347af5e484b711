/* Tests of the JSON writer: commas, escapes, the sticky error. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_writer.h"

#include "support/test.h"

TEST(commas_and_quotes_come_by_themselves)
{
    struct buffer buffer;
    struct json_writer writer;
    buffer_init(&buffer, 4096);
    json_writer_init(&writer, &buffer);
    json_write_object_begin(&writer);
    json_write_name(&writer, "a");
    json_write_u64(&writer, UINT64_MAX);
    json_write_name(&writer, "b");
    json_write_array_begin(&writer);
    json_write_array_begin(&writer);
    json_write_array_end(&writer);
    json_write_i64(&writer, INT64_MIN);
    json_write_bool(&writer, true);
    json_write_null(&writer);
    json_write_raw(&writer, span_from_text("{ }"));
    json_write_array_end(&writer);
    json_write_name(&writer, "c");
    json_write_text(&writer, span_of("", 0));
    json_write_object_end(&writer);
    expect_fine(writer.err);
    expect_span_is(buffer_span(&buffer),
                   "{\"a\":18446744073709551615,\"b\":[[],-9223372036854775808,true,null,"
                   "{ }],\"c\":\"\"}");
    buffer_done(&buffer);
}

TEST(text_is_escaped_and_always_utf8)
{
    struct buffer buffer;
    struct json_writer writer;
    buffer_init(&buffer, 4096);
    json_writer_init(&writer, &buffer);
    json_write_text(&writer, span_of("a\"\\\b\f\n\r\t\0\x1f\x7f\xc3\xa9\xff.", 15));
    expect_span_is(buffer_span(&buffer),
                   "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f\xc3\xa9\xef\xbf\xbd.\"");
    buffer_done(&buffer);
}

TEST(first_error_stays)
{
    struct buffer buffer;
    struct json_writer writer;
    buffer_init(&buffer, 8);
    json_writer_init(&writer, &buffer);
    json_write_array_begin(&writer);
    json_write_text(&writer, span_from_text("too long for it"));
    json_write_array_end(&writer);
    expect_err(writer.err, ERR_TOO_LARGE);
    buffer_done(&buffer);
}

TEST_MAIN(commas_and_quotes_come_by_themselves, text_is_escaped_and_always_utf8, first_error_stays)
