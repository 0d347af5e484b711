/* Gives any bytes to the record batch decoder; what it reads is encoded again and must read the same. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"
#include "fuzz/fuzz.h"
#include "wire/line_canonical.h"

static void encode_again(const struct record *record)
{
    size_t size = RECORD_BATCH_HEADER_SIZE + record_size(record, 0);
    uint8_t *bytes = malloc(size);
    check(bytes != NULL);
    struct record_batch_writer writer;
    record_batch_begin(&writer, bytes, record->timestamp_ms);
    record_batch_add(&writer, record);
    check(record_batch_finish(&writer) == size);
    struct record_batch batch;
    struct record_cursor cursor;
    struct record again;
    size_t at;
    check(record_batch_decode(span_of(bytes, size), &batch, &at) == DECODE_DONE);
    check(record_cursor_init(&cursor, &batch) == ERR_NONE);
    check(record_cursor_next(&cursor, &again) == DECODE_DONE);
    check(span_equal(again.key, record->key) && span_equal(again.value, record->value));
    check(again.header_count == record->header_count);
    free(bytes);
}

static void read_all(struct span bytes)
{
    struct record_batch batch;
    struct record_cursor cursor;
    struct record record;
    struct buffer line;
    size_t at;
    if (record_batch_decode(bytes, &batch, &at) != DECODE_DONE ||
        record_cursor_init(&cursor, &batch) != ERR_NONE)
        return;
    buffer_init(&line, 1 << 20);
    while (record_cursor_next(&cursor, &record) == DECODE_DONE) {
        encode_again(&record);
        buffer_clear(&line);
        if (line_canonical_append(&line, &record, 0, LINE_ENCODING_TEXT) == ERR_NONE)
            check(span_find(buffer_span(&line), '\n') == line.len - 1);
    }
    buffer_done(&line);
}

/* Also with length and CRC made right, or nothing random would come behind them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_all(span_of(data, size));
    if (size < RECORD_BATCH_HEADER_SIZE)
        return 0;
    uint8_t *sealed = malloc(size);
    check(sealed != NULL);
    memcpy(sealed, data, size);
    bytes_put_be32(sealed + 8, (uint32_t)size - 12);
    sealed[16] = 2;
    bytes_put_be32(sealed + 17, hash_crc32c(span_of(sealed + 21, size - 21), 0));
    read_all(span_of(sealed, size));
    free(sealed);
    return 0;
}
