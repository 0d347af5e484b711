/* Tests of the record batch codec: its own round trip, and every way in which bytes can be wrong. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/record_batch.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "support/test.h"

enum { TIME_MS = 1795334400 };

static const struct record_header headers[] = {
    {{(const uint8_t *)"seq", 3}, {(const uint8_t *)"17", 2}, false},
    {{(const uint8_t *)"none", 4}, {NULL, 0}, true},
};

static struct record record_of(const char *key, const char *value)
{
    return (struct record){.key = span_from_text(key), .value = span_from_text(value)};
}

static size_t encode(uint8_t *to, const struct record *records, uint32_t count)
{
    struct record_batch_writer writer;
    record_batch_begin(&writer, to, TIME_MS);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *before = writer.at;
        record_batch_add(&writer, &records[i]);
        expect_equal_u64((uint64_t)(writer.at - before), record_size(&records[i], i));
    }
    return record_batch_finish(&writer);
}

/* Makes the CRC right again after a field was changed. */
static void reseal(uint8_t *batch, size_t len)
{
    bytes_put_be32(batch + 17, hash_crc32c(span_of(batch + 21, len - 21), 0));
}

TEST(a_record_comes_back_as_it_was_written)
{
    uint8_t bytes[512];
    struct record record = record_of("key", "value");
    record.headers = headers;
    record.header_count = 2;
    size_t len = encode(bytes, &record, 1);
    record_batch_set_base_offset(bytes, 41);

    struct record_batch batch;
    struct record_cursor cursor;
    struct record read;
    size_t at;
    expect(record_batch_decode(span_of(bytes, len), &batch, &at) == DECODE_DONE);
    expect_equal_u64(batch.base_offset, 41);
    expect_fine(record_cursor_init(&cursor, &batch));
    expect(record_cursor_next(&cursor, &read) == DECODE_DONE);
    expect_equal_u64(read.offset, 41);
    expect_equal_i64(read.timestamp_ms, TIME_MS);
    expect_span_is(read.key, "key");
    expect_span_is(read.value, "value");
    expect_equal_u64(read.header_count, 2);
    expect_span_is(read.headers[0].value, "17");
    expect(read.headers[1].value_is_null);
    expect(record_cursor_next(&cursor, &read) == DECODE_MORE);
}

TEST(null_and_empty_stay_apart)
{
    uint8_t bytes[256];
    struct record records[2] = {record_of("", ""), {.key_is_null = true, .value_is_null = true}};
    size_t len = encode(bytes, records, 2);
    struct record_batch batch;
    struct record_cursor cursor;
    struct record read;
    size_t at;
    expect(record_batch_decode(span_of(bytes, len), &batch, &at) == DECODE_DONE);
    expect_fine(record_cursor_init(&cursor, &batch));
    expect(record_cursor_next(&cursor, &read) == DECODE_DONE);
    expect(!read.key_is_null && !read.value_is_null && read.key.len == 0);
    expect(record_cursor_next(&cursor, &read) == DECODE_DONE);
    expect(read.key_is_null && read.value_is_null);
}

/* The lengths of keys and values cross the sizes of their varints; so do the indexes. */
TEST(sizes_are_exact_where_integers_grow)
{
    static uint8_t text[20000];
    static uint8_t bytes[1 << 20];
    static const size_t lens[] = {0, 1, 50, 54, 55, 63, 64, 65, 8180, 8191, 8192, 8193, 16384};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct record record = {.key_is_null = true, .value = span_of(text, lens[i])};
        (void)encode(bytes, &record, 1);
    }
    static struct record many[8200];
    for (size_t i = 0; i < 8200; i++)
        many[i] = record_of("k", "v");
    size_t len = encode(bytes, many, 8200);
    struct record_batch batch;
    struct record_cursor cursor;
    struct record read = {0};
    size_t at;
    expect(record_batch_decode(span_of(bytes, len), &batch, &at) == DECODE_DONE);
    expect_fine(record_cursor_init(&cursor, &batch));
    while (record_cursor_next(&cursor, &read) == DECODE_DONE)
        continue;
    expect_equal_u64(cursor.index, 8200);
    expect_equal_u64(read.offset, 8199);
}

TEST(every_shorter_piece_asks_for_more)
{
    uint8_t bytes[256];
    struct record record = record_of("key", "value");
    size_t len = encode(bytes, &record, 1);
    struct record_batch batch;
    size_t at;
    for (size_t i = 0; i < len; i++)
        expect(record_batch_decode(span_of(bytes, i), &batch, &at) == DECODE_MORE);
}

TEST(every_flipped_bit_behind_the_leader_epoch_is_noticed)
{
    uint8_t bytes[256];
    struct record record = record_of("key", "value");
    size_t len = encode(bytes, &record, 1);
    struct record_batch batch;
    size_t at;
    for (size_t i = 16; i < len; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[i] ^= (uint8_t)(1U << bit);
            expect(record_batch_decode(span_of(bytes, len), &batch, &at) == DECODE_BAD);
            bytes[i] ^= (uint8_t)(1U << bit);
        }
}

TEST(a_bad_header_is_located)
{
    uint8_t bytes[256];
    struct record record = record_of("key", "value");
    size_t len = encode(bytes, &record, 1);
    struct record_batch batch;
    size_t at = 0;
    bytes_put_be32(bytes + 8, 48); /* shorter than its own header */
    expect(record_batch_decode(span_of(bytes, len), &batch, &at) == DECODE_BAD);
    expect_equal_u64(at, 8);
    bytes_put_be32(bytes + 8, (uint32_t)len - 12);
    bytes_put_be32(bytes + 57, 2); /* more records than offsets */
    reseal(bytes, len);
    expect(record_batch_decode(span_of(bytes, len), &batch, &at) == DECODE_BAD);
    expect_equal_u64(at, 57);
}

TEST(fewer_or_more_records_than_the_header_says_are_bad)
{
    static const uint32_t counts[] = {1, 3};
    for (size_t i = 0; i < 2; i++) {
        uint8_t bytes[256];
        struct record records[2] = {record_of("a", "b"), record_of("c", "d")};
        size_t len = encode(bytes, records, 2);
        bytes_put_be32(bytes + 23, 5);
        bytes_put_be32(bytes + 57, counts[i]);
        reseal(bytes, len);
        struct record_batch batch;
        struct record_cursor cursor;
        struct record read;
        size_t at;
        enum decode decode;
        expect(record_batch_decode(span_of(bytes, len), &batch, &at) == DECODE_DONE);
        expect_fine(record_cursor_init(&cursor, &batch));
        while ((decode = record_cursor_next(&cursor, &read)) == DECODE_DONE)
            continue;
        expect(decode == DECODE_BAD);
    }
}

TEST(a_compressed_batch_is_refused_by_name)
{
    uint8_t bytes[256];
    struct record record = record_of("a", "b");
    size_t len = encode(bytes, &record, 1);
    bytes[22] = 4; /* zstd */
    reseal(bytes, len);
    struct record_batch batch;
    struct record_cursor cursor;
    size_t at;
    expect(record_batch_decode(span_of(bytes, len), &batch, &at) == DECODE_DONE);
    expect_err(record_cursor_init(&cursor, &batch), ERR_NOT_SUPPORTED);
}

TEST(with_log_append_time_all_records_carry_the_latest_time)
{
    uint8_t bytes[256];
    struct record record = record_of("a", "b");
    size_t len = encode(bytes, &record, 1);
    bytes[22] = 8;
    bytes_put_be64(bytes + 35, TIME_MS + 1000);
    reseal(bytes, len);
    struct record_batch batch;
    struct record_cursor cursor;
    struct record read;
    size_t at;
    expect(record_batch_decode(span_of(bytes, len), &batch, &at) == DECODE_DONE);
    expect_fine(record_cursor_init(&cursor, &batch));
    expect(record_cursor_next(&cursor, &read) == DECODE_DONE);
    expect_equal_i64(read.timestamp_ms, TIME_MS + 1000);
}

TEST_MAIN(a_record_comes_back_as_it_was_written,
          null_and_empty_stay_apart,
          sizes_are_exact_where_integers_grow,
          every_shorter_piece_asks_for_more,
          every_flipped_bit_behind_the_leader_epoch_is_noticed,
          a_bad_header_is_located,
          fewer_or_more_records_than_the_header_says_are_bad,
          a_compressed_batch_is_refused_by_name,
          with_log_append_time_all_records_carry_the_latest_time)
