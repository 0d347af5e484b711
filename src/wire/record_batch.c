/* The header of a record batch: filled in when all its records are there, verified before any is read. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/record_batch.h"

#include "base/bytes.h"
#include "base/hash.h"

/* Where the fields lie; the picture is in the header file. */
enum {
    AT_BASE_OFFSET = 0,
    AT_LENGTH = 8,
    AT_LEADER_EPOCH = 12,
    AT_MAGIC = 16,
    AT_CRC = 17,
    AT_ATTRIBUTES = 21,
    AT_LAST_OFFSET_DELTA = 23,
    AT_BASE_TIMESTAMP = 27,
    AT_MAX_TIMESTAMP = 35,
    AT_PRODUCER_ID = 43,
    AT_PRODUCER_EPOCH = 51,
    AT_BASE_SEQUENCE = 53,
    AT_RECORD_COUNT = 57,
};

enum {
    MAGIC = 2,
    LENGTH_COUNTS_FROM = AT_LEADER_EPOCH,
    NO_PRODUCER = -1,
};

static uint32_t crc_of(struct span batch)
{
    return hash_crc32c(span_after(batch, AT_ATTRIBUTES), 0);
}

void record_batch_begin(struct record_batch_writer *writer, uint8_t *to, int64_t timestamp_ms)
{
    writer->start = to;
    writer->at = to + RECORD_BATCH_HEADER_SIZE;
    writer->records = 0;
    writer->timestamp_ms = timestamp_ms;
}

size_t record_batch_finish(struct record_batch_writer *writer)
{
    uint8_t *start = writer->start;
    size_t len = (size_t)(writer->at - start);
    check(writer->records > 0);
    check(len <= INT32_MAX);
    bytes_put_be64(start + AT_BASE_OFFSET, 0);
    bytes_put_be32(start + AT_LENGTH, (uint32_t)len - LENGTH_COUNTS_FROM);
    bytes_put_be32(start + AT_LEADER_EPOCH, 0);
    start[AT_MAGIC] = MAGIC;
    bytes_put_be16(start + AT_ATTRIBUTES, 0);
    bytes_put_be32(start + AT_LAST_OFFSET_DELTA, writer->records - 1);
    bytes_put_be64(start + AT_BASE_TIMESTAMP, (uint64_t)writer->timestamp_ms);
    bytes_put_be64(start + AT_MAX_TIMESTAMP, (uint64_t)writer->timestamp_ms);
    bytes_put_be64(start + AT_PRODUCER_ID, (uint64_t)NO_PRODUCER);
    bytes_put_be16(start + AT_PRODUCER_EPOCH, (uint16_t)NO_PRODUCER);
    bytes_put_be32(start + AT_BASE_SEQUENCE, (uint32_t)NO_PRODUCER);
    bytes_put_be32(start + AT_RECORD_COUNT, writer->records);
    bytes_put_be32(start + AT_CRC, crc_of(span_of(start, len)));
    return len;
}

void record_batch_set_base_offset(uint8_t *batch, uint64_t offset)
{
    bytes_put_be64(batch + AT_BASE_OFFSET, offset);
}

static void read_header(struct span bytes, struct record_batch *batch)
{
    const uint8_t *from = bytes.data;
    *batch = (struct record_batch){
        .bytes = bytes,
        .base_offset = bytes_get_be64(from + AT_BASE_OFFSET),
        .base_timestamp_ms = (int64_t)bytes_get_be64(from + AT_BASE_TIMESTAMP),
        .max_timestamp_ms = (int64_t)bytes_get_be64(from + AT_MAX_TIMESTAMP),
        .producer_id = (int64_t)bytes_get_be64(from + AT_PRODUCER_ID),
        .producer_epoch = (int16_t)bytes_get_be16(from + AT_PRODUCER_EPOCH),
        .base_sequence = (int32_t)bytes_get_be32(from + AT_BASE_SEQUENCE),
        .attributes = bytes_get_be16(from + AT_ATTRIBUTES),
        .last_offset_delta = bytes_get_be32(from + AT_LAST_OFFSET_DELTA),
        .record_count = bytes_get_be32(from + AT_RECORD_COUNT),
        .records = span_after(bytes, RECORD_BATCH_HEADER_SIZE),
    };
}

static enum decode bad(size_t at, size_t *ret_at)
{
    *ret_at = at;
    return DECODE_BAD;
}

enum decode record_batch_decode(struct span bytes, struct record_batch *ret_batch, size_t *ret_at)
{
    if (bytes.len < LENGTH_COUNTS_FROM)
        return DECODE_MORE;
    uint32_t length = bytes_get_be32(bytes.data + AT_LENGTH);
    if (length < RECORD_BATCH_HEADER_SIZE - LENGTH_COUNTS_FROM || length > INT32_MAX)
        return bad(AT_LENGTH, ret_at);
    if (bytes.len > AT_MAGIC && bytes.data[AT_MAGIC] != MAGIC)
        return bad(AT_MAGIC, ret_at);
    if (bytes.len - LENGTH_COUNTS_FROM < length)
        return DECODE_MORE;
    bytes.len = LENGTH_COUNTS_FROM + length;
    if (bytes_get_be32(bytes.data + AT_CRC) != crc_of(bytes))
        return bad(AT_CRC, ret_at);
    struct record_batch batch;
    read_header(bytes, &batch);
    if (batch.base_offset > INT64_MAX)
        return bad(AT_BASE_OFFSET, ret_at);
    if (batch.last_offset_delta > INT32_MAX)
        return bad(AT_LAST_OFFSET_DELTA, ret_at);
    /* A compacted batch keeps its last delta, so it may span more offsets than it has records, never fewer. */
    if (batch.record_count > INT32_MAX || batch.record_count > (uint64_t)batch.last_offset_delta + 1)
        return bad(AT_RECORD_COUNT, ret_at);
    *ret_batch = batch;
    return DECODE_DONE;
}
