/* Accepting, counting, draining: what all doors have in common. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/door.h"

#include "base/log.h"
#include "base/metric.h"

void door_init(struct door *door, const struct door_ops *ops, struct loop *loop, const char *name)
{
    *door = (struct door){.ops = ops, .loop = loop, .name = name};
    list_init(&door->connections);
}

void door_done(struct door *door)
{
    check(list_is_empty(&door->connections));
    if (door->listener != NULL)
        door->listener = listener_close(door->listener);
}

static void on_refused_closed(void *owner, enum err err)
{
    (void)owner;
    (void)err;
}

static const struct stream_events refused_events = {.on_closed = on_refused_closed};

void door_take_stream(struct door *door, struct stream *stream)
{
    enum err err = door->is_draining ? ERR_DRAINING : door->ops->on_accepted(door, stream);
    if (err == ERR_NONE)
        return;
    metric_add(METRIC_CONNECTIONS_REFUSED, 1);
    log_line(LOG_WARN, "door", "connection refused", "door=\"%s\" peer=%s err=%s", door->name, stream->peer,
             err_name(err));
    stream->events = &refused_events;
    stream_close(stream, false);
}

static void on_accepted(void *owner, struct stream *stream)
{
    door_take_stream(owner, stream);
}

static void on_starved(void *owner, enum err err)
{
    struct door *door = owner;
    log_line(LOG_WARN, "door", "accepting pauses", "door=\"%s\" err=%s connections=%u", door->name,
             err_name(err), door->connection_count);
}

static void on_refused(void *owner, const char *peer, const char *reason)
{
    const struct door *door = owner;
    metric_add(METRIC_CONNECTIONS_REFUSED, 1);
    metric_add(METRIC_TLS_FAILED, 1);
    log_line(LOG_WARN, "door", "TLS handshake failed", "door=\"%s\" peer=%s reason=\"%s\"", door->name, peer,
             reason);
}

enum err door_listen(struct door *door, const struct listen_socket *socket)
{
    static const struct listener_events events = {
        .on_accepted = on_accepted, .on_starved = on_starved, .on_refused = on_refused};
    check(door->listener == NULL);
    return listener_new(door->loop, socket, &events, door, &door->listener);
}

void door_set_tls(struct door *door, struct tls_context *tls)
{
    if (door->listener != NULL)
        listener_set_tls(door->listener, tls);
}

static void tell_when_empty(struct door *door)
{
    if (!door->is_draining || door->connection_count > 0 || door->on_drained == NULL)
        return;
    void (*on_drained)(void *owner) = door->on_drained;
    door->on_drained = NULL;
    on_drained(door->owner);
}

void door_drain(struct door *door, void (*on_drained)(void *owner), void *owner)
{
    check(!door->is_draining);
    door->is_draining = true;
    door->on_drained = on_drained;
    door->owner = owner;
    if (door->listener != NULL)
        door->listener = listener_close(door->listener);
    LIST_EACH_SAFE (&door->connections, link)
        door->ops->drain(LIST_OWNER(link, struct door_connection, link));
    tell_when_empty(door);
}

void door_cut(struct door *door)
{
    LIST_EACH_SAFE (&door->connections, link) {
        struct door_connection *connection = LIST_OWNER(link, struct door_connection, link);
        if (connection->stream == NULL)
            continue; /* gone already; what it handed in is still on its way */
        log_line(LOG_WARN, "door", "connection cut", "door=\"%s\" peer=%s", door->name,
                 connection->stream->peer);
        stream_close(connection->stream, false);
    }
}

void door_connection_open(struct door_connection *connection,
                          struct door *door,
                          struct stream *stream,
                          const struct stream_events *events,
                          void *owner)
{
    *connection = (struct door_connection){.door = door, .stream = stream};
    list_insert_last(&door->connections, &connection->link);
    door->connection_count++;
    stream->events = events;
    stream->owner = owner;
    metric_add(METRIC_CONNECTIONS, 1);
    metric_add(METRIC_CONNECTIONS_OPEN, 1);
}

void door_connection_close(struct door_connection *connection)
{
    struct door *door = connection->door;
    connection->stream = NULL;
    list_remove(&connection->link);
    door->connection_count--;
    metric_add(METRIC_CONNECTIONS_OPEN, -1);
    tell_when_empty(door);
}
