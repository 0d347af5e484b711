/* Accepts connections on one loop; several loops may accept from one socket. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_LISTENER_H
#define IO_LISTENER_H

#include "io/listen_socket.h"
#include "io/stream.h"

struct listener;

struct listener_events {
    /* A new connection, paused and the owner's: it puts events and itself into it and resumes it, or closes it. */
    void (*on_accepted)(void *owner, struct stream *stream);
    /* No descriptor or memory is left: accepting pauses for 100 ms; connections wait in the kernel's queue. */
    void (*on_starved)(void *owner, enum err err);
    /* With TLS: a client did not get as far as on_accepted. The reason is a sentence for the log. */
    void (*on_refused)(void *owner, const char *peer, const char *reason);
};

/* Begins to listen, with the socket's TLS if it has any. It has a descriptor of its own: the socket may be closed. MEMORY, SYSTEM, IN_USE. */
enum err listener_new(struct loop *loop,
                      const struct listen_socket *socket,
                      const struct listener_events *events,
                      void *owner,
                      struct listener **ret_listener) MUST_CHECK;

/* While paused, connections wait in the kernel's queue. */
void listener_pause(struct listener *listener);
void listener_resume(struct listener *listener);

/* Connections from now on are secured with this one; the listener must have been made with TLS. Takes a reference of its own. */
void listener_set_tls(struct listener *listener, struct tls_context *tls);

/* Calls no more events; frees itself at the end of the turn. Returns NULL. */
struct listener *listener_close(struct listener *listener);

#endif
