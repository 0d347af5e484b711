/* Tests of the JSON reader: the grammar's edges, places, escapes, numbers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_reader.h"

#include "support/test.h"

/* JSON_END when the text is one legal value, JSON_BAD and the place where it went wrong otherwise. */
static enum json_kind read_all(struct span text, size_t *ret_at)
{
    struct json_reader reader;
    json_reader_init(&reader, text);
    enum json_kind kind = json_reader_next(&reader);
    while (kind != JSON_BAD && kind != JSON_END)
        kind = json_reader_next(&reader);
    *ret_at = reader.at;
    return kind;
}

TEST(legal_texts_are_accepted)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "1.5e+10",
        "1E-2",
        "-1.0E5",
        "true",
        "false",
        "null",
        "\"\"",
        " [] ",
        "\t\r\n{}\n",
        "[[[]]]",
        "{\"a\":{\"a\":[]}}",
        "[1, 2 ,3]",
        "{\"\":0,\"\":1}",
        "\"\\u0000\\uD834\\uDD1E\\/\"",
        "\"\\\"\\\\\\b\\f\\n\\r\\t\"",
        "\"\x7f\"",
        "\"\xe2\x82\xac\xf4\x8f\xbf\xbf\"",
        "\"\\ud800\"",
        "[\"\\uDEAD\",123e65,0e1,1e1000]",
        "{\"a\" : true , \"b\" : null}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size_t at;
        if (read_all(span_from_text(texts[i]), &at) != JSON_END)
            test_fail("refused at %zu: %s", at, texts[i]);
    }
}

static const struct {
    const char *text;
    size_t at;
} illegal_texts[] = {
    {"", 0},
    {" ", 1},
    {"[", 1},
    {"[1", 2},
    {"[1,", 3},
    {"[1,]", 3},
    {"[,1]", 1},
    {"[1 2]", 3},
    {"]", 0},
    {"[}", 1},
    {"{]", 1},
    {"[1]]", 3},
    {"{\"a\"}", 4},
    {"{\"a\":}", 5},
    {"{\"a\":1,}", 7},
    {"{a:1}", 1},
    {"{\"a\" \"b\"}", 5},
    {"{'a':0}", 1},
    {"{\"a\":1 \"b\":2}", 7},
    {"{1:1}", 1},
    {"{,}", 1},
    {"1 1", 2},
    {"01", 1},
    {"-", 1},
    {"+1", 0},
    {".5", 0},
    {"1.", 2},
    {"1.e5", 2},
    {"1e", 2},
    {"1e+", 3},
    {"0x1", 1},
    {"-a", 1},
    {"1_0", 1},
    {"NaN", 0},
    {"nul", 3},
    {"null0", 4},
    {"True", 0},
    {"Infinity", 0},
    {"tru e", 3},
    {"\"", 1},
    {"\"a", 2},
    {"\"\n\"", 1},
    {"\"\t\"", 1},
    {"\"\\x41\"", 2},
    {"\"\\u12g4\"", 5},
    {"\"\\u\"", 3},
    {"\"\\\"", 3},
    {"\"\\", 2},
    {"\"\\u00", 5},
    {"\"\x80\"", 1},
    {"\"\xc0\xaf\"", 1},
    {"\"\xed\xa0\x80\"", 1},
    {"\"\xf4\x90\x80\x80\"", 1},
    {"\"\xe2\x82\"", 1},
    {"\xef\xbb\xbf{}", 0},
    {"// c\n1", 0},
    {"[1]/**/", 3},
    {"[\f1]", 1},
    {"{\"a\":1}#", 7},
};

TEST(illegal_texts_are_refused_where_they_go_wrong)
{
    for (size_t i = 0; i < sizeof illegal_texts / sizeof illegal_texts[0]; i++) {
        size_t at;
        if (read_all(span_from_text(illegal_texts[i].text), &at) != JSON_BAD || at != illegal_texts[i].at)
            test_fail("%s: accepted, or refused at %zu and not at %zu", illegal_texts[i].text, at,
                      illegal_texts[i].at);
    }
    size_t at;
    expect(read_all(span_of("\"\0\"", 3), &at) == JSON_BAD);
    expect(read_all(span_of("\"\\\0\"", 4), &at) == JSON_BAD);
    expect(read_all(span_of("1\0", 2), &at) == JSON_BAD);
}

TEST(depth_has_a_limit)
{
    char text[2 * JSON_DEPTH_MAX + 2];
    memset(text, '[', sizeof text / 2);
    memset(text + sizeof text / 2, ']', sizeof text / 2);
    size_t at;
    expect(read_all(span_of(text, sizeof text), &at) == JSON_BAD);
    expect_equal_u64(at, JSON_DEPTH_MAX);
    expect(read_all(span_of(text + 1, sizeof text - 2), &at) == JSON_END);
}

TEST(pieces_come_in_order_with_their_places)
{
    struct json_reader reader;
    json_reader_init(&reader, span_from_text(" {\"k\\n\": [1.50, \"v\"], \"z\":null} "));
    static const struct {
        enum json_kind kind;
        const char *piece;
        size_t from;
    } rows[] = {
        {JSON_OBJECT_BEGIN, "{", 1}, {JSON_NAME, "k\\n", 2},  {JSON_ARRAY_BEGIN, "[", 9},
        {JSON_NUMBER, "1.50", 10},   {JSON_STRING, "v", 16},  {JSON_ARRAY_END, "]", 19},
        {JSON_NAME, "z", 22},        {JSON_NULL, "null", 26}, {JSON_OBJECT_END, "}", 30},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(json_reader_next(&reader) == rows[i].kind);
        expect_span_is(json_reader_piece(&reader), rows[i].piece);
        expect_equal_u64(reader.from, rows[i].from);
    }
    expect(json_reader_next(&reader) == JSON_END);
    expect(json_reader_next(&reader) == JSON_END);
}

TEST(skipped_values_keep_their_bytes)
{
    struct json_reader reader;
    json_reader_init(&reader, span_from_text("{\"a\": {\"x\":[1, {}]} ,\"b\":[ ],\"c\": 1e5}"));
    expect(json_reader_next(&reader) == JSON_OBJECT_BEGIN);
    expect(json_reader_next(&reader) == JSON_NAME);
    expect(json_reader_skip(&reader));
    expect_span_is(json_reader_piece(&reader), "{\"x\":[1, {}]}");
    expect(json_reader_next(&reader) == JSON_NAME);
    expect(json_reader_next(&reader) == JSON_ARRAY_BEGIN);
    expect(json_reader_skip(&reader));
    expect_span_is(json_reader_piece(&reader), "[ ]");
    expect(json_reader_next(&reader) == JSON_NAME);
    expect(json_reader_skip(&reader));
    expect_span_is(json_reader_piece(&reader), "1e5");
    expect(json_reader_next(&reader) == JSON_OBJECT_END);
    expect(json_reader_next(&reader) == JSON_END);
}

TEST(skipping_broken_values_fails)
{
    struct json_reader reader;
    json_reader_init(&reader, span_from_text("{\"a\":[1,{]}"));
    expect(json_reader_next(&reader) == JSON_OBJECT_BEGIN);
    expect(!json_reader_skip(&reader));
    expect(json_reader_next(&reader) == JSON_BAD);
}

TEST(escapes_are_resolved)
{
    static const struct {
        const char *piece;
        const char *meant;
    } rows[] = {
        {"plain", "plain"},
        {"\\u0061\\n\\/\\\\\\\"", "a\n/\\\""},
        {"\\b\\f\\r\\t", "\b\f\r\t"},
        {"\\u20AC\\u00e9", "\xe2\x82\xac\xc3\xa9"},
        {"\\ud834\\udd1e.", "\xf0\x9d\x84\x9e."},
        {"\\ud834.", "\xef\xbf\xbd."},
        {"\\udd1e", "\xef\xbf\xbd"},
        {"\\ud834\\ud834", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\\ud834\\n", "\xef\xbf\xbd\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t meant[64];
        struct span piece = span_from_text(rows[i].piece);
        expect_span_is(span_of(meant, json_text_resolve(piece, meant)), rows[i].meant);
        expect(json_text_equal(piece, rows[i].meant));
        expect(!json_text_equal(piece, "plai"));
        expect(!json_text_equal(piece, "plain and more"));
    }
}

TEST(whole_numbers_are_exact_or_refused)
{
    int64_t value = 0;
    expect(json_number_to_i64(span_from_text("9223372036854775807"), &value));
    expect_equal_i64(value, INT64_MAX);
    expect(json_number_to_i64(span_from_text("-9223372036854775808"), &value));
    expect_equal_i64(value, INT64_MIN);
    expect(json_number_to_i64(span_from_text("-0"), &value));
    expect_equal_i64(value, 0);
    static const char *const others[] = {
        "9223372036854775808", "-9223372036854775809", "1.0", "1e3", "-", ""};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        expect(!json_number_to_i64(span_from_text(others[i]), &value));
}

TEST_MAIN(legal_texts_are_accepted,
          illegal_texts_are_refused_where_they_go_wrong,
          depth_has_a_limit,
          pieces_come_in_order_with_their_places,
          skipped_values_keep_their_bytes,
          skipping_broken_values_fails,
          escapes_are_resolved,
          whole_numbers_are_exact_or_refused)
