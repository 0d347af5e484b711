/* Frames as docs/formats/journal.md draws them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/frame.h"

#include <string.h>

#include "support/test.h"
#include "wire/record_batch.h"

/*
 * The example of the format page, made by hand: epoch 0x0102030405060708, incarnation 1, 2023-11-14 22:13:20 UTC. A group of
 * two frames (LSN 3 at position 4216): topic `orders` with one partition, and a batch of one record, `k` = `hello`.
 */
static const uint64_t epoch = 0x0102030405060708;
static const int64_t wall_ns = INT64_C(1700000000000000000);

static const char group_hex[] = "1d477be638000000010000000100000003000000000000007810000000000000"
                                "e80000000000000000002a36fe9c97170200000000000000";
static const char topic_hex[] = "3a2fa6e72e000000030000000100000004000000000000000000000001000000"
                                "00002a36fe9c97176f72646572730000";
static const char batch_hex[] = "712e71907a000000020000000100000005000000000000000000000000000000"
                                "00002a36fe9c9717010000000000000000000000000000000000003e00000000"
                                "0236ff4dc30000000000000000018bcfe568000000018bcfe56800ffffffffff"
                                "ffffffffffffffffff0000000118000000026b0a68656c6c6f00000000000000";

static void expect_hex(const uint8_t *bytes, size_t len, const char *hex)
{
    static const char digits[] = "0123456789abcdef";
    char text[512];
    check(len * 2 < sizeof text);
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * len] = '\0';
    expect_equal_text(text, hex);
}

static void write_frame(uint8_t *to, enum frame_kind kind, uint64_t lsn, size_t len)
{
    struct frame frame = {.len = (uint32_t)len, .kind = (uint8_t)kind, .incarnation = 1, .lsn = lsn};
    frame_write(to, &frame, frame_crc_of_epoch(epoch));
}

static size_t write_batch(uint8_t *to)
{
    struct record record = {.key = span_from_text("k"), .value = span_from_text("hello")};
    struct record_batch_writer writer;
    struct frame_batch batch = {.wall_ns = wall_ns, .records = 1};
    record_batch_begin(&writer, to + STORE_PART_HEADROOM, wall_ns / 1000000);
    record_batch_add(&writer, &record);
    size_t len = STORE_PART_HEADROOM + record_batch_finish(&writer);
    frame_batch_write(to + FRAME_HEADER_SIZE, &batch);
    write_frame(to, FRAME_BATCH, 5, len);
    return len;
}

TEST(frames_have_the_bytes_of_the_format_page)
{
    uint8_t bytes[256] = {0};
    size_t batch_len = frame_padded(write_batch(bytes));
    expect_hex(bytes, batch_len, batch_hex);

    memset(bytes, 0, sizeof bytes);
    bytes_put_le32(bytes + FRAME_HEADER_SIZE + 4, 1);
    bytes_put_le64(bytes + FRAME_HEADER_SIZE + 8, (uint64_t)wall_ns);
    struct span name = span_from_text("orders");
    memcpy(bytes + FRAME_HEADER_SIZE + 16, name.data, name.len);
    write_frame(bytes, FRAME_TOPIC, 4, FRAME_HEADER_SIZE + 22);
    size_t topic_len = frame_padded(FRAME_HEADER_SIZE + 22);
    expect_hex(bytes, topic_len, topic_hex);

    struct frame_group group = {4216, FRAME_GROUP_SIZE + topic_len + batch_len, wall_ns, 2};
    memset(bytes, 0, sizeof bytes);
    frame_group_write(bytes + FRAME_HEADER_SIZE, &group);
    write_frame(bytes, FRAME_GROUP, 3, FRAME_GROUP_SIZE);
    expect_hex(bytes, FRAME_GROUP_SIZE, group_hex);
}

TEST(a_frame_is_read_back_field_by_field)
{
    uint8_t bytes[256] = {0};
    size_t len = write_batch(bytes);
    struct frame frame;
    struct frame_batch batch;
    expect(frame_read(span_of(bytes, sizeof bytes), frame_crc_of_epoch(epoch), &frame));
    expect_equal_u64(frame.len, len);
    expect_equal_u64(frame.kind, FRAME_BATCH);
    expect_equal_u64(frame.incarnation, 1);
    expect_equal_u64(frame.lsn, 5);
    expect(frame_batch_read(frame.payload, &batch));
    expect_equal_u64(batch.records, 1);
    expect_equal_i64(batch.wall_ns, wall_ns);
    expect_equal_u64(batch.batch.len, len - STORE_PART_HEADROOM);
}

TEST(every_flipped_bit_and_another_epoch_make_it_no_frame)
{
    uint8_t bytes[256] = {0};
    size_t len = frame_padded(write_batch(bytes));
    struct frame frame;
    uint32_t crc = frame_crc_of_epoch(epoch);
    for (size_t i = 0; i < len * 8; i++) {
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        expect(!frame_read(span_of(bytes, len), crc, &frame));
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    expect(!frame_read(span_of(bytes, len), frame_crc_of_epoch(epoch + 1), &frame));
    for (size_t cut = 0; cut < len; cut++)
        expect(!frame_read(span_of(bytes, cut), crc, &frame));
    expect(frame_read(span_of(bytes, len), crc, &frame));
}

TEST(runs_are_read_as_they_were_written_and_no_other_length_is)
{
    struct store_run list[] = {{7, 3}, {100, UINT32_MAX}};
    struct store_append append = {
        .sequence = 5,
        .runs = list,
        .run_count = 2,
        .producer = span_from_text("sensor"),
        .producer_last = 9,
    };
    uint8_t payload[128] = {0};
    struct frame_runs runs;
    size_t len = frame_runs_len(&append);
    frame_runs_write(payload, &append);
    expect(frame_runs_read(span_of(payload, len), &runs));
    expect(runs.sequence == 5 && runs.run_count == 2 && runs.producer_last == 9);
    expect(span_equal_text(runs.producer, "sensor"));
    expect_equal_u64(frame_runs_at(&runs, 1).from, 100);
    expect_equal_u64(frame_runs_at(&runs, 1).count, UINT32_MAX);
    for (size_t other = 0; other < sizeof payload; other++)
        expect(frame_runs_read(span_of(payload, other), &runs) == (other == len));
    bytes_put_le32(payload + 4, UINT32_MAX);
    expect(!frame_runs_read(span_of(payload, len), &runs));
}

TEST_MAIN(frames_have_the_bytes_of_the_format_page,
          a_frame_is_read_back_field_by_field,
          every_flipped_bit_and_another_epoch_make_it_no_frame,
          runs_are_read_as_they_were_written_and_no_other_length_is)
