/* Tests of the canonical line. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line_canonical.h"

#include "support/test.h"

static void expect_line(const struct record *record, enum line_encoding encoding, const char *line)
{
    struct buffer buffer;
    buffer_init(&buffer, 4096);
    expect_fine(line_canonical_append(&buffer, record, 3, encoding));
    expect_span_is(buffer_span(&buffer), line);
    buffer_done(&buffer);
}

static struct record record_of(struct record_header headers[2], const char *key, const char *value)
{
    headers[0] = (struct record_header){span_from_text("timestamp"), span_from_text("yesterday"), false};
    headers[1] = (struct record_header){span_from_text("seq"), span_from_text("17"), false};
    return (struct record){
        .offset = 42,
        .timestamp_ms = 1795334400123,
        .key = span_from_text(key),
        .value = span_from_text(value),
        .headers = headers,
        .header_count = 2,
    };
}

TEST(an_ordinary_record_goes_out_byte_for_byte)
{
    struct record_header headers[2];
    struct record record = record_of(headers, "k\\n", "a|b\\n\xff");
    expect_line(&record, LINE_ENCODING_TEXT, "17|k\\n|yesterday|a|b\\n\xff\n");
}

TEST(what_would_break_the_line_is_escaped_with_backslash)
{
    struct record_header headers[2];
    struct record record = record_of(headers, "k", "a\nb\\c\rd|");
    expect_line(&record, LINE_ENCODING_TEXT, "17|k|yesterday|a\\nb\\\\c\\rd\\p\n");
    record = record_of(headers, "k|l", "a\\b");
    expect_line(&record, LINE_ENCODING_TEXT, "17|k\\pl|yesterday|a\\\\b\n");
}

TEST(base64_holds_any_key_and_body)
{
    struct record_header headers[2];
    struct record record = record_of(headers, "k|\n", "f");
    expect_line(&record, LINE_ENCODING_BASE64, "17|a3wK|yesterday|Zg==\n");
    record = record_of(headers, "", "ab");
    expect_line(&record, LINE_ENCODING_BASE64, "17||yesterday|YWI=\n");
}

TEST(without_seq_and_timestamp_place_and_arrival_are_shown)
{
    struct record_header headers[2];
    struct record record = record_of(headers, "k", "b");
    record.header_count = 0;
    expect_line(&record, LINE_ENCODING_TEXT, "3:42|k|1795334400123|b\n");
    record.timestamp_ms = -5;
    expect_line(&record, LINE_ENCODING_TEXT, "3:42|k|-5|b\n");
}

TEST(headers_that_are_no_number_and_no_time_are_not_shown)
{
    struct record_header headers[2];
    struct record record = record_of(headers, "k", "b");
    headers[0].value = span_from_text("12|13");
    headers[1].value = span_from_text("17\n18");
    expect_line(&record, LINE_ENCODING_TEXT, "3:42|k|1795334400123|b\n");
    headers[1].value = span_from_text("0017");
    expect_line(&record, LINE_ENCODING_TEXT, "17|k|1795334400123|b\n");
}

TEST(a_buffer_without_room_keeps_what_it_had)
{
    struct record_header headers[2];
    struct record record = record_of(headers, "k", "b");
    struct buffer buffer;
    buffer_init(&buffer, 16);
    expect_err(line_canonical_append(&buffer, &record, 0, LINE_ENCODING_TEXT), ERR_TOO_LARGE);
    expect_equal_u64(buffer.len, 0);
    buffer_done(&buffer);
}

TEST_MAIN(an_ordinary_record_goes_out_byte_for_byte,
          what_would_break_the_line_is_escaped_with_backslash,
          base64_holds_any_key_and_body,
          without_seq_and_timestamp_place_and_arrival_are_shown,
          headers_that_are_no_number_and_no_time_are_not_shown,
          a_buffer_without_room_keeps_what_it_had)
