/* One record within a batch: its exact size, its bytes, and back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/record_batch.h"
#include "wire/varint.h"

enum {
    ATTRIBUTE_COMPRESSION = 7,
    ATTRIBUTE_LOG_APPEND_TIME = 8,
    NULL_LENGTH = -1,
};

static size_t bytes_size(struct span bytes, bool is_null)
{
    return is_null ? varint_size(NULL_LENGTH) : varint_size((int64_t)bytes.len) + bytes.len;
}

/* What the record's length field counts. */
static size_t body_size(const struct record *record, uint32_t index)
{
    size_t size = 1 + 1 + varint_size(index); /* attributes, timestamp delta 0 */
    size += bytes_size(record->key, record->key_is_null);
    size += bytes_size(record->value, record->value_is_null);
    size += varint_size(record->header_count);
    for (uint32_t i = 0; i < record->header_count; i++) {
        const struct record_header *header = &record->headers[i];
        size += bytes_size(header->name, false) + bytes_size(header->value, header->value_is_null);
    }
    return size;
}

size_t record_size(const struct record *record, uint32_t index)
{
    size_t body = body_size(record, index);
    return varint_size((int64_t)body) + body;
}

static uint8_t *put_bytes(uint8_t *to, struct span bytes, bool is_null)
{
    if (is_null)
        return varint_put(to, NULL_LENGTH);
    to = varint_put(to, (int64_t)bytes.len);
    if (bytes.len > 0)
        memcpy(to, bytes.data, bytes.len);
    return to + bytes.len;
}

void record_batch_add(struct record_batch_writer *writer, const struct record *record)
{
    record_batch_add_sized(writer, record, record_size(record, writer->records));
}

/* The inverse of record_size: the length field and what it counts make up the size. */
static size_t body_of(size_t size)
{
    size_t length_size = 1;
    while (varint_size((int64_t)(size - length_size)) > length_size)
        length_size++;
    return size - length_size;
}

void record_batch_add_sized(struct record_batch_writer *writer, const struct record *record, size_t size)
{
    uint8_t *to = varint_put(writer->at, (int64_t)body_of(size));
    *to++ = 0; /* attributes */
    *to++ = 0; /* timestamp delta */
    to = varint_put(to, writer->records);
    to = put_bytes(to, record->key, record->key_is_null);
    to = put_bytes(to, record->value, record->value_is_null);
    to = varint_put(to, record->header_count);
    for (uint32_t i = 0; i < record->header_count; i++) {
        const struct record_header *header = &record->headers[i];
        to = put_bytes(to, header->name, false);
        to = put_bytes(to, header->value, header->value_is_null);
    }
    writer->at = to;
    writer->records++;
}

/* The bytes of one record that are not read yet. */
struct reader {
    const uint8_t *at;
    const uint8_t *end;
};

static bool take_bytes(struct reader *reader, struct span *bytes, bool *is_null)
{
    int64_t len;
    if (!varint_take(&reader->at, reader->end, &len) || len < NULL_LENGTH || len > reader->end - reader->at)
        return false;
    *is_null = len == NULL_LENGTH;
    *bytes = span_of(reader->at, *is_null ? 0 : (size_t)len);
    reader->at += bytes->len;
    return true;
}

static bool take_headers(struct reader *reader, struct record_header *headers, uint32_t *count)
{
    int64_t headers_count;
    if (!varint_take(&reader->at, reader->end, &headers_count) || headers_count < 0 ||
        headers_count > RECORD_BATCH_HEADERS_MAX)
        return false;
    *count = (uint32_t)headers_count;
    for (uint32_t i = 0; i < *count; i++) {
        bool name_is_null;
        if (!take_bytes(reader, &headers[i].name, &name_is_null) || name_is_null ||
            !take_bytes(reader, &headers[i].value, &headers[i].value_is_null))
            return false;
    }
    return true;
}

static bool take_place(struct reader *reader, const struct record_batch *batch, struct record *record)
{
    int64_t timestamp_delta;
    int64_t offset_delta;
    if (reader->at == reader->end)
        return false;
    reader->at++; /* attributes: none is defined */
    if (!varint_take(&reader->at, reader->end, &timestamp_delta) ||
        !varint_take(&reader->at, reader->end, &offset_delta) || offset_delta < 0 ||
        offset_delta > batch->last_offset_delta)
        return false;
    record->offset = batch->base_offset + (uint64_t)offset_delta;
    if ((batch->attributes & ATTRIBUTE_LOG_APPEND_TIME) != 0)
        record->timestamp_ms = batch->max_timestamp_ms;
    else if (__builtin_add_overflow(batch->base_timestamp_ms, timestamp_delta, &record->timestamp_ms))
        return false;
    return true;
}

enum err record_cursor_init(struct record_cursor *cursor, const struct record_batch *batch)
{
    if ((batch->attributes & ATTRIBUTE_COMPRESSION) != 0)
        return ERR_NOT_SUPPORTED;
    cursor->batch = *batch;
    cursor->at = 0;
    cursor->index = 0;
    return ERR_NONE;
}

enum decode record_cursor_next(struct record_cursor *cursor, struct record *ret_record)
{
    struct span rest = span_after(cursor->batch.records, cursor->at);
    if (cursor->index == cursor->batch.record_count)
        return rest.len == 0 ? DECODE_MORE : DECODE_BAD;
    struct reader reader = {rest.data, rest.data + rest.len};
    int64_t len;
    if (!varint_take(&reader.at, reader.end, &len) || len < 0 || len > reader.end - reader.at)
        return DECODE_BAD;
    reader.end = reader.at + len;
    struct record record = {.headers = cursor->headers};
    if (!take_place(&reader, &cursor->batch, &record) ||
        !take_bytes(&reader, &record.key, &record.key_is_null) ||
        !take_bytes(&reader, &record.value, &record.value_is_null) ||
        !take_headers(&reader, cursor->headers, &record.header_count) || reader.at != reader.end)
        return DECODE_BAD;
    cursor->at = (size_t)(reader.end - cursor->batch.records.data);
    cursor->index++;
    *ret_record = record;
    return DECODE_DONE;
}
