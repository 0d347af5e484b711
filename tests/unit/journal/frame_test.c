/* Frames as docs/formats/journal.md draws them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "journal/outcome_frame.h"
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

static const char reader_hex[] = "0e9624ba2f0000000c0000000100000007000000000000000100000001000000"
                                 "00002a36fe9c971762696c6c696e6700";
static const char seek_hex[] = "809336f0380000000d0000000100000008000000000000000100000000000000"
                               "0000000000000000050000000000000000002a36fe9c9717";
static const char outcomes_hex[] = "0a3a4662600000000b0000000100000009000000000000000100000000000000"
                                   "0000000001080100c80000000100000000002a36fe9c97170000000000000000"
                                   "00000000000000000500000000000000030000000000000031302e302e302e31";
static const char note_hex[] = "3e101d6a240000000e000000010000000a000000000000000200000002000000"
                               "6174313700000000";

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

TEST(frames_about_a_group_have_the_bytes_of_the_format_page)
{
    uint8_t bytes[256] = {0};
    uint8_t *payload = bytes + FRAME_HEADER_SIZE;
    struct frame_reader reader = {1, FRAME_READER_MADE, wall_ns, span_from_text("billing")};
    size_t len = FRAME_HEADER_SIZE + frame_reader_write(payload, &reader);
    write_frame(bytes, FRAME_READER, 7, len);
    expect_hex(bytes, frame_padded(len), reader_hex);

    memset(bytes, 0, sizeof bytes);
    struct store_seek seek = {1, 0, 0, 5};
    frame_seek_write(payload, &seek);
    frame_seek_set_time(payload, wall_ns);
    write_frame(bytes, FRAME_SEEK, 8, FRAME_HEADER_SIZE + FRAME_SEEK_SIZE);
    expect_hex(bytes, FRAME_HEADER_SIZE + FRAME_SEEK_SIZE, seek_hex);

    memset(bytes, 0, sizeof bytes);
    struct frame_outcomes outcomes = {.group = 1,
                                      .outcome = STORE_OUTCOME_DONE,
                                      .attempts = 1,
                                      .status = 200,
                                      .run_count = 1,
                                      .wall_ns = wall_ns,
                                      .by = span_from_text("10.0.0.1")};
    frame_outcomes_write(payload, &outcomes);
    frame_outcomes_put_run(payload + FRAME_OUTCOMES_FIXED, 5, 3);
    memcpy(payload + FRAME_OUTCOMES_FIXED + FRAME_OUTCOME_RUN_SIZE, outcomes.by.data, outcomes.by.len);
    len = FRAME_HEADER_SIZE + FRAME_OUTCOMES_FIXED + FRAME_OUTCOME_RUN_SIZE + outcomes.by.len;
    write_frame(bytes, FRAME_OUTCOMES, 9, len);
    expect_hex(bytes, frame_padded(len), outcomes_hex);

    memset(bytes, 0, sizeof bytes);
    struct store_note note = {span_from_text("at"), span_from_text("17")};
    frame_note_write(payload, &note);
    len = FRAME_HEADER_SIZE + frame_note_len(&note);
    write_frame(bytes, FRAME_NOTE, 10, len);
    expect_hex(bytes, frame_padded(len), note_hex);
}

TEST(frames_about_a_group_are_read_back_and_no_other_length_is)
{
    uint8_t payload[256] = {0};
    struct frame_outcomes outcomes = {.group = 7,
                                      .topic = 3,
                                      .partition = 2,
                                      .outcome = STORE_OUTCOME_DEAD,
                                      .attempts = 65535,
                                      .status = 500,
                                      .run_count = 2,
                                      .wall_ns = wall_ns,
                                      .dead = {9, 1, 40},
                                      .by = span_from_text("x")};
    frame_outcomes_write(payload, &outcomes);
    frame_outcomes_put_run(payload + FRAME_OUTCOMES_FIXED, 5, 3);
    frame_outcomes_put_run(payload + FRAME_OUTCOMES_FIXED + FRAME_OUTCOME_RUN_SIZE, 100, UINT32_MAX);
    size_t len = FRAME_OUTCOMES_FIXED + 2 * FRAME_OUTCOME_RUN_SIZE + 1;
    payload[len - 1] = 'x';
    struct frame_outcomes found;
    for (size_t other = 0; other < sizeof payload; other++)
        expect(frame_outcomes_read(span_of(payload, other), &found) == (other == len));
    expect(frame_outcomes_read(span_of(payload, len), &found));
    expect(found.group == 7 && found.topic == 3 && found.partition == 2 &&
           found.outcome == STORE_OUTCOME_DEAD);
    expect(found.attempts == 65535 && found.status == 500 && found.wall_ns == wall_ns);
    expect(found.dead.topic == 9 && found.dead.partition == 1 && found.dead.offset == 40);
    expect(span_equal_text(found.by, "x"));
    uint64_t offset;
    uint32_t count;
    frame_outcomes_at(&found, 1, &offset, &count);
    expect(offset == 100 && count == UINT32_MAX);
    payload[12] = STORE_OUTCOME_COUNT;
    expect(!frame_outcomes_read(span_of(payload, len), &found));
    payload[12] = STORE_OUTCOME_DEAD;
    bytes_put_le32(payload + FRAME_OUTCOMES_FIXED + 8, 0); /* an empty run */
    expect(!frame_outcomes_read(span_of(payload, len), &found));

    struct store_note note = {.key = span_from_text("k")};
    struct store_note other_note;
    frame_note_write(payload, &note);
    expect(frame_note_read(span_of(payload, frame_note_len(&note)), &other_note));
    expect(other_note.value.data == NULL && span_equal_text(other_note.key, "k"));
    expect(!frame_note_read(span_of(payload, frame_note_len(&note) + 1), &other_note));
}

TEST(runs_are_read_as_they_were_written_and_no_other_length_is)
{
    static const uint16_t places[] = {0, 1, 1};
    struct store_run list[] = {{7, 3}, {100, UINT32_MAX}};
    struct store_append append = {
        .sequence = 5,
        .runs = list,
        .run_count = 2,
        .producer = span_from_text("sensor"),
        .producer_last = 9,
        .places = places,
        .place_count = 3,
    };
    uint8_t payload[128] = {0};
    struct frame_runs runs;
    size_t len = frame_runs_len(&append);
    frame_runs_write(payload, &append);
    expect(frame_runs_read(span_of(payload, len), &runs));
    expect(runs.sequence == 5 && runs.run_count == 2 && runs.producer_last == 9);
    expect(span_equal_text(runs.producer, "sensor"));
    expect(runs.place_count == 3 && bytes_get_le16(runs.places.data + 2) == 1);
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
          frames_about_a_group_have_the_bytes_of_the_format_page,
          frames_about_a_group_are_read_back_and_no_other_length_is,
          runs_are_read_as_they_were_written_and_no_other_length_is)
