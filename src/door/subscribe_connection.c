/* The life of a subscriber's connection. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/subscribe_connection.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"
#include "door/subscribe_settle.h"
#include "door/subscription.h"
#include "wire/line_cut.h"
#include "wire/line_hello.h"
#include "wire/line_stranger.h"
#include "wire/line_subscribe.h"

/*
 * The happy path: SUBSCRIBE makes a subscription, which writes lines as fast as the peer takes them, through the connection's
 * one writer; answers to commands go through it too, so that they never stand inside a line.
 *
 *   the peer does not read -> the writer is busy -> the subscription waits; commands are still read, for a peer may well be
 *     stuck in writing them; only when their answers pile up do they wait, and with them the socket
 *   the peer ends -> a plain stream goes on until the peer is gone; a member, who can settle nothing any more, leaves its group,
 *     and when its outcomes are synced the connection closes; without a subscription it closes at once
 */
enum subscribe_state {
    SUBSCRIBE_GREETING,   /* nothing has come yet */
    SUBSCRIBE_ASKING,     /* no subscription yet */
    SUBSCRIBE_SUBSCRIBED, /* records go out */
    SUBSCRIBE_FINISHING,  /* none do any more; outcomes are under way */
    SUBSCRIBE_CLOSING,    /* the stream is asked to close */
    SUBSCRIBE_CLOSED,     /* it is gone; outcomes may still be under way */
    SUBSCRIBE_STATE_COUNT,
};

#define MAY(state) (1U << SUBSCRIBE_##state)
static const unsigned permitted[SUBSCRIBE_STATE_COUNT] = {
    [SUBSCRIBE_GREETING] = MAY(ASKING) | MAY(CLOSING) | MAY(CLOSED),
    [SUBSCRIBE_ASKING] = MAY(SUBSCRIBED) | MAY(CLOSING) | MAY(CLOSED),
    [SUBSCRIBE_SUBSCRIBED] = MAY(FINISHING) | MAY(CLOSING) | MAY(CLOSED),
    [SUBSCRIBE_FINISHING] = MAY(CLOSING) | MAY(CLOSED),
    [SUBSCRIBE_CLOSING] = MAY(CLOSED),
};
#undef MAY

enum {
    PENDING_SIZE_MAX = LOOP_READ_SIZE + 2 * LINE_SUBSCRIBE_REASON_MAX,
    ANSWER_SIZE_MAX = 512,
    ANSWERS_UNREAD_MAX =
        16 * 1024, /* bytes of answers that a peer may leave unread before its commands wait */
};

static const int64_t unread_patience_ns = 60 * CLOCK_NS_PER_S;

struct subscribe_connection {
    struct door_connection base;
    struct subscribe_shared *shared;
    struct line_writer writer;
    struct subscription subscription;
    enum subscribe_state state;
    struct buffer pending; /* an unfinished command, or commands that wait */
    size_t held_bytes;     /* of it, counted in the loop while commands wait */
    size_t answers_unread; /* bytes answered since the writer became busy */
    uint32_t owed;         /* calls that the group and the dead letters owe: it lives until they have come */
    struct timer patience;
    bool has_greeted; /* it wants to be told what is no record */
    bool is_skipping; /* the rest of a line that is too long */
    bool has_ended;   /* the peer has */
};

static void subscribe_connection_move(struct subscribe_connection *self, enum subscribe_state next)
{
    check((permitted[self->state] & 1U << next) != 0);
    self->state = next;
}

static bool is_closing(const struct subscribe_connection *self)
{
    return self->state == SUBSCRIBE_CLOSING || self->state == SUBSCRIBE_CLOSED;
}

/* --- Ending ------------------------------------------------------------------------------------- */

static void let_go(struct subscribe_connection *self)
{
    self->base.door->loop->queued_bytes -= self->held_bytes;
    self->held_bytes = 0;
    timer_stop(&self->patience);
}

/* Also from inside a subscription's callback: what the connection holds goes with on_closed. */
static void leave(struct subscribe_connection *self, bool after_writes)
{
    if (is_closing(self))
        return;
    subscribe_connection_move(self, SUBSCRIBE_CLOSING);
    let_go(self);
    stream_close(self->base.stream, after_writes);
}

/* The peer is to blame. */
static void cut(struct subscribe_connection *self, const char *reason)
{
    metric_add(METRIC_CONNECTIONS_REFUSED, 1);
    log_line(LOG_WARN, "door", "connection cut", "door=\"%s\" peer=%s reason=\"%s\"", self->base.door->name,
             self->base.stream->peer, reason);
    leave(self, false);
}

/* --- Answers ------------------------------------------------------------------------------------ */

static void say(struct subscribe_connection *self, const char *text, int len)
{
    check(len > 0 && len <= ANSWER_SIZE_MAX);
    enum err err = line_writer_write(&self->writer, span_of(text, (size_t)len));
    if (err == ERR_TOO_MANY || err == ERR_MEMORY)
        cut(self, "its answers find no room");
    if (self->writer.is_busy)
        self->answers_unread += (size_t)len;
}

static void say_error(struct subscribe_connection *self, enum line_error error)
{
    char text[ANSWER_SIZE_MAX];
    say(self, text,
        snprintf(text, sizeof text, "ERR %s %s\n", line_error_code(error), line_error_text(error)));
}

/* The connection ends of itself: only who has greeted can tell a word from a record. */
static void say_why_it_ends(struct subscribe_connection *self, enum line_error error)
{
    if (self->has_greeted && !is_closing(self))
        say_error(self, error);
}

/* --- Records ------------------------------------------------------------------------------------ */

static void on_finished(void *owner, enum err err, const struct why *why)
{
    struct subscribe_connection *self = owner;
    if (is_closing(self))
        return;
    if (err == ERR_TOO_MANY) {
        cut(self, "it does not read, and too many bytes wait for such peers");
        return;
    }
    if (err != ERR_CLOSED && err != ERR_DRAINING)
        log_line(LOG_WARN, "door", "a stream failed", "door=\"%s\" peer=%s topic=%s err=%s why=\"%s\"",
                 self->base.door->name, self->base.stream->peer, self->subscription.topic.name, err_name(err),
                 why->text);
    say_why_it_ends(self, err == ERR_DRAINING ? LINE_ERROR_DRAINING : LINE_ERROR_UNAVAILABLE);
    leave(self, true);
}

/* By its id; a replay's records stand in another topic than the subscription's. */
static const char *name_of(struct store *store, uint32_t id, struct store_topic *topic)
{
    uint32_t position = 0;
    while (store->ops->topic_next(store, &position, topic))
        if (topic->id == id)
            return topic->name;
    return "?";
}

static void on_gap(void *owner, uint32_t topic, uint32_t partition, uint64_t from, uint64_t to)
{
    struct subscribe_connection *self = owner;
    char text[ANSWER_SIZE_MAX];
    struct store_topic found;
    if (self->has_greeted && !is_closing(self))
        say(self, text,
            snprintf(text, sizeof text, "GAP %s %" PRIu32 " %" PRIu64 "-%" PRIu64 "\n",
                     name_of(self->shared->store, topic, &found), partition, from, to - 1));
}

/* --- Finishing ---------------------------------------------------------------------------------- */

static void close_when_settled(struct subscribe_connection *self)
{
    if (self->state == SUBSCRIBE_FINISHING && self->owed == 0 && !self->writer.is_busy)
        leave(self, true);
}

static void free_when_done(struct subscribe_connection *self)
{
    if (self->state != SUBSCRIBE_CLOSED || self->owed > 0)
        return;
    door_connection_close(&self->base);
    free(self);
}

static void on_settled(void *owner, enum err err)
{
    struct subscribe_connection *self = owner;
    (void)err; /* told where it happened; what is not settled is given again */
    check(self->owed > 0);
    self->owed--;
    close_when_settled(self);
    free_when_done(self);
}

/* Its records return; what it has settled is waited for. */
static void finish(struct subscribe_connection *self)
{
    struct group *group = group_member_group(subscription_member(&self->subscription));
    subscribe_connection_move(self, SUBSCRIBE_FINISHING);
    if (group_settle_unseen(group, NULL, 0, NULL, on_settled, self) == ERR_NONE)
        self->owed++;
    subscription_close(&self->subscription);
    close_when_settled(self);
}

/* --- Commands ----------------------------------------------------------------------------------- */

static enum line_error subscribe(struct subscribe_connection *self, const struct line_subscription *line)
{
    struct subscription_events events = {on_finished, on_gap, self};
    if (self->state != SUBSCRIBE_ASKING)
        return LINE_ERROR_SUBSCRIBED;
    enum line_error error =
        subscription_begin(&self->subscription, self->shared, &self->writer, line, &events);
    if (error == LINE_ERROR_NONE)
        subscribe_connection_move(self, SUBSCRIBE_SUBSCRIBED);
    return error;
}

/* The answer names what was spoken of: a peer may have said much since. */
static void say_settle_error(struct subscribe_connection *self, enum line_error error, struct span word)
{
    char text[ANSWER_SIZE_MAX];
    say(self, text,
        snprintf(text, sizeof text, "ERR %s %.*s %s\n", line_error_code(error), (int)word.len,
                 (const char *)word.data, line_error_text(error)));
}

static void settle(struct subscribe_connection *self, const struct line_subscribe *command)
{
    struct group_member *member = subscription_member(&self->subscription);
    struct subscribe_settler settler = {self->shared, member, self->subscription.topic.id, on_settled, self};
    enum line_error error = LINE_ERROR_NOT_OPEN;
    uint32_t parked = 0;
    if (member != NULL)
        error = subscribe_settle(&settler, command, &parked);
    self->owed += parked;
    if (error != LINE_ERROR_NONE)
        say_settle_error(self, error, command->settlement.word);
}

static void obey(struct subscribe_connection *self, struct span line)
{
    struct line_subscribe command;
    enum line_error error = line_subscribe_parse(line, &command);
    if (error == LINE_ERROR_NONE && command.kind == LINE_SUBSCRIBE_SUBSCRIBE)
        error = subscribe(self, &command.subscription);
    else if (error == LINE_ERROR_NONE)
        settle(self, &command);
    if (error != LINE_ERROR_NONE)
        say_error(self, error);
}

static void greet(struct subscribe_connection *self, struct span line)
{
    struct line_hello hello;
    enum line_error error = line_hello_parse(line, &hello);
    self->has_greeted = true;
    if (error == LINE_ERROR_NONE) {
        say(self, "READY\n", 6);
    } else {
        say_error(self, error);
        leave(self, true);
    }
}

static void take_line(struct subscribe_connection *self, const struct line_cut *cut)
{
    bool is_first = self->state == SUBSCRIBE_GREETING;
    if (is_first)
        subscribe_connection_move(self, SUBSCRIBE_ASKING);
    if (cut->is_too_long)
        say_error(self, LINE_ERROR_TOO_LONG);
    else if (is_first && line_is_hello(cut->line))
        greet(self, cut->line);
    else
        obey(self, cut->line);
}

/* --- Reading ------------------------------------------------------------------------------------ */

static bool must_wait(const struct subscribe_connection *self)
{
    return is_closing(self) || (self->writer.is_busy && self->answers_unread > ANSWERS_UNREAD_MAX);
}

/* Any line is a sign of life. */
static void renew_lease(struct subscribe_connection *self)
{
    struct group_member *member = subscription_member(&self->subscription);
    if (member == NULL)
        return;
    group_member_renew(member);
    member_reader_count_open(self->subscription.member);
}

/* Obeys whole lines until their answers pile up; how many bytes were used up. */
static size_t take_lines(struct subscribe_connection *self, struct span bytes)
{
    size_t used = 0;
    struct line_cut line;
    if (self->is_skipping) {
        used = span_find(bytes, '\n');
        self->is_skipping = used == bytes.len;
        used += !self->is_skipping;
    }
    while (!must_wait(self) && line_cut_first(span_after(bytes, used), LINE_SUBSCRIBE_REASON_MAX, &line)) {
        take_line(self, &line);
        used += line.len;
        self->is_skipping = !line.has_end;
    }
    if (used > 0)
        renew_lease(self);
    return used;
}

/* The commands that wait may not grow without bound in all such connections together. */
static void hold(struct subscribe_connection *self)
{
    struct loop *loop = self->base.door->loop;
    let_go(self);
    self->held_bytes = self->pending.size;
    loop->queued_bytes += self->held_bytes;
    timer_start(&self->patience, unread_patience_ns);
    if (loop->queued_bytes > LINE_WRITER_HELD_MAX)
        cut(self, "it does not read its answers, and too many bytes wait for such peers");
}

static void end_when_answered(struct subscribe_connection *self)
{
    if (!self->has_ended || must_wait(self))
        return;
    if (self->state == SUBSCRIBE_GREETING || self->state == SUBSCRIBE_ASKING)
        leave(self, true);
    else if (self->state == SUBSCRIBE_SUBSCRIBED && subscription_member(&self->subscription) != NULL)
        finish(self);
}

/* What is pending comes first: `bytes` are those behind it. */
static void go_on(struct subscribe_connection *self, struct span bytes)
{
    enum err err = ERR_NONE;
    if (self->pending.len == 0) {
        size_t used = take_lines(self, bytes);
        err = buffer_append(&self->pending, span_after(bytes, used));
    } else {
        err = buffer_append(&self->pending, bytes);
        if (err == ERR_NONE)
            buffer_consume(&self->pending, take_lines(self, buffer_span(&self->pending)));
    }
    if (is_closing(self))
        return;
    if (self->pending.len == 0)
        buffer_release(&self->pending);
    if (err != ERR_NONE)
        cut(self, err_text(err));
    else if (must_wait(self))
        hold(self);
    end_when_answered(self);
}

static bool is_stranger(struct subscribe_connection *self, struct span bytes)
{
    char reason[64];
    const char *speech = line_stranger(bytes);
    if (self->state != SUBSCRIBE_GREETING || self->pending.len > 0 || speech == NULL)
        return false;
    (void)snprintf(reason, sizeof reason, "it speaks %s to a plain line port", speech);
    cut(self, reason);
    return true;
}

static bool on_bytes(void *owner, struct span bytes)
{
    struct subscribe_connection *self = owner;
    if (is_closing(self) || is_stranger(self, bytes))
        return false;
    go_on(self, bytes);
    return !must_wait(self);
}

static void on_end(void *owner)
{
    struct subscribe_connection *self = owner;
    self->has_ended = true;
    end_when_answered(self);
}

static void on_drained(void *owner)
{
    struct subscribe_connection *self = owner;
    if (is_closing(self) || line_writer_resume(&self->writer) != ERR_NONE)
        return;
    let_go(self);
    self->answers_unread = 0;
    subscription_resume(&self->subscription);
    close_when_settled(self);
    go_on(self, span_of("", 0));
    if (!must_wait(self) && !self->has_ended)
        stream_resume(self->base.stream);
}

static void on_patience_over(struct timer *patience)
{
    cut(LIST_OWNER(patience, struct subscribe_connection, patience), "it does not read its answers");
}

/* --- Life --------------------------------------------------------------------------------------- */

static void on_closed(void *owner, enum err err)
{
    struct subscribe_connection *self = owner;
    if (err != ERR_NONE && err != ERR_CLOSED)
        log_line(LOG_WARN, "door", "connection lost", "door=\"%s\" peer=%s err=%s", self->base.door->name,
                 self->base.stream->peer, err_name(err));
    subscribe_connection_move(self, SUBSCRIBE_CLOSED);
    subscription_close(&self->subscription);
    let_go(self);
    line_writer_done(&self->writer);
    buffer_done(&self->pending);
    self->base.stream = NULL;
    free_when_done(self);
}

enum err subscribe_connection_new(struct subscribe_shared *shared, struct door *door, struct stream *stream)
{
    static const struct stream_events events = {on_bytes, on_end, on_drained, on_closed};
    struct subscribe_connection *self = calloc(1, sizeof *self);
    if (self == NULL)
        return ERR_MEMORY;
    self->shared = shared;
    line_writer_init(&self->writer, stream);
    buffer_init(&self->pending, PENDING_SIZE_MAX);
    timer_init(&self->patience, door->loop, on_patience_over);
    door_connection_open(&self->base, door, stream, &events, self);
    stream_resume(stream);
    return ERR_NONE;
}

void subscribe_connection_drain(struct door_connection *connection)
{
    struct subscribe_connection *self = LIST_OWNER(connection, struct subscribe_connection, base);
    if (is_closing(self))
        return;
    bool may_end_well = !self->writer.is_busy;
    say_why_it_ends(self, LINE_ERROR_DRAINING);
    leave(self, may_end_well);
}
