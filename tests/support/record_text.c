/* Turns record batches into text and text into record batches. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/record_text.h"

#include <inttypes.h>
#include <stdlib.h>

enum { WORDS_MAX = 3 + RECORD_BATCH_HEADERS_MAX };

static void write_word(struct span bytes, bool is_null, FILE *to)
{
    (void)fputs(is_null ? "-" : "x", to);
    for (size_t i = 0; i < bytes.len; i++)
        (void)fprintf(to, "%02x", bytes.data[i]);
}

static void write_record(const struct record *record, FILE *to)
{
    (void)fprintf(to, "%" PRId64 " ", record->timestamp_ms);
    write_word(record->key, record->key_is_null, to);
    (void)fputc(' ', to);
    write_word(record->value, record->value_is_null, to);
    for (uint32_t i = 0; i < record->header_count; i++) {
        (void)fputc(' ', to);
        write_word(record->headers[i].name, false, to);
        (void)fputc('=', to);
        write_word(record->headers[i].value, record->headers[i].value_is_null, to);
    }
    (void)fputc('\n', to);
}

bool record_text_write(struct span batch_bytes, FILE *to)
{
    struct record_batch batch;
    struct record_cursor cursor;
    struct record record;
    size_t at;
    if (record_batch_decode(batch_bytes, &batch, &at) != DECODE_DONE || batch.bytes.len != batch_bytes.len ||
        record_cursor_init(&cursor, &batch) != ERR_NONE)
        return false;
    enum decode decode;
    while ((decode = record_cursor_next(&cursor, &record)) == DECODE_DONE)
        write_record(&record, to);
    return decode == DECODE_MORE;
}

/* Decodes the hexadecimal digits in place. */
static bool read_word(char *word, struct span *bytes, bool *is_null)
{
    *is_null = strcmp(word, "-") == 0;
    *bytes = span_of(word, 0);
    if (*is_null)
        return true;
    size_t digits = strlen(word) - 1;
    if (word[0] != 'x' || digits % 2 != 0)
        return false;
    for (size_t i = 0; i < digits / 2; i++) {
        char pair[3] = {word[1 + 2 * i], word[2 + 2 * i], '\0'};
        char *end;
        word[i] = (char)strtoul(pair, &end, 16);
        if (*end != '\0')
            return false;
    }
    bytes->len = digits / 2;
    return true;
}

static bool read_header(char *word, struct record_header *header)
{
    char *equals = strchr(word, '=');
    bool name_is_null;
    if (equals == NULL)
        return false;
    *equals = '\0';
    return read_word(word, &header->name, &name_is_null) && !name_is_null &&
           read_word(equals + 1, &header->value, &header->value_is_null);
}

static bool read_record(char *line, struct record *record, struct record_header *headers)
{
    char *words[WORDS_MAX];
    uint32_t count = 0;
    for (char *word = strtok(line, " \n"); word != NULL; word = strtok(NULL, " \n")) {
        if (count == WORDS_MAX)
            return false;
        words[count++] = word;
    }
    if (count < 3 || !read_word(words[1], &record->key, &record->key_is_null) ||
        !read_word(words[2], &record->value, &record->value_is_null))
        return false;
    record->headers = headers;
    record->header_count = count - 3;
    for (uint32_t i = 3; i < count; i++)
        if (!read_header(words[i], &headers[i - 3]))
            return false;
    return true;
}

bool record_text_read(FILE *from, int64_t timestamp_ms, uint8_t **ret_bytes, size_t *ret_len)
{
    enum { SIZE = 16 * 1024 * 1024 };
    struct record_header headers[RECORD_BATCH_HEADERS_MAX];
    struct record_batch_writer writer;
    uint8_t *bytes = malloc(SIZE);
    char *line = NULL;
    size_t line_size = 0;
    bool is_good = bytes != NULL;
    if (is_good)
        record_batch_begin(&writer, bytes, timestamp_ms);
    while (is_good && getline(&line, &line_size, from) > 0) {
        struct record record = {0};
        is_good = read_record(line, &record, headers) &&
                  record_size(&record, writer.records) <= (size_t)(bytes + SIZE - writer.at);
        if (is_good)
            record_batch_add(&writer, &record);
    }
    free(line);
    if (!is_good || writer.records == 0) {
        free(bytes);
        return false;
    }
    *ret_len = record_batch_finish(&writer);
    *ret_bytes = bytes;
    return true;
}
