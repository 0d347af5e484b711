/* Bytes that grow up to a maximum given at birth. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "base/err.h"
#include "base/span.h"

struct buffer {
    uint8_t *data;
    size_t len;
    size_t size;     /* allocated */
    size_t size_max; /* never more than this is allocated */
};

void buffer_init(struct buffer *buffer, size_t size_max);
void buffer_done(struct buffer *buffer);

/*
 * Makes room for `count` more bytes behind len. TOO_LARGE beyond the maximum, MEMORY; on an error nothing
 * changes.
 */
enum err buffer_reserve(struct buffer *buffer, size_t count) MUST_CHECK;
enum err buffer_append(struct buffer *buffer, struct span bytes) MUST_CHECK;
enum err buffer_append_text(struct buffer *buffer, const char *text) MUST_CHECK;
enum err buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3) MUST_CHECK;

/* Drops the first `count` bytes; the rest moves to the front. */
void buffer_consume(struct buffer *buffer, size_t count);
/* Empties it; the storage stays. */
void buffer_clear(struct buffer *buffer);
/* Empties it and gives the storage back. */
void buffer_release(struct buffer *buffer);

static inline struct span buffer_span(const struct buffer *buffer)
{
    return span_of(buffer->data, buffer->len);
}

#endif
