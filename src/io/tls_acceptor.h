/* The handshakes under way of one listener. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_TLS_ACCEPTOR_H
#define IO_TLS_ACCEPTOR_H

#include "io/stream.h"
#include "io/tls_context.h"

/* Beyond it the one that has waited longest is cut: a peer that says nothing must not keep out the others. */
enum { TLS_HANDSHAKES_MAX = 1000 };

struct tls_acceptor;

struct tls_acceptor_events {
    /* Paused, and the owner's from now on. */
    void (*on_secured)(void *owner, struct stream *stream);
    void (*on_refused)(void *owner, const char *peer, const char *reason);
};

/* Takes a reference of its own to the context. MEMORY. */
enum err tls_acceptor_new(struct tls_context *context,
                          const struct tls_acceptor_events *events,
                          void *owner,
                          struct tls_acceptor **ret_acceptor) MUST_CHECK;

/* Takes an accepted stream, paused; one of the events comes for it, or none when it goes without having said a word. */
void tls_acceptor_take(struct tls_acceptor *acceptor, struct stream *stream);

/* For those that are taken from now on. */
void tls_acceptor_change(struct tls_acceptor *acceptor, struct tls_context *context);

/* Cuts what is under way and calls no more events; frees itself when the last of them is gone. Takes NULL; returns NULL. */
struct tls_acceptor *tls_acceptor_close(struct tls_acceptor *acceptor);

#endif
