/* A stream that opens what comes from another stream, and seals what goes to it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/stream_tls.h"

#include <stdio.h>
#include <stdlib.h>

#include "io/tls_session.h"

/*
 *   sealed bytes come -> opened, all of them, into the loop's second buffer -> on_bytes
 *   write             -> sealed into the loop's buffer, a share at a time -> written to the stream under it
 *   pause             -> the stream under it is paused; back-pressure is its own
 *
 * What has been received when the owner pauses is kept sealed: that happens when it does not resume at once what was
 * accepted, and when more is opened than fits the buffer, by a record at most.
 */
enum state {
    TLS_SHAKING, /* hands */
    TLS_OPEN,
    TLS_CLOSING, /* the stream under it has been told to close */
    TLS_STATE_COUNT,
};

static const bool state_moves[TLS_STATE_COUNT][TLS_STATE_COUNT] = {
    [TLS_SHAKING] = {[TLS_OPEN] = true, [TLS_CLOSING] = true},
    [TLS_OPEN] = {[TLS_CLOSING] = true},
};

/* Records of 16 KiB each, and few enough that the loop's buffer stays in the processor's cache. */
enum { SHARE_SIZE = 64 * 1024 };

static const char went_away[] = "the client went away before the handshake was complete";

static const int64_t handshake_patience_ns = 10 * CLOCK_NS_PER_S;

struct stream_tls {
    struct stream stream;
    struct stream *under; /* NULL when gone */
    struct tls_session session;
    enum state state;
    bool wants_bytes;
    bool has_begun;         /* the peer has sent something */
    bool is_secured;        /* on_secured has been called */
    bool has_rest;          /* more can be opened than the owner has got */
    bool has_ended;         /* the peer has */
    bool owes_drained;      /* the last write said BUSY */
    struct buffer kept;     /* received, sealed, not opened yet */
    struct loop_task going; /* on after a pause */
    struct timer patience;
    const struct stream_tls_events *events;
    void *acceptor; /* the owner of these */
    enum err close_err;
    char reason[TLS_REASON_SIZE];
    char name[TLS_IDENTITY_SIZE];
};

static struct stream_tls *tls_of(struct stream *stream)
{
    return LIST_OWNER(stream, struct stream_tls, stream);
}

static void state_move(struct stream_tls *self, enum state next)
{
    check(state_moves[self->state][next]);
    self->state = next;
}

/* --- Leaving ------------------------------------------------------------------------------------ */

static void close_under(struct stream_tls *self, enum err err, bool after_writes)
{
    if (self->state == TLS_CLOSING) {
        if (!after_writes && self->under != NULL)
            stream_close(self->under, false);
        return;
    }
    state_move(self, TLS_CLOSING);
    self->close_err = err;
    self->stream.loop->queued_bytes -= self->kept.len;
    buffer_release(&self->kept);
    timer_stop(&self->patience);
    loop_task_cancel(&self->going);
    if (self->under != NULL)
        stream_close(self->under, after_writes);
}

/* What OpenSSL has sealed goes on its way. */
static enum err flush(struct stream_tls *self)
{
    struct buffer *sealed = &self->stream.loop->sealed;
    if (sealed->len == 0)
        return ERR_NONE;
    enum err err = self->under == NULL ? ERR_CLOSED : stream_write(self->under, buffer_span(sealed));
    buffer_clear(sealed);
    return err;
}

/* The peer broke the rules: it may be told why. */
static void fail(struct stream_tls *self)
{
    (void)flush(self);
    close_under(self, ERR_PROTOCOL, true);
}

static void tls_close(struct stream *stream, bool after_writes)
{
    struct stream_tls *self = tls_of(stream);
    if (self->state == TLS_OPEN && after_writes) {
        tls_session_finish(&self->session);
        (void)flush(self);
    }
    self->reason[0] = '\0';
    close_under(self, ERR_NONE, after_writes);
}

static void on_under_closed(void *owner, enum err err)
{
    struct stream_tls *self = owner;
    self->under = NULL;
    if (self->state == TLS_SHAKING && self->has_begun)
        (void)snprintf(self->reason, sizeof self->reason, "%s", went_away);
    enum err close_err = self->state == TLS_CLOSING && self->close_err != ERR_NONE ? self->close_err : err;
    close_under(self, close_err, false);
    if (self->is_secured)
        self->stream.events->on_closed(self->stream.owner, close_err);
    else
        self->events->on_failed(self->acceptor, self->stream.peer, self->reason);
    tls_session_done(&self->session);
    buffer_done(&self->kept);
    free(self);
}

/* --- Reading ------------------------------------------------------------------------------------ */

static void end_of_bytes(struct stream_tls *self)
{
    self->has_ended = true;
    self->has_rest = false;
    if (self->under != NULL)
        stream_pause(self->under);
    self->stream.events->on_end(self->stream.owner);
}

/* One buffer full goes to the owner. */
static void deliver_once(struct stream_tls *self)
{
    struct loop *loop = self->stream.loop;
    size_t len = 0;
    enum err err = tls_session_open(&self->session, loop->plain_buffer, LOOP_READ_SIZE, &len);
    self->has_rest = err == ERR_NONE;
    (void)flush(
        self); /* an answer to a change of keys; a peer that does not take them is cut by the stream under it */
    if (len > 0 && !self->stream.events->on_bytes(self->stream.owner, span_of(loop->plain_buffer, len)))
        self->wants_bytes = false;
    if (self->state != TLS_OPEN)
        return;
    if (err == ERR_CLOSED)
        end_of_bytes(self);
    else if (err == ERR_PROTOCOL)
        fail(self);
}

static void deliver(struct stream_tls *self)
{
    self->has_rest = true;
    while (self->state == TLS_OPEN && self->wants_bytes && self->has_rest)
        deliver_once(self);
}

/* The bytes that were lent go away: what is left of them is kept. */
static void keep_rest(struct stream_tls *self)
{
    struct span rest = self->session.bytes.lent;
    self->session.bytes.lent = span_of("", 0);
    if (self->state != TLS_OPEN || self->has_ended || !self->has_rest)
        return;
    if (buffer_append(&self->kept, rest) == ERR_NONE)
        self->stream.loop->queued_bytes += rest.len;
    else
        close_under(self, ERR_MEMORY, false);
}

/* After a pause: first what was received before it. */
static void on_going(struct loop_task *going)
{
    struct stream_tls *self = LIST_OWNER(going, struct stream_tls, going);
    struct buffer kept = self->kept;
    buffer_init(&self->kept, LOOP_READ_SIZE);
    self->stream.loop->queued_bytes -= kept.len;
    self->session.bytes.lent = buffer_span(&kept);
    deliver(self);
    keep_rest(self);
    buffer_done(&kept);
    if (self->state == TLS_OPEN && self->wants_bytes && !self->has_ended)
        stream_resume(self->under);
    tls_session_rest(&self->session);
}

static void tls_pause(struct stream *stream)
{
    struct stream_tls *self = tls_of(stream);
    self->wants_bytes = false;
    if (self->state == TLS_OPEN)
        stream_pause(self->under);
}

static void tls_resume(struct stream *stream)
{
    struct stream_tls *self = tls_of(stream);
    self->wants_bytes = true;
    if (self->state != TLS_OPEN || self->has_ended)
        return;
    if (self->has_rest)
        loop_at_end_of_turn(stream->loop, &self->going);
    else
        stream_resume(self->under);
}

/* --- Handshake ---------------------------------------------------------------------------------- */

static void refuse(struct stream_tls *self, const char *reason)
{
    (void)snprintf(self->reason, sizeof self->reason, "%s", reason);
    fail(self);
}

static void on_patience_over(struct timer *patience)
{
    struct stream_tls *self = LIST_OWNER(patience, struct stream_tls, patience);
    (void)snprintf(self->reason, sizeof self->reason, "the client has not %s its handshake in time",
                   self->has_begun ? "completed" : "begun");
    close_under(self, ERR_TIMED_OUT, false);
}

static bool is_stranger(struct stream_tls *self, struct span bytes)
{
    const char *speech = tls_reason_of_first_bytes(bytes);
    if (self->has_begun || speech == NULL)
        return false;
    (void)snprintf(self->reason, sizeof self->reason, "this is a TLS port, and the client speaks %s", speech);
    close_under(self, ERR_PROTOCOL, false);
    return true;
}

static void secure(struct stream_tls *self)
{
    timer_stop(&self->patience);
    state_move(self, TLS_OPEN);
    if (tls_session_identity(&self->session, self->name))
        self->stream.identity = self->name;
    self->is_secured = true;
    self->has_rest = true; /* whether anything came behind the handshake shows when it is opened */
    self->events->on_secured(self->acceptor, &self->stream);
}

static void shake(struct stream_tls *self, struct span bytes)
{
    if (is_stranger(self, bytes))
        return;
    self->has_begun = true;
    enum err err = tls_session_handshake(&self->session, self->reason);
    enum err flush_err = flush(self);
    if (err == ERR_PROTOCOL)
        fail(self);
    else if (err == ERR_NONE && flush_err != ERR_CLOSED)
        secure(self);
}

/* --- Events of the stream under it -------------------------------------------------------------- */

static bool on_under_bytes(void *owner, struct span bytes)
{
    struct stream_tls *self = owner;
    self->session.bytes.lent = bytes;
    if (self->state == TLS_SHAKING)
        shake(self, bytes);
    if (self->state == TLS_OPEN)
        deliver(self);
    loop_task_cancel(&self->going); /* a resume in between had nothing to wait for */
    keep_rest(self);
    if (self->state != TLS_CLOSING)
        tls_session_rest(&self->session);
    return self->state == TLS_SHAKING || (self->state == TLS_OPEN && self->wants_bytes && !self->has_ended);
}

static void on_under_end(void *owner)
{
    struct stream_tls *self = owner;
    if (self->state == TLS_SHAKING) {
        if (self->has_begun)
            refuse(self, went_away);
        else
            close_under(self, ERR_CLOSED, false);
    } else if (self->state == TLS_OPEN && !self->has_ended) {
        self->stream.is_cut = true;
        end_of_bytes(self);
    }
}

static void on_under_drained(void *owner)
{
    struct stream_tls *self = owner;
    if (self->state != TLS_OPEN || !self->owes_drained)
        return;
    self->owes_drained = false;
    self->stream.events->on_drained(self->stream.owner);
}

/* --- Writing ------------------------------------------------------------------------------------ */

static enum err tls_write(struct stream *stream, struct span bytes)
{
    struct stream_tls *self = tls_of(stream);
    enum err err = ERR_NONE;
    while (bytes.len > 0 && self->state == TLS_OPEN && err != ERR_CLOSED) {
        size_t share = bytes.len < SHARE_SIZE ? bytes.len : SHARE_SIZE;
        err = tls_session_seal(&self->session, span_of(bytes.data, share));
        if (err != ERR_NONE) {
            buffer_clear(&stream->loop->sealed);
            close_under(self, err, false);
            break;
        }
        err = flush(self);
        bytes = span_after(bytes, share);
    }
    tls_session_rest(&self->session); /* it may be long until there is more to say */
    if (self->state != TLS_OPEN || err == ERR_CLOSED)
        return ERR_CLOSED;
    self->owes_drained = self->owes_drained || err == ERR_BUSY;
    return self->owes_drained ? ERR_BUSY : ERR_NONE;
}

/* --- Beginning ---------------------------------------------------------------------------------- */

enum err stream_tls_new(struct stream *under,
                        struct tls_context *context,
                        const struct stream_tls_events *events,
                        void *owner,
                        struct stream **ret_stream)
{
    static const struct stream_ops ops = {
        .pause = tls_pause, .resume = tls_resume, .write = tls_write, .close = tls_close};
    static const struct stream_events under_events = {on_under_bytes, on_under_end, on_under_drained,
                                                      on_under_closed};
    struct loop *loop = under->loop;
    struct stream_tls *self = calloc(1, sizeof *self);
    enum err err = self == NULL ? ERR_MEMORY : loop_want_tls(loop);
    if (err == ERR_NONE)
        err = tls_session_init(&self->session, context, &loop->sealed);
    if (err != ERR_NONE) {
        free(self);
        return err;
    }
    self->stream = (struct stream){.ops = &ops, .loop = loop};
    memcpy(self->stream.peer, under->peer, sizeof self->stream.peer);
    self->under = under;
    self->events = events;
    self->acceptor = owner;
    buffer_init(&self->kept, LOOP_READ_SIZE);
    loop_task_init(&self->going, on_going);
    timer_init(&self->patience, loop, on_patience_over);
    timer_start(&self->patience, handshake_patience_ns);
    under->events = &under_events;
    under->owner = self;
    stream_resume(under);
    *ret_stream = &self->stream;
    return ERR_NONE;
}
