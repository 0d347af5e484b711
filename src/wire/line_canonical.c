/* Writes records as canonical lines; docs/protocols/line.md says what they look like and why. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line_canonical.h"

#include "base/base64.h"
#include "wire/line_number.h"

enum {
    TIMESTAMP_MAX = 64,                                  /* a longer header is no timestamp */
    PLACE_SIZE_MAX = 2 * LINE_NUMBER_SIZE_MAX + 1,       /* <partition>:<offset> */
    FRAME_SIZE_MAX = PLACE_SIZE_MAX + TIMESTAMP_MAX + 4, /* all but key and body */
};

static struct span header_value(const struct record *record, const char *name)
{
    for (uint32_t i = 0; i < record->header_count; i++)
        if (span_equal_text(record->headers[i].name, name))
            return record->headers[i].value;
    return span_of(NULL, 0);
}

static uint8_t *put_span(uint8_t *to, struct span bytes)
{
    if (bytes.len > 0)
        memcpy(to, bytes.data, bytes.len);
    return to + bytes.len;
}

/* Records of other doors may carry anything in a header `seq`: only a number is shown. */
static uint8_t *put_seq(uint8_t *to, const struct record *record, uint32_t partition)
{
    struct span seq = header_value(record, "seq");
    uint64_t number;
    if (line_number_parse(seq, &number))
        return put_span(to, line_number_trim(seq));
    to = line_number_put(to, partition);
    *to++ = ':';
    return line_number_put(to, record->offset);
}

static bool breaks_a_line(struct span bytes)
{
    return span_find(bytes, '\n') < bytes.len || span_find(bytes, '\r') < bytes.len;
}

static bool is_timestamp(struct span bytes)
{
    return bytes.len > 0 && bytes.len <= TIMESTAMP_MAX && !breaks_a_line(bytes) &&
           span_find(bytes, '|') == bytes.len;
}

static uint8_t *put_timestamp(uint8_t *to, const struct record *record)
{
    struct span timestamp = header_value(record, "timestamp");
    if (is_timestamp(timestamp))
        return put_span(to, timestamp);
    uint64_t distance = (uint64_t)record->timestamp_ms;
    if (record->timestamp_ms < 0) {
        *to++ = '-';
        distance = -distance;
    }
    return line_number_put(to, distance);
}

static uint8_t *put_escaped(uint8_t *to, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t byte = bytes.data[i];
        uint8_t letter = byte == '\n'   ? 'n'
                         : byte == '\r' ? 'r'
                         : byte == '|'  ? 'p'
                         : byte == '\\' ? '\\'
                                        : 0;
        if (letter == 0) {
            *to++ = byte;
        } else {
            *to++ = '\\';
            *to++ = letter;
        }
    }
    return to;
}

enum form { FORM_EXACT, FORM_ESCAPED, FORM_BASE64 };

static enum form choose_form(const struct record *record, enum line_encoding encoding)
{
    if (encoding == LINE_ENCODING_BASE64)
        return FORM_BASE64;
    bool is_exact = !breaks_a_line(record->value) && !breaks_a_line(record->key) &&
                    span_find(record->key, '|') == record->key.len;
    return is_exact ? FORM_EXACT : FORM_ESCAPED;
}

static uint8_t *put_form(uint8_t *to, struct span bytes, enum form form)
{
    if (form == FORM_EXACT)
        return put_span(to, bytes);
    return form == FORM_ESCAPED ? put_escaped(to, bytes) : base64_put(to, bytes);
}

enum err line_canonical_append(struct buffer *buffer,
                               const struct record *record,
                               uint32_t partition,
                               enum line_encoding encoding)
{
    enum form form = choose_form(record, encoding);
    size_t len = record->key.len + record->value.len;
    size_t worst =
        form == FORM_EXACT ? len : 2 * len + 8; /* base64 is 4/3, and at most two groups are padded */
    enum err err = buffer_reserve(buffer, worst + FRAME_SIZE_MAX);
    if (err != ERR_NONE)
        return err;
    uint8_t *start = buffer->data + buffer->len;
    uint8_t *to = put_seq(start, record, partition);
    *to++ = '|';
    to = put_form(to, record->key, form);
    *to++ = '|';
    to = put_timestamp(to, record);
    *to++ = '|';
    to = put_form(to, record->value, form);
    *to++ = '\n';
    buffer->len += (size_t)(to - start);
    return ERR_NONE;
}
