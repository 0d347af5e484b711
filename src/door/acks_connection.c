/* One client of the acks port. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/acks_connection.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"
#include "door/acks_answer.h"
#include "door/key_lookup.h"
#include "wire/line_stranger.h"

/*
 *   bytes -> whole lines -> answers gather in the door's buffer -> one write
 *   a number with a key -> lookup -> no more answers until it has ended, for they leave in order
 *   the peer does not read -> BUSY -> reading stops, what has come is kept -> on_drained -> goes on there
 *   the peer ends -> the last line counts without LF too -> all is answered -> close
 */
enum {
    FLUSH_SIZE = 64 * 1024,
    PENDING_SIZE_MAX = LOOP_READ_SIZE + 2 * LINE_COMMAND_MAX,
    /* All connections of the loop together, requests and answers: beyond it a peer that does not read is cut. */
    HELD_BYTES_MAX = 32 * 1024 * 1024,
};

static const int64_t busy_patience_ns = 60 * CLOCK_NS_PER_S;

struct acks_connection {
    struct door_connection base;
    struct acks_shared *shared;
    struct buffer
        pending; /* received and not answered yet: a line without its end, or what a busy stream holds up */
    size_t held_bytes; /* of it, counted in the loop while the stream is busy */
    struct timer patience;
    bool has_read;      /* the first bytes have come */
    bool is_skipping;   /* the rest of a line that was too long */
    bool is_busy;       /* the peer does not read: no more answers until on_drained */
    bool is_looking_up; /* the answer to the last request comes later */
    uint64_t looked_up;
    struct key_lookup *lookup; /* NULL before the first */
    bool is_ending;            /* what is pending will be answered, then the connection closes */
    bool tail_counts;          /* a last line without LF is one too */
    bool is_closing;
};

static void close_after_answers(struct acks_connection *self)
{
    self->is_closing = true;
    stream_close(self->base.stream, true);
}

/* The peer is to blame. */
static void cut(struct acks_connection *self, const char *reason)
{
    metric_add(METRIC_CONNECTIONS_REFUSED, 1);
    log_line(LOG_WARN, "door", "connection cut", "door=\"%s\" peer=%s reason=\"%s\"", self->base.door->name,
             self->base.stream->peer, reason);
    self->is_closing = true;
    stream_close(self->base.stream, false);
}

/* --- Writing ------------------------------------------------------------------------------------ */

static void flush(struct acks_connection *self)
{
    struct buffer *answers = &self->shared->answers;
    if (answers->len == 0)
        return;
    enum err err = stream_write(self->base.stream, buffer_span(answers));
    buffer_clear(answers);
    self->is_busy = err == ERR_BUSY;
    self->is_closing = self->is_closing || err == ERR_CLOSED;
}

/* Always leaves room for one more answer, of whatever size. */
static void flush_when_large(struct acks_connection *self)
{
    if (self->shared->answers.len >= FLUSH_SIZE)
        flush(self);
}

static void refuse(struct acks_connection *self, enum line_error error)
{
    if (!self->shared->options.is_kmq)
        acks_answer_error(&self->shared->answers, error);
}

/* --- Reading ------------------------------------------------------------------------------------ */

static void on_looked_up(void *owner, enum err err, bool is_stored);

/* The words behind GET_ACK and its number. */
static struct span key_of(struct span line)
{
    (void)span_take_word(&line);
    (void)span_take_word(&line);
    return span_take_word(&line);
}

static enum line_error
look_up(struct acks_connection *self, const struct line_command *command, struct span key)
{
    struct acks_shared *shared = self->shared;
    if (command->kind != LINE_COMMAND_ONE)
        return LINE_ERROR_BAD_REQUEST;
    if (self->lookup == NULL &&
        key_lookup_new(shared->store, self->base.door->loop, on_looked_up, self, &self->lookup) != ERR_NONE)
        return LINE_ERROR_UNAVAILABLE;
    self->is_looking_up = true;
    self->looked_up = command->from;
    key_lookup_ask(self->lookup, shared->options.sequence, command->from, key);
    return LINE_ERROR_NONE;
}

static void close_after_one_in_kmq_mode(struct acks_connection *self)
{
    if (!self->shared->options.is_kmq || self->is_looking_up)
        return;
    flush(self);
    close_after_answers(self);
}

static void answer_line(struct acks_connection *self, struct span line)
{
    struct acks_shared *shared = self->shared;
    struct line_command command;
    enum line_error error = LINE_ERROR_TOO_LONG;
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    if (line.len <= LINE_COMMAND_MAX)
        error = line_command_parse(line, &command);
    struct span key = shared->options.has_keys && error == LINE_ERROR_NONE ? key_of(line) : span_of("", 0);
    if (key.len > 0)
        error = look_up(self, &command, key);
    else if (error == LINE_ERROR_NONE)
        acks_answer(&shared->answers, shared->store, shared->options.sequence, &command);
    if (error != LINE_ERROR_NONE)
        refuse(self, error);
    flush_when_large(self);
    close_after_one_in_kmq_mode(self);
}

/* No further request may be answered before something else has happened. */
static bool must_wait(const struct acks_connection *self)
{
    return self->is_busy || self->is_looking_up || self->is_closing;
}

/* An unfinished line; it is given up as soon as it is too long. True when its bytes are of no more use. */
static bool give_up_when_too_long(struct acks_connection *self, struct span unfinished)
{
    if (!self->is_skipping && unfinished.len > LINE_COMMAND_MAX + 1) {
        self->is_skipping = true;
        answer_line(self, unfinished);
    }
    return self->is_skipping;
}

/* Answers whole lines until the stream is busy; how many bytes were used up. */
static size_t answer_lines(struct acks_connection *self, struct span bytes)
{
    size_t at = 0;
    while (!must_wait(self) && at < bytes.len) {
        struct span rest = span_after(bytes, at);
        size_t end = span_find(rest, '\n');
        if (end == rest.len) {
            at += give_up_when_too_long(self, rest) ? rest.len : 0;
            break;
        }
        if (!self->is_skipping)
            answer_line(self, span_of(rest.data, end));
        self->is_skipping = false;
        at += end + 1;
    }
    if (!self->is_closing)
        flush(self);
    return at;
}

/* Leaves no large storage behind a connection that has nothing large to keep. */
static void shrink_pending(struct acks_connection *self)
{
    uint8_t unfinished[LINE_COMMAND_MAX + 1];
    size_t len = self->pending.len;
    if (self->pending.size <= sizeof(unfinished) || len > sizeof(unfinished))
        return;
    memcpy(unfinished, self->pending.data, len);
    buffer_release(&self->pending);
    if (buffer_append(&self->pending, span_of(unfinished, len)) != ERR_NONE)
        cut(self, "out of memory");
}

static void let_go(struct acks_connection *self)
{
    self->base.door->loop->queued_bytes -= self->held_bytes;
    self->held_bytes = 0;
    timer_stop(&self->patience);
}

static void hold(struct acks_connection *self)
{
    struct loop *loop = self->base.door->loop;
    let_go(self);
    self->held_bytes = self->pending.len;
    loop->queued_bytes += self->held_bytes;
    timer_start(&self->patience, busy_patience_ns);
    if (loop->queued_bytes > HELD_BYTES_MAX)
        cut(self, "it does not read its answers, and too many bytes wait for such peers");
}

static void end_when_answered(struct acks_connection *self)
{
    if (!self->is_ending || must_wait(self))
        return;
    if (self->tail_counts && self->pending.len > 0)
        answer_line(self, buffer_span(&self->pending));
    self->tail_counts = false;
    if (must_wait(self))
        return;
    flush(self);
    if (!self->is_closing)
        close_after_answers(self);
}

/* What is pending comes first: `bytes` are those behind it. */
static void go_on(struct acks_connection *self, struct span bytes)
{
    enum err err = ERR_NONE;
    check(self->shared->answers.len == 0);
    if (self->pending.len == 0) {
        size_t used = answer_lines(self, bytes);
        err = buffer_append(&self->pending, span_after(bytes, used));
    } else {
        err = buffer_append(&self->pending, bytes);
        if (err == ERR_NONE)
            buffer_consume(&self->pending, answer_lines(self, buffer_span(&self->pending)));
    }
    if (self->is_closing)
        return;
    if (err != ERR_NONE)
        cut(self, err_text(err));
    else if (self->is_busy)
        hold(self);
    else
        shrink_pending(self);
    end_when_answered(self);
}

static void cut_stranger(struct acks_connection *self, const char *stranger)
{
    char reason[64];
    snprintf(reason, sizeof(reason), "it speaks %s to a plain line port", stranger);
    cut(self, reason);
}

static bool on_bytes(void *owner, struct span bytes)
{
    struct acks_connection *self = owner;
    const char *stranger = self->has_read ? NULL : line_stranger(bytes);
    self->has_read = true;
    if (stranger != NULL)
        cut_stranger(self, stranger);
    else
        go_on(self, bytes);
    return !must_wait(self);
}

static void on_end(void *owner)
{
    struct acks_connection *self = owner;
    self->is_ending = true;
    self->tail_counts = true;
    end_when_answered(self);
}

static void go_on_and_resume(struct acks_connection *self)
{
    go_on(self, span_of("", 0));
    if (!must_wait(self) && !self->is_ending)
        stream_resume(self->base.stream);
}

static void on_drained(void *owner)
{
    struct acks_connection *self = owner;
    let_go(self);
    self->is_busy = false;
    go_on_and_resume(self);
}

static void on_looked_up(void *owner, enum err err, bool is_stored)
{
    struct acks_connection *self = owner;
    self->is_looking_up = false;
    if (self->is_closing)
        return;
    if (err == ERR_NONE)
        acks_answer_one(&self->shared->answers, self->looked_up, is_stored);
    else
        acks_answer_error(&self->shared->answers, LINE_ERROR_UNAVAILABLE);
    flush(self);
    close_after_one_in_kmq_mode(self);
    if (!self->is_closing)
        go_on_and_resume(self);
}

static void on_patience_over(struct timer *patience)
{
    cut(LIST_OWNER(patience, struct acks_connection, patience), "it does not read its answers");
}

/* --- Life --------------------------------------------------------------------------------------- */

static void on_closed(void *owner, enum err err)
{
    struct acks_connection *self = owner;
    if (err != ERR_NONE && err != ERR_CLOSED)
        log_line(LOG_WARN, "door", "connection lost", "door=\"%s\" peer=%s err=%s", self->base.door->name,
                 self->base.stream->peer, err_name(err));
    let_go(self);
    self->lookup = key_lookup_close(self->lookup);
    buffer_done(&self->pending);
    door_connection_close(&self->base);
    free(self);
}

enum err acks_connection_new(struct acks_shared *shared, struct door *door, struct stream *stream)
{
    static const struct stream_events events = {on_bytes, on_end, on_drained, on_closed};
    struct acks_connection *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return ERR_MEMORY;
    self->shared = shared;
    buffer_init(&self->pending, PENDING_SIZE_MAX);
    timer_init(&self->patience, door->loop, on_patience_over);
    door_connection_open(&self->base, door, stream, &events, self);
    stream_resume(stream);
    return ERR_NONE;
}

void acks_connection_drain(struct door_connection *connection)
{
    struct acks_connection *self = LIST_OWNER(connection, struct acks_connection, base);
    if (self->is_closing)
        return;
    stream_pause(connection->stream);
    self->is_ending = true;
    end_when_answered(self);
}
