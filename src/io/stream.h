/* One connection's bytes, both ways: the seam under every protocol (plain or TLS; in memory for tests). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_STREAM_H
#define IO_STREAM_H

#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"
#include "io/loop.h"

struct stream;

/* All callbacks come on the loop's thread, none from inside a call to the stream. */
struct stream_events {
    /* Bytes have come; they are gone when it returns. Return false to stop reading (as stream_pause). */
    bool (*on_bytes)(void *owner, struct span bytes);
    /* The peer has closed its side (half-close); writing is still possible. See stream_is_cut. */
    void (*on_end)(void *owner);
    /* What was queued has fallen below the low mark again after stream_write said BUSY. */
    void (*on_drained)(void *owner);
    /* The last event: the stream is gone (by stream_close, or CLOSED, IO ... by itself). */
    void (*on_closed)(void *owner, enum err err);
};

struct stream_ops {
    void (*pause)(struct stream *stream); /* reads no more until resume */
    void (*resume)(struct stream *stream);
    enum err (*write)(struct stream *stream, struct span bytes);
    void (*close)(struct stream *stream, bool after_writes);
};

/* Implementations embed it. It frees itself when on_closed has returned: its owner forgets it there. */
struct stream {
    const struct stream_ops *ops;
    struct loop *loop;
    const struct stream_events *events;
    void *owner;
    char peer[64];        /* "127.0.0.1:51234", for logs */
    const char *identity; /* what the peer has proved to be, one word; NULL: it proved nothing */
    bool is_cut;
};

enum { STREAM_WRITE_QUEUE_MAX = 256 * 1024 };

/* Who speaks here, as it is recorded: the name in the certificate that the peer has shown, else its address. */
static inline const char *stream_identity(const struct stream *stream)
{
    return stream->identity != NULL ? stream->identity : stream->peer;
}

/*
 * From on_end on: the end was not said by the peer itself, as TLS does it, so anybody between may have made it: what was
 * sent before is whole, but a message whose end is the end of the connection may not be.
 */
static inline bool stream_is_cut(const struct stream *stream)
{
    return stream->is_cut;
}

/*
 * Copies what the kernel does not take at once. NONE; BUSY: taken too, but more than STREAM_WRITE_QUEUE_MAX waits (less when
 * many peers do not read): write no more until on_drained. A caller that goes on is cut at four times the maximum: on_closed
 * says TOO_LARGE. CLOSED: gone or closing, on_closed comes or came.
 */
static inline enum err stream_write(struct stream *stream, struct span bytes)
{
    return stream->ops->write(stream, bytes);
}

static inline void stream_pause(struct stream *stream)
{
    stream->ops->pause(stream);
}

static inline void stream_resume(struct stream *stream)
{
    stream->ops->resume(stream);
}

/*
 * on_closed comes later, from the loop. `after_writes`: what is queued still goes out first, as long as the peer takes it;
 * no other event comes meanwhile.
 */
static inline void stream_close(struct stream *stream, bool after_writes)
{
    stream->ops->close(stream, after_writes);
}

#endif
