/* A stream over a connected socket, TCP or unix. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/stream_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "io/loop_uv_impl.h"

/*
 * Reads and writes are our own; libuv says when they are due (uv_poll_t). Its stream handles would read one full
 * socket up to 32 times before they look at the next, and want a request object for each write.
 *
 *   readable -> one recv into the loop's buffer -> on_bytes            (the next one in the next turn: nobody starves)
 *   write    -> send at once -> what is left is queued -> writable -> send -> on_drained
 *   close after writes -> queue empty -> shutdown -> unread bytes? discard until the peer's end -> on_closed
 *
 * Unread bytes are waited out because closing over them sends a reset: that drops what our kernel has not sent yet, and
 * many a peer forgets at its sight the answers that it has not read yet.
 */
enum state {
    STREAM_OPEN,
    STREAM_FLUSHING,  /* closing: what is queued still goes out */
    STREAM_LINGERING, /* all is out, our side is shut; what comes is discarded */
    STREAM_GONE,      /* on_closed is under way */
    STREAM_STATE_COUNT,
};

static const bool state_moves[STREAM_STATE_COUNT][STREAM_STATE_COUNT] = {
    [STREAM_OPEN] = {[STREAM_FLUSHING] = true, [STREAM_GONE] = true},
    [STREAM_FLUSHING] = {[STREAM_LINGERING] = true, [STREAM_GONE] = true},
    [STREAM_LINGERING] = {[STREAM_GONE] = true},
};

enum {
    QUEUE_SIZE_MAX = 4 * STREAM_WRITE_QUEUE_MAX,
    QUEUE_LOW_MARK = 16 * 1024,
    /* Beyond it, peers that do not read share what there is: each is BUSY from QUEUE_LOW_MARK on. */
    LOOP_QUEUES_MAX = 16 * 1024 * 1024,
};

static const int64_t flush_patience_ns = 5 * CLOCK_NS_PER_S; /* without any progress */
static const int64_t linger_ns = 1 * CLOCK_NS_PER_S;

struct stream_socket {
    struct stream stream;
    uv_poll_t poll;
    int fd;
    int watched; /* what poll looks for: UV_READABLE, UV_WRITABLE; UV_PRIORITIZED: only whether the peer is lost */
    enum state state;
    bool wants_bytes;
    bool has_ended;      /* the peer will send no more */
    bool owes_drained;   /* the last write said BUSY */
    struct buffer queue; /* what the kernel did not take yet */
    size_t sent;         /* of the queue's front */
    struct timer patience;
    enum err close_err;
};

static void on_poll(uv_poll_t *poll, int status, int events);

static struct stream_socket *socket_of(struct stream *stream)
{
    return LIST_OWNER(stream, struct stream_socket, stream);
}

static void state_move(struct stream_socket *self, enum state next)
{
    check(state_moves[self->state][next]);
    self->state = next;
}

static size_t queued(const struct stream_socket *self)
{
    return self->queue.len - self->sent;
}

/* Asks libuv only for a change: each costs two system calls. */
static void watch(struct stream_socket *self, int events)
{
    if (events == self->watched)
        return;
    self->watched = events;
    int result = events == 0 ? uv_poll_stop(&self->poll) : uv_poll_start(&self->poll, events, on_poll);
    check(result == 0);
}

/* --- Leaving ------------------------------------------------------------------------------------ */

static void on_poll_closed(uv_handle_t *handle)
{
    struct stream_socket *self = handle->data;
    close(self->fd);
    self->stream.events->on_closed(self->stream.owner, self->close_err);
    free(self);
}

static void empty_queue(struct stream_socket *self)
{
    self->stream.loop->queued_bytes -= queued(self);
    self->sent = 0;
    buffer_release(&self->queue);
}

static void vanish(struct stream_socket *self, enum err err)
{
    state_move(self, STREAM_GONE);
    self->close_err = err;
    empty_queue(self);
    timer_stop(&self->patience);
    uv_close((uv_handle_t *)&self->poll, on_poll_closed);
}

static void on_patience_over(struct timer *patience)
{
    struct stream_socket *self = LIST_OWNER(patience, struct stream_socket, patience);
    vanish(self, self->state == STREAM_LINGERING ? ERR_NONE : ERR_TIMED_OUT);
}

static bool has_unread_bytes(const struct stream_socket *self)
{
    uint8_t byte;
    return !self->has_ended && recv(self->fd, &byte, 1, MSG_PEEK) > 0;
}

static void shut_and_linger(struct stream_socket *self)
{
    bool is_shut = shutdown(self->fd, SHUT_WR) == 0;
    if (!is_shut || !has_unread_bytes(self)) {
        vanish(self, is_shut ? ERR_NONE : ERR_CLOSED);
        return;
    }
    state_move(self, STREAM_LINGERING);
    timer_start(&self->patience, linger_ns);
    watch(self, UV_READABLE);
}

static void socket_close(struct stream *stream, bool after_writes)
{
    struct stream_socket *self = socket_of(stream);
    if (!after_writes) {
        if (self->state != STREAM_GONE)
            vanish(self, ERR_NONE);
        return;
    }
    if (self->state != STREAM_OPEN)
        return;
    state_move(self, STREAM_FLUSHING);
    if (queued(self) == 0)
        shut_and_linger(self);
    else
        timer_start(&self->patience, flush_patience_ns);
}

/* --- Reading ------------------------------------------------------------------------------------ */

static void end_of_bytes(struct stream_socket *self)
{
    self->has_ended = true;
    watch(self,
          (self->watched & ~UV_READABLE) | UV_PRIORITIZED); /* which never comes, but the peer's going does */
    if (self->state == STREAM_LINGERING)
        vanish(self, ERR_NONE);
    else if (self->state == STREAM_OPEN)
        self->stream.events->on_end(self->stream.owner);
}

static void read_once(struct stream_socket *self)
{
    struct loop *loop = self->stream.loop;
    ssize_t len = recv(self->fd, loop->read_buffer, loop->read_size, 0);
    if (len > 0 && self->state == STREAM_OPEN) {
        loop->reads_in_turn++;
        struct span bytes = span_of(loop->read_buffer, (size_t)len);
        if (!self->stream.events->on_bytes(self->stream.owner, bytes))
            self->wants_bytes = false;
    } else if (len == 0) {
        end_of_bytes(self);
    } else if (len < 0 && errno != EAGAIN && errno != EINTR) {
        vanish(self, ERR_CLOSED);
    }
}

static void on_readable(struct stream_socket *self)
{
    bool may_read = self->state == STREAM_OPEN ? self->wants_bytes : true;
    /* A pause is carried out when bytes come in spite of it: most end before that, and cost nothing. */
    if (!may_read || self->has_ended)
        watch(self, self->watched & ~UV_READABLE);
    else
        read_once(self);
}

static void socket_pause(struct stream *stream)
{
    socket_of(stream)->wants_bytes = false;
}

static void socket_resume(struct stream *stream)
{
    struct stream_socket *self = socket_of(stream);
    self->wants_bytes = true;
    if (self->state == STREAM_OPEN && !self->has_ended)
        watch(self, self->watched | UV_READABLE);
}

/* --- Writing ------------------------------------------------------------------------------------ */

/* What the kernel took of `bytes`; false when the connection is gone. */
static bool send_some(struct stream_socket *self, struct span bytes, size_t *ret_len)
{
    ssize_t len = send(self->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
    if (len < 0 && errno != EAGAIN && errno != EINTR) {
        vanish(self, ERR_CLOSED);
        return false;
    }
    *ret_len = len < 0 ? 0 : (size_t)len;
    return true;
}

static void on_flushed(struct stream_socket *self)
{
    empty_queue(self);
    watch(self, self->watched & ~UV_WRITABLE);
    if (self->state == STREAM_FLUSHING)
        shut_and_linger(self);
}

static void on_writable(struct stream_socket *self)
{
    size_t len = 0;
    if (!send_some(self, span_after(buffer_span(&self->queue), self->sent), &len))
        return;
    self->sent += len;
    self->stream.loop->queued_bytes -= len;
    if (len > 0 && self->state == STREAM_FLUSHING)
        timer_start(&self->patience, flush_patience_ns);
    bool is_drained = self->owes_drained && queued(self) <= QUEUE_LOW_MARK;
    if (queued(self) == 0)
        on_flushed(self);
    if (is_drained && self->state == STREAM_OPEN) {
        self->owes_drained = false;
        self->stream.events->on_drained(self->stream.owner);
    }
}

static enum err enqueue(struct stream_socket *self, struct span bytes)
{
    struct loop *loop = self->stream.loop;
    if (self->sent > 0) {
        buffer_consume(&self->queue, self->sent);
        self->sent = 0;
    }
    enum err err = buffer_append(&self->queue, bytes);
    if (err != ERR_NONE) {
        vanish(self, err);
        return ERR_CLOSED;
    }
    loop->queued_bytes += bytes.len;
    watch(self, self->watched | UV_WRITABLE);
    size_t limit = loop->queued_bytes > LOOP_QUEUES_MAX ? QUEUE_LOW_MARK : STREAM_WRITE_QUEUE_MAX;
    self->owes_drained = self->owes_drained || queued(self) > limit;
    return self->owes_drained ? ERR_BUSY : ERR_NONE;
}

static enum err socket_write(struct stream *stream, struct span bytes)
{
    struct stream_socket *self = socket_of(stream);
    if (self->state != STREAM_OPEN)
        return ERR_CLOSED;
    size_t len = 0;
    if (queued(self) == 0 && bytes.len > 0 && !send_some(self, bytes, &len))
        return ERR_CLOSED;
    return len == bytes.len ? ERR_NONE : enqueue(self, span_after(bytes, len));
}

/* --- Both --------------------------------------------------------------------------------------- */

/* After a socket error libuv has stopped to watch; what was received before it can still be read. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct stream_socket *self = poll->data;
    int watched = self->watched;
    /* A peer that had closed one side has closed the other, or is lost: its kernel, or a keep-alive probe, says so. */
    bool is_lost = status < 0 || events == 0 || (events & UV_PRIORITIZED);
    if (self->has_ended && self->state == STREAM_OPEN && is_lost) {
        vanish(self, ERR_CLOSED);
        return;
    }
    if (status < 0) {
        self->watched = 0;
        events = watched;
        watch(self, watched);
    }
    if ((events & UV_WRITABLE) && self->state != STREAM_GONE)
        on_writable(self);
    if ((events & UV_READABLE) && self->state != STREAM_GONE)
        on_readable(self);
}

enum err stream_socket_new(struct loop *loop, int fd, const char *peer, struct stream **ret_stream)
{
    static const struct stream_ops ops = {
        .pause = socket_pause, .resume = socket_resume, .write = socket_write, .close = socket_close};
    struct stream_socket *self = calloc(1, sizeof(*self));
    int result = self == NULL ? UV_ENOMEM : uv_poll_init_socket(loop_uv_handle(loop), &self->poll, fd);
    if (result != 0) {
        free(self);
        close(fd);
        return result == UV_ENOMEM ? ERR_MEMORY : ERR_SYSTEM;
    }
    self->stream = (struct stream){.ops = &ops, .loop = loop};
    snprintf(self->stream.peer, sizeof(self->stream.peer), "%s", peer);
    self->poll.data = self;
    self->fd = fd;
    buffer_init(&self->queue, QUEUE_SIZE_MAX);
    timer_init(&self->patience, loop, on_patience_over);
    *ret_stream = &self->stream;
    return ERR_NONE;
}
