/* Keeps count of handshakes: a listener may go before they have come to an end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_acceptor.h"

#include <stdlib.h>

#include "io/stream_tls.h"

struct tls_acceptor {
    struct tls_context *context;
    const struct tls_acceptor_events *events;
    void *owner;
    struct list handshakes; /* the oldest first */
    unsigned count;
    bool is_closing;
};

struct handshake {
    struct list link;
    struct tls_acceptor *acceptor;
    struct stream *stream;
};

enum err tls_acceptor_new(struct tls_context *context,
                          const struct tls_acceptor_events *events,
                          void *owner,
                          struct tls_acceptor **ret_acceptor)
{
    struct tls_acceptor *self = calloc(1, sizeof *self);
    if (self == NULL)
        return ERR_MEMORY;
    *self = (struct tls_acceptor){.context = tls_context_ref(context), .events = events, .owner = owner};
    list_init(&self->handshakes);
    *ret_acceptor = self;
    return ERR_NONE;
}

static void free_when_over(struct tls_acceptor *self)
{
    if (!self->is_closing || self->count > 0)
        return;
    tls_context_unref(self->context);
    free(self);
}

static struct tls_acceptor *handshake_over(struct handshake *handshake)
{
    struct tls_acceptor *self = handshake->acceptor;
    list_remove(&handshake->link);
    free(handshake);
    self->count--;
    return self;
}

static void on_secured(void *owner, struct stream *stream)
{
    struct tls_acceptor *self = handshake_over(owner);
    check(!self->is_closing); /* those that were under way then have been closed */
    self->events->on_secured(self->owner, stream);
}

static void on_failed(void *owner, const char *peer, const char *reason)
{
    struct tls_acceptor *self = handshake_over(owner);
    if (!self->is_closing && reason[0] != '\0')
        self->events->on_refused(self->owner, peer, reason);
    free_when_over(self);
}

/* It may be on its way out already. */
static void cut_oldest(struct tls_acceptor *self)
{
    struct handshake *oldest = LIST_OWNER(self->handshakes.next, struct handshake, link);
    self->events->on_refused(self->owner, oldest->stream->peer, "too many handshakes are under way");
    stream_close(oldest->stream, false);
    /* So that the next one is another. */
    list_remove(&oldest->link);
    list_insert_last(&self->handshakes, &oldest->link);
}

static void on_dropped(void *owner, enum err err)
{
    (void)owner;
    (void)err;
}

static void drop(struct tls_acceptor *self, struct stream *stream)
{
    static const struct stream_events events = {.on_closed = on_dropped};
    self->events->on_refused(self->owner, stream->peer, "out of memory");
    stream->events = &events;
    stream_close(stream, false);
}

void tls_acceptor_take(struct tls_acceptor *acceptor, struct stream *stream)
{
    static const struct stream_tls_events events = {on_secured, on_failed};
    struct handshake *handshake = calloc(1, sizeof *handshake);
    if (acceptor->count >= TLS_HANDSHAKES_MAX)
        cut_oldest(acceptor);
    if (handshake == NULL ||
        stream_tls_new(stream, acceptor->context, &events, handshake, &handshake->stream) != ERR_NONE) {
        free(handshake);
        drop(acceptor, stream);
        return;
    }
    handshake->acceptor = acceptor;
    list_insert_last(&acceptor->handshakes, &handshake->link);
    acceptor->count++;
}

void tls_acceptor_change(struct tls_acceptor *acceptor, struct tls_context *context)
{
    struct tls_context *before = acceptor->context;
    acceptor->context = tls_context_ref(context);
    tls_context_unref(before);
}

struct tls_acceptor *tls_acceptor_close(struct tls_acceptor *acceptor)
{
    if (acceptor == NULL)
        return NULL;
    acceptor->is_closing = true;
    LIST_EACH (&acceptor->handshakes, link)
        stream_close(LIST_OWNER(link, struct handshake, link)->stream, false);
    free_when_over(acceptor);
    return NULL;
}
