/* Writes JSON into a buffer; commas and quotes come by themselves. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JSON_WRITER_H
#define BASE_JSON_WRITER_H

#include "base/buffer.h"

/* The first error stays, and nothing more is written; ask for it once, at the end. */
struct json_writer {
    struct buffer *buffer;
    enum err err;
    bool needs_comma;
};

void json_writer_init(struct json_writer *writer, struct buffer *buffer);

void json_write_object_begin(struct json_writer *writer);
void json_write_object_end(struct json_writer *writer);
void json_write_array_begin(struct json_writer *writer);
void json_write_array_end(struct json_writer *writer);
/* The name of the member that is written next. */
void json_write_name(struct json_writer *writer, const char *name);

/* Escapes what must be; a byte that is no UTF-8 becomes U+FFFD, for JSON has no place for it. */
void json_write_text(struct json_writer *writer, struct span text);
void json_write_u64(struct json_writer *writer, uint64_t value);
void json_write_i64(struct json_writer *writer, int64_t value);
void json_write_bool(struct json_writer *writer, bool value);
void json_write_null(struct json_writer *writer);
/* A whole value that is JSON already, byte for byte. */
void json_write_raw(struct json_writer *writer, struct span json);

#endif
