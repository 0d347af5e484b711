/* Writes lines to a peer that reads as it likes: what it does not take yet is held here, within a budget of the loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_LINE_WRITER_H
#define DOOR_LINE_WRITER_H

#include "base/buffer.h"
#include "io/stream.h"

enum {
    LINE_WRITER_PIECE = 64 * 1024,           /* as much is worth making at once */
    LINE_WRITER_PIECE_PRESSED = 4 * 1024,    /* while many peers do not read */
    LINE_WRITER_PRESSURE = 16 * 1024 * 1024, /* bytes that wait for such peers of the loop */
    LINE_WRITER_HELD_MAX = 32 * 1024 * 1024, /* beyond it nothing more is held */
};

struct line_writer {
    struct stream *stream;
    struct buffer held; /* of lines larger than a piece; counted in the loop's queued_bytes */
    size_t sent;        /* of it */
    bool is_busy;       /* until on_drained */
};

void line_writer_init(struct line_writer *writer, struct stream *stream);
/* What is held is forgotten. */
void line_writer_done(struct line_writer *writer);

/* How many bytes of lines are worth making now; 0 while it is busy. */
size_t line_writer_room(const struct line_writer *writer);

/*
 * Takes whole lines, however long. NONE; BUSY: taken, and no more until line_writer_resume; CLOSED: the stream is gone; TOO_MANY:
 * too many bytes wait for peers of this loop to hold these too, so a part of them is lost and the connection is to be cut; MEMORY
 * likewise.
 */
enum err line_writer_write(struct line_writer *writer, struct span lines) MUST_CHECK;
/* The stream's on_drained. NONE: there is room again; BUSY, CLOSED as above. */
enum err line_writer_resume(struct line_writer *writer) MUST_CHECK;

#endif
