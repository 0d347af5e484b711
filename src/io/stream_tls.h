/* The server's side of TLS as a stream over another stream. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_STREAM_TLS_H
#define IO_STREAM_TLS_H

#include "io/stream.h"
#include "io/tls_context.h"

/* How the handshake comes out: exactly one of them, from the loop. */
struct stream_tls_events {
    /* A connection as a listener's on_accepted gives it: paused, and the owner's who takes it. */
    void (*on_secured)(void *owner, struct stream *stream);
    /* It is gone. `reason` is for the log, "" when the peer left without a word or stream_close was called. */
    void (*on_failed)(void *owner, const char *peer, const char *reason);
};

/*
 * Takes `under`, which nobody has resumed yet, and begins the handshake, which may take 10 s. Until on_secured the stream is
 * good for stream_close alone. The context may go: the stream has its own reference. MEMORY: `under` is not taken.
 *
 * Afterwards it is a stream like all. The peer's close_notify is its end (on_end); a connection that ends without one
 * has been cut: on_end comes too, and stream_is_cut says so. stream_close says close_notify when it is after writes.
 */
enum err stream_tls_new(struct stream *under,
                        struct tls_context *context,
                        const struct stream_tls_events *events,
                        void *owner,
                        struct stream **ret_stream) MUST_CHECK;

#endif
