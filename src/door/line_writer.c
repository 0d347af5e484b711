/* The stream is given pieces, for it ends a connection whose writer goes on without regard. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/line_writer.h"

void line_writer_init(struct line_writer *writer, struct stream *stream)
{
    *writer = (struct line_writer){.stream = stream};
    buffer_init(&writer->held,
                SIZE_MAX / 2); /* a line's maximum is its record's; how many are held has its own */
}

static void count(const struct line_writer *writer, size_t before)
{
    struct loop *loop = writer->stream->loop;
    loop->queued_bytes += writer->held.len - writer->sent;
    loop->queued_bytes -= before;
}

static void forget_held(struct line_writer *writer)
{
    writer->sent = 0;
    buffer_release(&writer->held);
}

void line_writer_done(struct line_writer *writer)
{
    size_t before = writer->held.len - writer->sent;
    forget_held(writer);
    count(writer, before);
}

size_t line_writer_room(const struct line_writer *writer)
{
    if (writer->is_busy)
        return 0;
    bool is_pressed = writer->stream->loop->queued_bytes > LINE_WRITER_PRESSURE;
    return is_pressed ? LINE_WRITER_PIECE_PRESSED : LINE_WRITER_PIECE;
}

/* Gives the stream what it takes of `bytes`; how many that were is told also on an error. */
static enum err give(struct line_writer *writer, struct span bytes, size_t *ret_len)
{
    enum err err = ERR_NONE;
    size_t len = 0;
    while (err == ERR_NONE && len < bytes.len) {
        struct span piece = span_after(bytes, len);
        piece.len = piece.len < LINE_WRITER_PIECE ? piece.len : LINE_WRITER_PIECE;
        err = stream_write(writer->stream, piece);
        len += piece.len;
    }
    writer->is_busy = err != ERR_NONE;
    *ret_len = len;
    return err;
}

static enum err hold(struct line_writer *writer, struct span bytes)
{
    size_t before = writer->held.len - writer->sent;
    if (bytes.len == 0)
        return ERR_BUSY;
    if (writer->stream->loop->queued_bytes > LINE_WRITER_HELD_MAX)
        return ERR_TOO_MANY;
    enum err err = buffer_append(&writer->held, bytes);
    count(writer, before);
    return err == ERR_NONE ? ERR_BUSY : ERR_MEMORY;
}

enum err line_writer_write(struct line_writer *writer, struct span lines)
{
    size_t len = 0;
    if (lines.len == 0)
        return ERR_NONE;
    if (writer->is_busy && writer->held.len == 0)
        return stream_write(writer->stream,
                            lines); /* an answer in between: small, and the stream has room for it */
    enum err err = writer->is_busy ? ERR_BUSY : give(writer, lines, &len);
    return err == ERR_BUSY ? hold(writer, span_after(lines, len)) : err;
}

enum err line_writer_resume(struct line_writer *writer)
{
    size_t before = writer->held.len - writer->sent;
    size_t len = 0;
    writer->is_busy = false;
    if (before == 0)
        return ERR_NONE;
    enum err err = give(writer, span_after(buffer_span(&writer->held), writer->sent), &len);
    writer->sent += len;
    if (writer->sent == writer->held.len)
        forget_held(writer);
    count(writer, before);
    return err;
}
