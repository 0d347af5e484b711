/* Kafka record batches, magic 2: written record by record into a caller's bytes, and read back as spans. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_RECORD_BATCH_H
#define WIRE_RECORD_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

/*
 * Source: Apache Kafka, "Message Format" (implementation/message-format), record batch v2. Big endian; varints are
 * zigzag as in Protocol Buffers. CRC-32C covers attributes to the end, so the base offset may change without it.
 *
 *   0 baseOffset 8 | 8 batchLength 4 | 12 partitionLeaderEpoch 4 | 16 magic 1 | 17 crc 4 | 21 attributes 2 |
 *   23 lastOffsetDelta 4 | 27 baseTimestamp 8 | 35 maxTimestamp 8 | 43 producerId 8 | 51 producerEpoch 2 |
 *   53 baseSequence 4 | 57 recordCount 4 | 61 records ...
 *   record: length v | attributes 1 | timestampDelta vl | offsetDelta v | keyLength v | key | valueLength v | value |
 *           headerCount v | { keyLength v | key | valueLength v | value } ...
 */
enum {
    RECORD_BATCH_HEADER_SIZE = 61,
    RECORD_HEADERS_MAX = 64,       /* of a record that comes in */
    RECORD_BATCH_HEADERS_MAX = 80, /* that a reader keeps; more is BAD: a dead letter has some of its own */
};

struct record_header {
    struct span name;
    struct span value;
    bool value_is_null;
};

struct record {
    uint64_t offset;
    int64_t timestamp_ms;
    struct span key;
    struct span value;
    bool key_is_null;
    bool value_is_null;
    const struct record_header *headers;
    uint32_t header_count;
};

/* The exact bytes that the record takes as number `index` of a batch; its timestamp equals the batch's base timestamp. */
size_t record_size(const struct record *record, uint32_t index);

struct record_batch_writer {
    uint8_t *start; /* of the batch header */
    uint8_t *at;    /* where the next record goes */
    uint32_t records;
    int64_t timestamp_ms;
};

/* All records of the batch carry `timestamp_ms` (CreateTime); `to` has room for the header and all records to come. */
void record_batch_begin(struct record_batch_writer *writer, uint8_t *to, int64_t timestamp_ms);
/* record_size(record, index) bytes are there: the caller counted them. record->offset and timestamp_ms are not looked at. */
void record_batch_add(struct record_batch_writer *writer, const struct record *record);
/* The same, for a caller that has kept what record_size said. */
void record_batch_add_sized(struct record_batch_writer *writer, const struct record *record, size_t size);
/* Fills in the header and the CRC; returns the batch's length. At least one record. */
size_t record_batch_finish(struct record_batch_writer *writer);

void record_batch_set_base_offset(uint8_t *batch, uint64_t offset);

struct record_batch {
    struct span bytes; /* the whole batch */
    uint64_t base_offset;
    int64_t base_timestamp_ms;
    int64_t max_timestamp_ms;
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t base_sequence;
    uint16_t attributes;
    uint32_t last_offset_delta;
    uint32_t record_count;
    struct span records;
};

enum decode { DECODE_DONE, DECODE_MORE, DECODE_BAD };

/* Reads the batch at the front of `bytes` and verifies length, magic and CRC. BAD: *ret_at is the offending byte. */
enum decode record_batch_decode(struct span bytes, struct record_batch *ret_batch, size_t *ret_at) MUST_CHECK;

struct record_cursor {
    struct record_batch batch;
    size_t at; /* in batch.records */
    uint32_t index;
    struct record_header headers[RECORD_BATCH_HEADERS_MAX];
};

/* Uncompressed batches only (NOT_SUPPORTED otherwise). */
enum err record_cursor_init(struct record_cursor *cursor, const struct record_batch *batch) MUST_CHECK;
/* DONE with the next record (its spans point into the batch, its headers into the cursor), MORE at the end, BAD. */
enum decode record_cursor_next(struct record_cursor *cursor, struct record *ret_record) MUST_CHECK;

#endif
