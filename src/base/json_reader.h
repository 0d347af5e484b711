/* Reads JSON (RFC 8259, strict) piece by piece out of borrowed bytes: no tree, no allocation. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JSON_READER_H
#define BASE_JSON_READER_H

#include "base/span.h"

enum { JSON_DEPTH_MAX = 64 };

enum json_kind {
    JSON_BAD, /* not JSON at `at`, or deeper than JSON_DEPTH_MAX; it stays so */
    JSON_END, /* the one value is complete, and nothing but white space follows; it stays so */
    JSON_OBJECT_BEGIN,
    JSON_OBJECT_END,
    JSON_ARRAY_BEGIN,
    JSON_ARRAY_END,
    JSON_NAME, /* of a member; its value is next */
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
};

struct json_reader {
    struct span text;
    size_t at;   /* behind the last piece; where it went wrong after BAD */
    size_t from; /* where the last piece begins, quotes included */
    size_t to;   /* behind its last byte: text[from, to) is the piece byte for byte */
    unsigned depth;
    uint64_t objects; /* bit d - 1: the container at depth d is an object, else an array */
    uint8_t expects;  /* the reader's own */
};

/* UTF-8 is checked; names may repeat, as the standard leaves open. */
void json_reader_init(struct json_reader *reader, struct span text);
enum json_kind json_reader_next(struct json_reader *reader);

/*
 * Behind OBJECT_BEGIN, ARRAY_BEGIN or a NAME: passes over the rest of that value, whose bytes are then
 * [from, to).
 */
bool json_reader_skip(struct json_reader *reader);

/* The last piece; of a name or string what stands between the quotes, escapes untouched. */
struct span json_reader_piece(const struct json_reader *reader);

/* Whether a piece of a name or string means this text, escapes resolved. */
bool json_text_equal(struct span piece, const char *text);
/*
 * Resolves escapes into `to`, which holds piece.len bytes; the length. Half a surrogate pair becomes
 * U+FFFD.
 */
size_t json_text_resolve(struct span piece, uint8_t *to);

/* A whole number without fraction and exponent; false for any other and on overflow. */
bool json_number_to_i64(struct span piece, int64_t *ret_value);

#endif
