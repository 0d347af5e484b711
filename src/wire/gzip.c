/* Gzip on bytes, by zlib. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/gzip.h"

#include <stdlib.h>

#include <zlib.h>

enum {
    WINDOW_BITS = 15 + 16, /* + 16: with a gzip header */
    MEMORY_LEVEL = 8,
    STEP_SIZE = 64 * 1024,
};

struct gzip {
    z_stream stream;
};

enum err gzip_new(struct gzip **ret_gzip)
{
    struct gzip *self = calloc(1, sizeof *self);
    if (self == NULL)
        return ERR_MEMORY;
    if (deflateInit2(&self->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        free(self);
        return ERR_MEMORY;
    }
    *ret_gzip = self;
    return ERR_NONE;
}

struct gzip *gzip_free(struct gzip *gzip)
{
    if (gzip == NULL)
        return NULL;
    (void)deflateEnd(&gzip->stream); /* says when a stream was left unfinished */
    free(gzip);
    return NULL;
}

enum err gzip_add(struct gzip *gzip, struct span bytes, bool is_last, struct buffer *to)
{
    z_stream *stream = &gzip->stream;
    check(bytes.len <= UINT32_MAX);
    stream->next_in = (Bytef *)(uintptr_t)bytes.data;
    stream->avail_in = (uInt)bytes.len;
    int result = Z_OK;
    do {
        enum err err = buffer_reserve(to, STEP_SIZE);
        if (err != ERR_NONE)
            return err;
        stream->next_out = to->data + to->len;
        stream->avail_out = STEP_SIZE;
        result = deflate(stream, is_last ? Z_FINISH : Z_NO_FLUSH);
        check(result != Z_STREAM_ERROR);
        to->len += STEP_SIZE - stream->avail_out;
    } while (stream->avail_out == 0);
    check(stream->avail_in == 0 && (!is_last || result == Z_STREAM_END));
    return ERR_NONE;
}
