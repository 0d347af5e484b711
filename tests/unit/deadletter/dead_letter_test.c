/* Tests the block of headers that makes a record a dead letter. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "deadletter/dead_letter.h"

#include <stdio.h>

#include "support/test.h"

static const struct dead_letter letter = {
    .topic = {(const uint8_t *)"orders", 6},
    .partition = 3,
    .offset = 9223372036854775807U,
    .timestamp_ms = -5,
    .group = {(const uint8_t *)"billing", 7},
    .by = {(const uint8_t *)"127.0.0.1:4", 11},
    .reason = {(const uint8_t *)"no such customer", 16},
    .attempts = 65535,
    .first_ms = 1700000000123,
    .last_ms = 1700000000456,
};

static struct record_header header(const char *name, const char *value)
{
    return (struct record_header){.name = span_from_text(name), .value = span_from_text(value)};
}

static void expect_same_letter(const struct dead_letter *actual, const struct dead_letter *expected)
{
    expect_equal_span(actual->topic, expected->topic);
    expect_equal_u64(actual->partition, expected->partition);
    expect_equal_u64(actual->offset, expected->offset);
    expect_equal_i64(actual->timestamp_ms, expected->timestamp_ms);
    expect_equal_span(actual->group, expected->group);
    expect_equal_span(actual->by, expected->by);
    expect_equal_span(actual->reason, expected->reason);
    expect_equal_u64(actual->attempts, expected->attempts);
    expect_equal_i64(actual->first_ms, expected->first_ms);
    expect_equal_i64(actual->last_ms, expected->last_ms);
    expect_equal_span(actual->stacktrace, expected->stacktrace);
    expect_equal_span(actual->correlation_id, expected->correlation_id);
    expect_equal_span(actual->traceability_id, expected->traceability_id);
}

TEST(original_is_kept_byte_for_byte_and_the_block_reads_back)
{
    struct record_header headers[] = {
        header("a", "1"),
        header("a", ""),
        {.name = span_of("\0\xff", 2), .value = span_of("\n\0", 2)},
        {.name = span_from_text("null"), .value_is_null = true},
    };
    struct record original = {
        .timestamp_ms = 1,
        .key = span_of("k\0", 2),
        .value_is_null = true,
        .headers = headers,
        .header_count = 4,
    };
    struct dead_letter_record made;
    struct dead_letter read;
    uint32_t kept;
    dead_letter_make(&original, 4, &letter, &made);
    expect_equal_span(made.record.key, original.key);
    expect(made.record.value_is_null);
    expect(dead_letter_read(&made.record, &read, &kept));
    expect_equal_u64(kept, 4);
    for (uint32_t i = 0; i < 4; i++) {
        expect_equal_span(made.record.headers[i].name, headers[i].name);
        expect_equal_span(made.record.headers[i].value, headers[i].value);
        expect(made.record.headers[i].value_is_null == headers[i].value_is_null);
    }
    expect_same_letter(&read, &letter);
}

TEST(block_of_all_members_fits_behind_the_headers_of_any_record)
{
    struct record_header headers[RECORD_HEADERS_MAX];
    for (uint32_t i = 0; i < RECORD_HEADERS_MAX; i++)
        headers[i] = header("x", "y");
    struct record original = {.headers = headers, .header_count = RECORD_HEADERS_MAX};
    struct dead_letter full = letter;
    full.stacktrace = full.correlation_id = full.traceability_id = span_from_text("s");
    struct dead_letter_record made;
    struct dead_letter read;
    uint32_t kept;
    dead_letter_make(&original, RECORD_HEADERS_MAX, &full, &made);
    expect(dead_letter_read(&made.record, &read, &kept));
    expect_equal_u64(kept, RECORD_HEADERS_MAX);
    expect_same_letter(&read, &full);
}

TEST(headers_that_only_look_like_a_block_stay_the_originals)
{
    struct dead_letter_record first;
    struct dead_letter_record second;
    struct dead_letter read;
    uint32_t kept;
    struct record plain = {.key_is_null = true};
    struct dead_letter forged = letter;
    forged.group = span_from_text("forged");
    dead_letter_make(&plain, 0, &forged, &first);
    dead_letter_make(&first.record, first.record.header_count, &letter, &second);
    expect(dead_letter_read(&second.record, &read, &kept));
    expect_equal_u64(kept, first.record.header_count);
    expect_same_letter(&read, &letter);
}

TEST(failing_again_replaces_the_block)
{
    struct dead_letter_record first;
    struct dead_letter_record second;
    struct dead_letter read;
    uint32_t kept;
    struct record_header headers[] = {header("seq", "17")};
    struct record original = {.headers = headers, .header_count = 1};
    dead_letter_make(&original, 1, &letter, &first);
    expect(dead_letter_read(&first.record, &read, &kept));
    read.reason = span_from_text("still");
    dead_letter_make(&first.record, kept, &read, &second);
    expect_equal_u64(second.record.header_count, first.record.header_count);
    expect(dead_letter_read(&second.record, &read, &kept));
    expect_equal_u64(kept, 1);
    expect_span_is(read.reason, "still");
    expect_span_is(dead_letter_header(&second.record, kept, "seq"), "17");
}

static bool reads(struct record_header *headers, uint32_t count)
{
    struct record record = {.headers = headers, .header_count = count};
    struct dead_letter read = {.offset = 77};
    uint32_t kept;
    bool is_one = dead_letter_read(&record, &read, &kept);
    expect(is_one || (kept == count && read.offset == 77));
    return is_one;
}

TEST(block_with_something_missing_or_wrong_is_none)
{
    struct record_header whole[] = {
        header("waybill.dead-letter", "1"), header("waybill.topic", "t"), header("waybill.partition", "0"),
        header("waybill.offset", "0"),      header("waybill.group", "g"), header("waybill.future", "x"),
    };
    expect(reads(whole, 6));
    expect(!reads(whole + 1, 5));
    expect(!reads(whole, 4)); /* no group */
    struct record_header wrong[6];
    const struct {
        unsigned at;
        const char *value;
    } faults[] = {
        {0, "2"},  {1, ""}, {2, "-1"}, {2, "4294967296"}, {3, ""}, {3, "9223372036854775808"},
        {3, "1x"}, {4, ""},
    };
    for (unsigned i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        memcpy(wrong, whole, sizeof wrong);
        wrong[faults[i].at].value = span_from_text(faults[i].value);
        expect(!reads(wrong, 6));
    }
}

TEST(long_texts_are_cut)
{
    static uint8_t text[20 * 1024];
    memset(text, 'x', sizeof text);
    struct dead_letter long_letter = letter;
    long_letter.reason = long_letter.stacktrace = span_of(text, sizeof text);
    struct record original = {.key_is_null = true};
    struct dead_letter_record made;
    struct dead_letter read;
    uint32_t kept;
    dead_letter_make(&original, 0, &long_letter, &made);
    expect(dead_letter_read(&made.record, &read, &kept));
    expect_equal_u64(read.reason.len, DEAD_LETTER_REASON_MAX);
    expect_equal_u64(read.stacktrace.len, DEAD_LETTER_STACKTRACE_MAX);
    expect(record_size(&made.record, 0) < DEAD_LETTER_SIZE_MAX);
}

TEST(dead_letter_topics_are_known_by_their_suffix)
{
    expect(dead_letter_topic_is(span_from_text("a.dlq")));
    expect(!dead_letter_topic_is(span_from_text("a.dlqx")));
    expect(!dead_letter_topic_is(span_from_text(".dlq")));
    expect(!dead_letter_topic_is(span_from_text("")));
}

TEST_MAIN(original_is_kept_byte_for_byte_and_the_block_reads_back,
          block_of_all_members_fits_behind_the_headers_of_any_record,
          headers_that_only_look_like_a_block_stay_the_originals,
          failing_again_replaces_the_block,
          block_with_something_missing_or_wrong_is_none,
          long_texts_are_cut,
          dead_letter_topics_are_known_by_their_suffix)
