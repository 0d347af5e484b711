/* Canonical lines taken apart, base64 decoded, JSON written. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tail_json.h"

#include "base/json_writer.h"
#include "base/utf8.h"

/* Base64 of the largest record that a configuration allows, and what JSON makes of it at the worst: six bytes of one. */
#define LINE_MAX ((size_t)512 << 20)
#define TEXT_MAX ((size_t)2 << 30)

void tail_json_init(struct tail_json *json)
{
    buffer_init(&json->line, LINE_MAX);
    buffer_init(&json->decoded, LINE_MAX);
    buffer_init(&json->text, TEXT_MAX);
}

void tail_json_done(struct tail_json *json)
{
    buffer_done(&json->line);
    buffer_done(&json->decoded);
    buffer_done(&json->text);
}

/* 64: no digit of base64. */
static uint32_t digit_value(uint8_t digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - (uint32_t)'A';
    if (digit >= 'a' && digit <= 'z')
        return 26 + digit - (uint32_t)'a';
    if (digit >= '0' && digit <= '9')
        return 52 + digit - (uint32_t)'0';
    return digit == '+' ? 62 : digit == '/' ? 63 : 64;
}

static enum err decode_group(struct buffer *to, const uint8_t *digits, size_t pad)
{
    uint32_t group = 0;
    for (size_t i = 0; i < 4; i++) {
        uint32_t value = i < 4 - pad ? digit_value(digits[i]) : 0;
        if (value > 63)
            return ERR_BAD_INPUT;
        group = group << 6 | value;
    }
    for (size_t i = 0; i < 3 - pad; i++)
        to->data[to->len++] = (uint8_t)(group >> (16 - 8 * i));
    return ERR_NONE;
}

static enum err decode(struct buffer *to, struct span digits)
{
    buffer_clear(to);
    if (digits.len % 4 != 0)
        return ERR_BAD_INPUT;
    enum err err = buffer_reserve(to, digits.len + 1);
    for (size_t i = 0; err == ERR_NONE && i < digits.len; i += 4) {
        bool is_last = i + 4 == digits.len;
        size_t pad = is_last ? (size_t)(digits.data[i + 3] == '=') + (digits.data[i + 2] == '=') : 0;
        err = decode_group(to, digits.data + i, pad);
    }
    return err;
}

static enum err write_bytes(struct tail_json *json,
                            struct json_writer *writer,
                            struct span digits,
                            const char *name,
                            const char *base64_name)
{
    enum err err = decode(&json->decoded, digits);
    if (err != ERR_NONE)
        return err;
    struct span bytes = buffer_span(&json->decoded);
    bool is_text = utf8_is_valid(bytes);
    json_write_name(writer, is_text ? name : base64_name);
    json_write_text(writer, is_text ? bytes : digits);
    return ERR_NONE;
}

static struct span take_field(struct span *line)
{
    size_t len = span_find(*line, '|');
    struct span field = span_of(line->data, len);
    *line = span_after(*line, len < line->len ? len + 1 : len);
    return field;
}

/* SEQ|KEY|TIMESTAMP|BODY */
static enum err write_record(struct tail_json *json, struct span line)
{
    struct json_writer writer;
    uint64_t number;
    struct span seq = take_field(&line);
    struct span key = take_field(&line);
    struct span timestamp = take_field(&line);
    enum err err = ERR_NONE;
    buffer_clear(&json->text);
    json_writer_init(&writer, &json->text);
    json_write_object_begin(&writer);
    json_write_name(&writer, span_to_u64(seq, &number) ? "seq" : "place");
    if (span_to_u64(seq, &number))
        json_write_u64(&writer, number);
    else
        json_write_text(&writer, seq);
    if (key.len > 0)
        err = write_bytes(json, &writer, key, "key", "key_base64");
    json_write_name(&writer, "timestamp");
    if (span_to_u64(timestamp, &number))
        json_write_u64(&writer, number);
    else
        json_write_text(&writer, timestamp); /* as the producer wrote it */
    if (err == ERR_NONE)
        err = write_bytes(json, &writer, line, "body", "body_base64");
    json_write_object_end(&writer);
    return err == ERR_NONE ? writer.err : err;
}

enum err tail_json_print(struct tail_json *json, struct span bytes, FILE *to)
{
    enum err err = ERR_NONE;
    while (err == ERR_NONE && bytes.len > 0) {
        size_t len = span_find(bytes, '\n');
        err = buffer_append(&json->line, span_of(bytes.data, len));
        if (err != ERR_NONE || len == bytes.len)
            break;
        bytes = span_after(bytes, len + 1);
        err = write_record(json, buffer_span(&json->line));
        buffer_clear(&json->line);
        (void)fwrite(json->text.data, 1, json->text.len, to);
        (void)fputc('\n', to);
    }
    return err;
}
