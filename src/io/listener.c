/* Accepts connections on one loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/loop_uv_impl.h"
#include "io/stream_socket.h"
#include "io/tls_acceptor.h"

/*
 * The descriptor is watched with uv_poll_t: libuv's own listener answers a lack of descriptors by accepting and
 * closing what waits; here it waits.
 */
enum {
    BACKLOG = 4096,
    ACCEPTS_PER_TURN = 64,   /* so that a storm of connections does not starve those that are there */
    HANDSHAKES_PER_TURN = 8, /* nor one of TLS: each is a signature */
};

static const int64_t starved_pause_ns = 100 * CLOCK_NS_PER_MS;

struct listener {
    struct loop *loop;
    const struct listener_events *events;
    void *owner;
    struct tls_acceptor *acceptor; /* NULL without TLS */
    uv_poll_t poll;
    int fd;
    bool is_paused;
    bool is_closing;
    struct timer retry;
};

union peer_address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

static void name_peer(const union peer_address *peer, char *text, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "";
    if (peer->any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &peer->in.sin_addr, host, sizeof(host));
        snprintf(text, size, "%s:%u", host, (unsigned)ntohs(peer->in.sin_port));
    } else if (peer->any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &peer->in6.sin6_addr, host, sizeof(host));
        snprintf(text, size, "[%s]:%u", host, (unsigned)ntohs(peer->in6.sin6_port));
    } else {
        snprintf(text, size, "unix");
    }
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void starve(struct listener *self, enum err err)
{
    uv_poll_stop(&self->poll);
    timer_start(&self->retry, starved_pause_ns);
    self->events->on_starved(self->owner, err);
}

/* False when there is nothing more to accept now. */
static bool accept_one(struct listener *self)
{
    union peer_address peer = {.any.sa_family = AF_UNSPEC};
    socklen_t len = sizeof(peer);
    int fd = accept4(self->fd, &peer.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
        starve(self, err_from_errno(errno));
        return false;
    }
    if (fd < 0)
        return errno != EAGAIN; /* else that one connection failed before we came to it */
    char name[sizeof(((struct stream *)NULL)->peer)];
    name_peer(&peer, name, sizeof(name));
    struct stream *stream = NULL;
    enum err err = stream_socket_new(self->loop, fd, name, &stream);
    if (err != ERR_NONE) {
        starve(self, err);
        return false;
    }
    if (self->acceptor != NULL)
        tls_acceptor_take(self->acceptor, stream);
    else
        self->events->on_accepted(self->owner, stream);
    return !self->is_paused && !self->is_closing;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct listener *self = poll->data;
    unsigned most = self->acceptor != NULL ? HANDSHAKES_PER_TURN : ACCEPTS_PER_TURN;
    for (unsigned i = 0; i < most; i++)
        if (!accept_one(self))
            return;
}

static void watch(struct listener *self)
{
    check(uv_poll_start(&self->poll, UV_READABLE, on_poll) == 0);
}

static void on_retry_due(struct timer *retry)
{
    watch(LIST_OWNER(retry, struct listener, retry));
}

static void on_secured(void *owner, struct stream *stream)
{
    struct listener *self = owner;
    self->events->on_accepted(self->owner, stream);
}

static void on_refused(void *owner, const char *peer, const char *reason)
{
    struct listener *self = owner;
    self->events->on_refused(self->owner, peer, reason);
}

static enum err open_acceptor(struct listener *self, struct tls_context *tls)
{
    static const struct tls_acceptor_events events = {on_secured, on_refused};
    return tls == NULL ? ERR_NONE : tls_acceptor_new(tls, &events, self, &self->acceptor);
}

enum err listener_new(struct loop *loop,
                      const struct listen_socket *socket,
                      const struct listener_events *events,
                      void *owner,
                      struct listener **ret_listener)
{
    struct listener *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return ERR_MEMORY;
    *self = (struct listener){.loop = loop, .events = events, .owner = owner};
    timer_init(&self->retry, loop, on_retry_due);
    self->fd = fcntl(socket->fd, F_DUPFD_CLOEXEC, 0);
    bool is_listening = self->fd >= 0 && listen(self->fd, BACKLOG) == 0;
    enum err err = is_listening ? ERR_NONE : errno == EADDRINUSE ? ERR_IN_USE : ERR_SYSTEM;
    if (is_listening && uv_poll_init_socket(loop_uv_handle(loop), &self->poll, self->fd) != 0)
        err = ERR_SYSTEM;
    if (err == ERR_NONE)
        err = open_acceptor(self, socket->tls);
    if (err != ERR_NONE) {
        if (self->fd >= 0)
            close(self->fd);
        free(self);
        return err;
    }
    self->poll.data = self;
    watch(self);
    *ret_listener = self;
    return ERR_NONE;
}

void listener_pause(struct listener *listener)
{
    listener->is_paused = true;
    timer_stop(&listener->retry);
    uv_poll_stop(&listener->poll);
}

void listener_resume(struct listener *listener)
{
    if (listener->is_paused)
        watch(listener);
    listener->is_paused = false;
}

void listener_set_tls(struct listener *listener, struct tls_context *tls)
{
    check(listener->acceptor != NULL);
    tls_acceptor_change(listener->acceptor, tls);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct listener *self = handle->data;
    close(self->fd);
    free(self);
}

struct listener *listener_close(struct listener *listener)
{
    if (listener == NULL)
        return NULL;
    listener->is_closing = true;
    listener->acceptor = tls_acceptor_close(listener->acceptor);
    timer_stop(&listener->retry);
    uv_close((uv_handle_t *)&listener->poll, on_poll_closed);
    return NULL;
}
