/* Growing bytes with a ceiling. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUFFER_SIZE_FIRST = 64 };

void buffer_init(struct buffer *buffer, size_t size_max)
{
    check(size_max > 0);
    *buffer = (struct buffer){.size_max = size_max};
}

void buffer_done(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}

enum err buffer_reserve(struct buffer *buffer, size_t count)
{
    check(buffer->len <= buffer->size);
    if (count <= buffer->size - buffer->len)
        return ERR_NONE;
    if (count > buffer->size_max - buffer->len)
        return ERR_TOO_LARGE;
    size_t size = buffer->size == 0 ? BUFFER_SIZE_FIRST : buffer->size;
    if (size > buffer->size_max)
        size = buffer->size_max;
    while (size < buffer->len + count)
        size = size > buffer->size_max / 2 ? buffer->size_max : size * 2;
    uint8_t *data = realloc(buffer->data, size);
    if (data == NULL)
        return ERR_MEMORY;
    buffer->data = data;
    buffer->size = size;
    return ERR_NONE;
}

enum err buffer_append(struct buffer *buffer, struct span bytes)
{
    enum err err = buffer_reserve(buffer, bytes.len);
    if (err != ERR_NONE)
        return err;
    if (bytes.len > 0)
        memcpy(buffer->data + buffer->len, bytes.data, bytes.len);
    buffer->len += bytes.len;
    return ERR_NONE;
}

enum err buffer_append_text(struct buffer *buffer, const char *text)
{
    return buffer_append(buffer, span_from_text(text));
}

enum err buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    check(len >= 0);
    enum err err = buffer_reserve(buffer, (size_t)len + 1);
    if (err != ERR_NONE)
        return err;
    va_start(arguments, format);
    (void)vsnprintf((char *)buffer->data + buffer->len, (size_t)len + 1, format, arguments);
    va_end(arguments);
    buffer->len += (size_t)len;
    return ERR_NONE;
}

void buffer_consume(struct buffer *buffer, size_t count)
{
    check(count <= buffer->len);
    if (count == 0)
        return;
    buffer->len -= count;
    memmove(buffer->data, buffer->data + count, buffer->len);
}

void buffer_clear(struct buffer *buffer)
{
    buffer->len = 0;
}

void buffer_release(struct buffer *buffer)
{
    free(buffer->data);
    buffer->data = NULL;
    buffer->len = 0;
    buffer->size = 0;
}
