/* A door on one loop: a listener with its connections, whatever protocol they speak. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_DOOR_H
#define DOOR_DOOR_H

#include "base/list.h"
#include "io/listener.h"
#include "io/stream.h"

struct door;

/* Embedded in a protocol's connection, which lives until door_connection_close has been called. */
struct door_connection {
    struct door *door;
    struct stream *stream; /* NULL after its on_closed */
    struct list link;      /* in door->connections */
};

/* What a protocol is asked. */
struct door_ops {
    /* A peer came: make a connection (door_connection_open) and resume the stream. Any error: the stream is closed. */
    enum err (*on_accepted)(struct door *door, struct stream *stream);
    /* Read no more, finish what is in flight, answer it, close. */
    void (*drain)(struct door_connection *connection);
};

struct door {
    const struct door_ops *ops;
    struct loop *loop;
    const char *name; /* for logs: "produce 127.0.0.1:5673" */
    struct listener *listener;
    struct list connections;
    unsigned connection_count;
    bool is_draining;
    void (*on_drained)(void *owner);
    void *owner;
};

/* `name` must outlive the door. */
void door_init(struct door *door, const struct door_ops *ops, struct loop *loop, const char *name);
/* No connection is left. */
void door_done(struct door *door);

/* With the socket's TLS: connections then come to the protocol when their handshake is complete. */
enum err door_listen(struct door *door, const struct listen_socket *socket) MUST_CHECK;
/* New connections are secured with this one; nothing when the door does not listen any more. */
void door_set_tls(struct door *door, struct tls_context *tls);
/* Takes a paused stream as if a listener had accepted it: for tests and for other kinds of listeners. */
void door_take_stream(struct door *door, struct stream *stream);

/* Listens no more and asks every connection to finish. on_drained is called when the last is gone, at once if there is none. */
void door_drain(struct door *door, void (*on_drained)(void *owner), void *owner);
/* Closes the streams that are left, without waiting for anything. */
void door_cut(struct door *door);

/* Counts the connection and takes over the stream's events. */
void door_connection_open(struct door_connection *connection,
                          struct door *door,
                          struct stream *stream,
                          const struct stream_events *events,
                          void *owner);
/* In the stream's on_closed or later: the connection leaves the door, and may be freed. */
void door_connection_close(struct door_connection *connection);

#endif
