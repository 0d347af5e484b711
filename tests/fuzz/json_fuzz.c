/* Fuzzes the JSON reader: what it accepts is rewritten piece by piece and must be accepted and mean the same again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/json_reader.h"
#include "base/json_writer.h"
#include "base/utf8.h"
#include "fuzz/fuzz.h"

/* Writes the piece again, with its strings resolved and escaped anew. */
static void rewrite(struct json_writer *writer, enum json_kind kind, struct span piece)
{
    switch (kind) {
    case JSON_OBJECT_BEGIN: json_write_object_begin(writer); return;
    case JSON_OBJECT_END: json_write_object_end(writer); return;
    case JSON_ARRAY_BEGIN: json_write_array_begin(writer); return;
    case JSON_ARRAY_END: json_write_array_end(writer); return;
    case JSON_NAME: json_write_text(writer, piece); return;
    case JSON_STRING: {
        uint8_t *text = malloc(piece.len + 1);
        check(text != NULL);
        struct span resolved = span_of(text, json_text_resolve(piece, text));
        check(resolved.len <= piece.len && utf8_is_valid(resolved));
        json_write_text(writer, resolved);
        free(text);
        return;
    }
    case JSON_NUMBER:
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL: json_write_raw(writer, piece); return;
    case JSON_BAD:
    case JSON_END: check(false);
    }
}

/* Names become array members here: the check is of pieces, not of shape. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_reader reader;
    struct buffer buffer;
    struct json_writer writer;
    buffer_init(&buffer, 64 << 20);
    json_writer_init(&writer, &buffer);
    json_reader_init(&reader, span_of(data, size));
    enum json_kind kind;
    json_write_array_begin(&writer);
    while ((kind = json_reader_next(&reader)) != JSON_BAD && kind != JSON_END) {
        bool is_object = kind == JSON_OBJECT_BEGIN || kind == JSON_OBJECT_END;
        struct span piece = json_reader_piece(&reader);
        check(reader.to <= size && reader.depth <= JSON_DEPTH_MAX);
        rewrite(&writer, is_object ? (enum json_kind)(kind + JSON_ARRAY_BEGIN - JSON_OBJECT_BEGIN) : kind,
                piece);
    }
    json_write_array_end(&writer);
    if (kind == JSON_END && writer.err == ERR_NONE) {
        struct json_reader again;
        json_reader_init(&again, buffer_span(&buffer));
        unsigned depth_max = 0;
        while ((kind = json_reader_next(&again)) != JSON_BAD && kind != JSON_END)
            depth_max = again.depth > depth_max ? again.depth : depth_max;
        check(kind == JSON_END || depth_max == JSON_DEPTH_MAX);
    }
    buffer_done(&buffer);
    return 0;
}
