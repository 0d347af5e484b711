/* One client of a port that is asked questions. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/question_connection.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"
#include "wire/line_stranger.h"

/*
 *   bytes -> whole lines -> answers gather in the door's buffer -> one write
 *   an answer takes time -> no more answers until it is there, for they leave in order
 *   very many questions, or a long answer -> the connection queues for turns: one connection goes on in each
 *   the peer does not read -> BUSY -> reading stops, what has come is kept -> on_drained -> goes on there
 *   the peer ends -> the last line counts without LF too -> all is answered -> close
 */
enum {
    FLUSH_SIZE = 64 * 1024,
    PENDING_SIZE_MAX = LOOP_READ_SIZE + 2 * QUESTION_LINE_MAX,
    QUESTIONS_PER_TURN = 2000,
    /* All connections of the loop together, questions and answers: beyond it one that adds to them is cut. */
    HELD_BYTES_MAX = 32 * 1024 * 1024,
    /* Above it a connection's questions are answered at once instead of kept for later turns. */
    KEPT_BYTES_MAX = HELD_BYTES_MAX / 2,
};

static const int64_t busy_patience_ns = 60 * CLOCK_NS_PER_S;

struct question_connection {
    struct door_connection base;
    struct question_shared *shared;
    struct question question;
    struct list turn;      /* in the door's turns while it waits for one */
    struct buffer pending; /* received and not answered yet: a line without its end, or what has to wait */
    size_t held_bytes;     /* of it, counted in the loop while it has to wait */
    struct timer patience;
    bool is_known;     /* the first line has come, and nobody else's */
    bool is_skipping;  /* the rest of a line that was too long */
    bool is_busy;      /* the peer does not read: no more answers until on_drained */
    bool is_answering; /* the answer to the last question is not complete */
    bool wants_turn;   /* ... and goes on by itself */
    bool is_ending;    /* what is pending will be answered, then the connection closes */
    bool tail_counts;  /* a last line without LF is one too */
    bool is_closing;
};

static void close_after_answers(struct question_connection *self)
{
    self->is_closing = true;
    stream_close(self->base.stream, true);
}

/* The peer is to blame. */
static void cut(struct question_connection *self, const char *reason)
{
    metric_add(METRIC_CONNECTIONS_REFUSED, 1);
    log_line(LOG_WARN, "door", "connection cut", "door=\"%s\" peer=%s reason=\"%s\"", self->base.door->name,
             self->base.stream->peer, reason);
    self->is_closing = true;
    stream_close(self->base.stream, false);
}

static void queue_for_turn(struct question_connection *self)
{
    struct question_shared *shared = self->shared;
    list_remove(&self->turn);
    list_insert_last(&shared->turns, &self->turn);
    loop_at_end_of_turn(shared->loop, &shared->turn);
}

static bool is_queued(const struct question_connection *self)
{
    return !list_is_empty(&self->turn);
}

/* --- Writing ------------------------------------------------------------------------------------ */

static void flush(struct question_connection *self)
{
    struct buffer *answers = &self->shared->answers;
    if (answers->len == 0)
        return;
    enum err err = stream_write(self->base.stream, buffer_span(answers));
    buffer_clear(answers);
    self->is_busy = self->is_busy || err == ERR_BUSY;
    self->is_closing = self->is_closing || err == ERR_CLOSED;
}

/* Always leaves room for what the answerer may add next. */
static void flush_when_large(struct question_connection *self)
{
    if (self->shared->answers.len >= FLUSH_SIZE)
        flush(self);
}

/* --- Answers ------------------------------------------------------------------------------------ */

/* No further question may be answered before something else has happened. */
static bool must_wait(const struct question_connection *self)
{
    return self->is_busy || self->is_answering || is_queued(self) || self->is_closing;
}

static void close_after_one_in_kmq_mode(struct question_connection *self)
{
    if (!self->shared->is_kmq)
        return;
    flush(self);
    if (!self->is_closing)
        close_after_answers(self);
}

static void take_state(struct question_connection *self, enum question_state state)
{
    self->is_answering = state != QUESTION_DONE;
    self->wants_turn = state == QUESTION_MORE;
    if (state == QUESTION_DONE) {
        metric_add(METRIC_QUESTIONS, 1);
        flush_when_large(self);
        close_after_one_in_kmq_mode(self);
        return;
    }
    flush(self); /* others use the buffer until it goes on */
    if (self->wants_turn && !self->is_busy && !self->is_closing)
        queue_for_turn(self);
}

static void answer_line(struct question_connection *self, struct span line)
{
    struct question_shared *shared = self->shared;
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    take_state(self,
               shared->answerer->ops->answer(shared->answerer, &self->question, line, &shared->answers));
}

static void begin_answers(struct question_shared *shared)
{
    check(shared->answers.len == 0);
    if (shared->answerer->ops->begin != NULL)
        shared->answerer->ops->begin(shared->answerer);
}

/* --- Reading ------------------------------------------------------------------------------------ */

/* An unfinished line; it is given up as soon as it is too long. True when its bytes are of no more use. */
static bool give_up_when_too_long(struct question_connection *self, struct span unfinished)
{
    if (!self->is_skipping && unfinished.len > QUESTION_LINE_MAX + 1) {
        self->is_skipping = true;
        answer_line(self, unfinished);
    }
    return self->is_skipping;
}

static bool has_had_its_turn(const struct question_connection *self, unsigned answered)
{
    return answered >= QUESTIONS_PER_TURN && self->shared->loop->queued_bytes < KEPT_BYTES_MAX;
}

/* Answers whole lines until it has to wait; how many bytes were used up. */
static size_t answer_lines(struct question_connection *self, struct span bytes)
{
    size_t at = 0;
    for (unsigned answered = 0; !must_wait(self) && at < bytes.len; answered++) {
        struct span rest = span_after(bytes, at);
        size_t end = span_find(rest, '\n');
        if (end == rest.len) {
            at += give_up_when_too_long(self, rest) ? rest.len : 0;
            break;
        }
        if (has_had_its_turn(self, answered)) {
            queue_for_turn(self);
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
static void shrink_pending(struct question_connection *self)
{
    uint8_t unfinished[QUESTION_LINE_MAX + 1];
    size_t len = self->pending.len;
    if (self->pending.size <= sizeof(unfinished) || len > sizeof(unfinished))
        return;
    memcpy(unfinished, self->pending.data, len);
    buffer_release(&self->pending);
    if (buffer_append(&self->pending, span_of(unfinished, len)) != ERR_NONE)
        cut(self, "out of memory");
}

static void let_go(struct question_connection *self)
{
    self->base.door->loop->queued_bytes -= self->held_bytes;
    self->held_bytes = 0;
    timer_stop(&self->patience);
}

/* What is pending waits for longer than this turn. */
static void hold(struct question_connection *self)
{
    struct loop *loop = self->base.door->loop;
    let_go(self);
    self->held_bytes = self->pending.len;
    loop->queued_bytes += self->held_bytes;
    if (self->is_busy)
        timer_start(&self->patience, busy_patience_ns);
    if (loop->queued_bytes > HELD_BYTES_MAX)
        cut(self, self->is_busy ? "it does not read its answers, and too many bytes wait for such peers"
                                : "too many bytes of questions wait");
}

static void end_when_answered(struct question_connection *self)
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
static void go_on(struct question_connection *self, struct span bytes)
{
    enum err err = ERR_NONE;
    begin_answers(self->shared);
    let_go(self);
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
    else if (must_wait(self))
        hold(self);
    else
        shrink_pending(self);
    end_when_answered(self);
}

static void cut_stranger(struct question_connection *self, const char *stranger)
{
    char reason[64];
    snprintf(reason, sizeof(reason), "it speaks %s to a plain line port", stranger);
    cut(self, reason);
}

/* The first line may come in pieces, a byte each; what has come of it stands in `pending`. */
static const char *stranger_in(struct question_connection *self, struct span bytes)
{
    uint8_t head[QUESTION_LINE_MAX];
    struct span pending = buffer_span(&self->pending);
    size_t len = pending.len < sizeof head ? pending.len : sizeof head;
    size_t more = bytes.len < sizeof head - len ? bytes.len : sizeof head - len;
    if (self->is_known)
        return NULL;
    if (len > 0)
        memcpy(head, pending.data, len);
    memcpy(head + len, bytes.data, more);
    struct span first = span_of(head, len + more);
    self->is_known = first.len == sizeof head || span_find(first, '\n') < first.len;
    return line_stranger(first);
}

static bool on_bytes(void *owner, struct span bytes)
{
    struct question_connection *self = owner;
    const char *stranger = stranger_in(self, bytes);
    if (stranger != NULL)
        cut_stranger(self, stranger);
    else
        go_on(self, bytes);
    return !must_wait(self);
}

static void on_end(void *owner)
{
    struct question_connection *self = owner;
    self->is_ending = true;
    self->tail_counts = true;
    begin_answers(self->shared);
    end_when_answered(self);
}

static void go_on_and_resume(struct question_connection *self)
{
    go_on(self, span_of("", 0));
    if (!must_wait(self) && !self->is_ending)
        stream_resume(self->base.stream);
}

static void on_drained(void *owner)
{
    struct question_connection *self = owner;
    self->is_busy = false;
    timer_stop(&self->patience);
    if (self->wants_turn)
        queue_for_turn(self);
    else
        go_on_and_resume(self);
}

/* More of the answer, or what comes behind it. */
static void take_more(struct question_connection *self)
{
    struct question_shared *shared = self->shared;
    if (self->is_closing)
        return;
    if (self->is_answering) {
        begin_answers(shared);
        take_state(self, shared->answerer->ops->go_on(shared->answerer, &self->question, &shared->answers));
        if (!self->is_closing)
            flush(self);
    }
    if (!must_wait(self))
        go_on_and_resume(self);
}

void question_connection_take_turn(struct question_shared *shared)
{
    struct list *first = list_take_first(&shared->turns);
    if (first != NULL)
        take_more(LIST_OWNER(first, struct question_connection, turn));
}

static void on_ready(struct question *question)
{
    take_more(LIST_OWNER(question, struct question_connection, question));
}

static void on_patience_over(struct timer *patience)
{
    cut(LIST_OWNER(patience, struct question_connection, patience), "it does not read its answers");
}

/* --- Life --------------------------------------------------------------------------------------- */

static void on_closed(void *owner, enum err err)
{
    struct question_connection *self = owner;
    if (err != ERR_NONE && err != ERR_CLOSED)
        log_line(LOG_WARN, "door", "connection lost", "door=\"%s\" peer=%s err=%s", self->base.door->name,
                 self->base.stream->peer, err_name(err));
    let_go(self);
    list_remove(&self->turn);
    self->shared->answerer->ops->forget(self->shared->answerer, &self->question);
    buffer_done(&self->pending);
    door_connection_close(&self->base);
    free(self);
}

enum err question_connection_new(struct question_shared *shared, struct door *door, struct stream *stream)
{
    static const struct stream_events events = {on_bytes, on_end, on_drained, on_closed};
    struct question_connection *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return ERR_MEMORY;
    self->shared = shared;
    self->question = (struct question){.loop = door->loop, .on_ready = on_ready};
    list_init(&self->turn);
    buffer_init(&self->pending, PENDING_SIZE_MAX);
    timer_init(&self->patience, door->loop, on_patience_over);
    door_connection_open(&self->base, door, stream, &events, self);
    stream_resume(stream);
    return ERR_NONE;
}

void question_connection_drain(struct door_connection *connection)
{
    struct question_connection *self = LIST_OWNER(connection, struct question_connection, base);
    if (self->is_closing)
        return;
    stream_pause(connection->stream);
    self->is_ending = true;
    begin_answers(self->shared);
    end_when_answered(self);
}
