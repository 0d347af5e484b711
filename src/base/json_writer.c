/* JSON out: each call writes one piece, and the comma before it when one is due. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_writer.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/utf8.h"

void json_writer_init(struct json_writer *writer, struct buffer *buffer)
{
    *writer = (struct json_writer){.buffer = buffer};
}

static void put(struct json_writer *writer, struct span bytes)
{
    if (writer->err == ERR_NONE)
        writer->err = buffer_append(writer->buffer, bytes);
}

static void put_comma(struct json_writer *writer)
{
    if (writer->needs_comma)
        put(writer, span_of(",", 1));
    writer->needs_comma = true;
}

static void put_value(struct json_writer *writer, struct span bytes)
{
    put_comma(writer);
    put(writer, bytes);
}

static void begin(struct json_writer *writer, const char *bracket)
{
    put_value(writer, span_of(bracket, 1));
    writer->needs_comma = false;
}

static void end(struct json_writer *writer, const char *bracket)
{
    put(writer, span_of(bracket, 1));
    writer->needs_comma = true;
}

void json_write_object_begin(struct json_writer *writer)
{
    begin(writer, "{");
}

void json_write_object_end(struct json_writer *writer)
{
    end(writer, "}");
}

void json_write_array_begin(struct json_writer *writer)
{
    begin(writer, "[");
}

void json_write_array_end(struct json_writer *writer)
{
    end(writer, "]");
}

static bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* One character that is not plain ASCII; how many bytes of the text it took. */
static size_t put_character(struct json_writer *writer, struct span text)
{
    uint8_t byte = text.data[0];
    if (byte >= 0x80) {
        size_t len = utf8_character_len(text);
        put(writer, len == 0 ? span_from_text("\xef\xbf\xbd") : span_of(text.data, len));
        return len == 0 ? 1 : len;
    }
    static const char special[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *found = byte == 0 ? NULL : strchr(special, byte);
    char escape[8];
    if (found != NULL)
        (void)snprintf(escape, sizeof escape, "\\%c", letters[found - special]);
    else
        (void)snprintf(escape, sizeof escape, "\\u%04x", byte);
    put(writer, span_from_text(escape));
    return 1;
}

static void put_quoted(struct json_writer *writer, struct span text)
{
    put(writer, span_of("\"", 1));
    while (text.len > 0) {
        size_t plain = 0;
        while (plain < text.len && is_plain(text.data[plain]))
            plain++;
        put(writer, span_of(text.data, plain));
        text = span_after(text, plain);
        if (text.len > 0)
            text = span_after(text, put_character(writer, text));
    }
    put(writer, span_of("\"", 1));
}

void json_write_name(struct json_writer *writer, const char *name)
{
    put_comma(writer);
    put_quoted(writer, span_from_text(name));
    put(writer, span_of(":", 1));
    writer->needs_comma = false;
}

void json_write_text(struct json_writer *writer, struct span text)
{
    put_comma(writer);
    put_quoted(writer, text);
}

void json_write_u64(struct json_writer *writer, uint64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRIu64, value);
    put_value(writer, span_from_text(text));
}

void json_write_i64(struct json_writer *writer, int64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRId64, value);
    put_value(writer, span_from_text(text));
}

void json_write_bool(struct json_writer *writer, bool value)
{
    put_value(writer, span_from_text(value ? "true" : "false"));
}

void json_write_null(struct json_writer *writer)
{
    put_value(writer, span_from_text("null"));
}

void json_write_raw(struct json_writer *writer, struct span json)
{
    put_value(writer, json);
}
