/* The life of a producer's connection. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/produce_connection.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/log.h"
#include "base/metric.h"
#include "door/settle_queue.h"
#include "wire/line_cut.h"
#include "wire/line_hello.h"
#include "wire/line_stranger.h"

/*
 * The happy path: bytes come (on_bytes); their lines go through the batcher into one append; the gate brings it to the
 * store; when it is complete (on_complete), acknowledged mode says so; when the peer has ended and nothing is open any more,
 * the connection closes.
 *
 * What can stand in the way, and what goes on when it is over:
 *   the gate is closed, or the store cannot open a topic now    on_turn
 *   the window is full                                          on_complete
 *   the peer does not read its answers                          on_drained
 * Meanwhile the socket is not read, and whole lines that came already are kept.
 */

enum produce_state {
    PRODUCE_GREETING,  /* nothing has come yet */
    PRODUCE_TAKING,    /* lines */
    PRODUCE_FINISHING, /* no more lines; what is open settles */
    PRODUCE_CLOSING,   /* the stream is asked to close */
    PRODUCE_CLOSED,    /* the stream is gone; appends may still be on their way */
    PRODUCE_STATE_COUNT
};

#define MAY(state) (1U << PRODUCE_##state)
static const unsigned permitted[PRODUCE_STATE_COUNT] = {
    [PRODUCE_GREETING] = MAY(TAKING) | MAY(FINISHING) | MAY(CLOSING) | MAY(CLOSED),
    [PRODUCE_TAKING] = MAY(FINISHING) | MAY(CLOSING) | MAY(CLOSED),
    [PRODUCE_FINISHING] = MAY(CLOSING) | MAY(CLOSED),
    [PRODUCE_CLOSING] = MAY(CLOSED),
};
#undef MAY

struct produce_connection {
    struct door_connection connection;
    struct produce_shared *shared;
    struct gate_reader reader;
    struct settle_queue settles; /* in acknowledged mode */
    struct buffer kept;          /* an unfinished line, or whole lines that wait */
    int64_t kept_since_ns;
    enum produce_state state;
    enum line_error last_words; /* said as line 0 before closing */
    bool is_acknowledged;
    bool has_lines;        /* whole lines are among what is kept */
    bool is_passing_over;  /* the rest of a line that is too long */
    bool is_stalled;       /* the store could not say where a line belongs */
    bool is_write_blocked; /* the peer does not read */
    bool is_paused;
    bool has_ended; /* the peer has */
    bool is_draining;
    uint8_t producer_len;
    char producer[LINE_PRODUCER_MAX + 1];
};

static void produce_connection_move(struct produce_connection *produce, enum produce_state next)
{
    check((permitted[produce->state] & 1U << next) != 0);
    produce->state = next;
}

static bool is_open(const struct produce_connection *produce)
{
    return produce->state == PRODUCE_GREETING || produce->state == PRODUCE_TAKING;
}

/* Closes at once, without a word. */
static void cut(struct produce_connection *produce, const char *msg)
{
    log_line(LOG_WARN, "door", msg, "door=\"%s\" peer=%s", produce->connection.door->name,
             produce->connection.stream->peer);
    metric_add(METRIC_CONNECTIONS_REFUSED, 1);
    produce_connection_move(produce, PRODUCE_CLOSING);
    stream_close(produce->connection.stream, false);
}

/* --- Answers --- */

static void say(struct produce_connection *produce, const char *text, int len)
{
    enum err err = stream_write(produce->connection.stream, span_of(text, (size_t)len));
    if (err != ERR_NONE)
        produce->is_write_blocked = true; /* CLOSED too: on_closed comes */
}

static int put_settlement(char *text, size_t size, const struct settlement *settlement)
{
    enum line_error error = settlement->error;
    if (error == LINE_ERROR_NONE)
        return snprintf(text, size, "ACK %" PRIu64 " %" PRIu64 "\n", settlement->line, settlement->seq);
    return snprintf(text, size, "ERR %" PRIu64 " %s %s %s\n", settlement->line, line_error_code(error),
                    line_error_class(error), line_error_text(error));
}

/* Says what has settled, many answers in one write, as long as the peer reads. */
static void say_settled(struct produce_connection *produce)
{
    enum { ANSWER_MAX = 160 };
    char text[4096];
    int len = 0;
    struct settlement settlement;
    while (!produce->is_write_blocked && settle_queue_next(&produce->settles, &settlement)) {
        len += put_settlement(text + len, sizeof text - (size_t)len, &settlement);
        if ((size_t)len > sizeof text - ANSWER_MAX) {
            say(produce, text, len);
            len = 0;
        }
    }
    if (len > 0)
        say(produce, text, len);
}

static void say_ready(struct produce_connection *produce)
{
    struct produce_shared *shared = produce->shared;
    const struct produce_settings *settings = shared->settings;
    char text[160];
    int len = snprintf(text, sizeof text, "READY window=%" PRIu32 " max_line=%" PRIu32, settings->window,
                       shared->max_line);
    if (produce->producer_len > 0) {
        struct span producer = span_of(produce->producer, produce->producer_len);
        uint64_t last = shared->store->ops->producer_last(shared->store, shared->batcher.sequence, producer);
        len += snprintf(text + len, sizeof text - (size_t)len, " last=%" PRIu64, last);
    }
    if (settings->ack_written)
        len += snprintf(text + len, sizeof text - (size_t)len, " ack=written");
    text[len++] = '\n';
    say(produce, text, len);
}

/* --- Ends --- */

/* No more lines are taken; `last_words` may be NONE. */
static void finish(struct produce_connection *produce, enum line_error last_words)
{
    if (!is_open(produce))
        return;
    produce->last_words = last_words;
    produce_connection_move(produce, PRODUCE_FINISHING);
}

static void close_when_settled(struct produce_connection *produce)
{
    if (produce->state != PRODUCE_FINISHING || produce->reader.appends > 0)
        return;
    if (settle_queue_open(&produce->settles) > 0)
        return; /* the peer does not read */
    if (produce->last_words != LINE_ERROR_NONE && produce->is_acknowledged) {
        char text[160];
        struct settlement settlement = {.error = produce->last_words};
        say(produce, text, put_settlement(text, sizeof text, &settlement));
    }
    produce_connection_move(produce, PRODUCE_CLOSING);
    stream_close(produce->connection.stream, true);
}

static enum line_error word_for(enum err err)
{
    if (err == ERR_DRAINING)
        return LINE_ERROR_DRAINING;
    return err == ERR_TOO_LARGE ? LINE_ERROR_TOO_LONG : LINE_ERROR_BROKEN;
}

/* An append failed: nothing behind it can be acknowledged any more. */
static void fail(struct produce_connection *produce, enum err err)
{
    settle_queue_done(&produce->settles);
    if (!is_open(produce))
        return;
    log_line(LOG_WARN, "door", "an append failed", "door=\"%s\" err=%s", produce->connection.door->name,
             err_name(err));
    finish(produce, word_for(err));
}

/* --- Lines --- */

/* What the batcher holds becomes an append on its way. */
static void submit(struct produce_connection *produce)
{
    struct produce_shared *shared = produce->shared;
    struct line_append *append;
    int64_t timestamp_ms = clock_wall_ns(shared->gate->loop->clock) / CLOCK_NS_PER_MS;
    if (line_batcher_is_empty(&shared->batcher))
        return;
    enum err err = produce->is_acknowledged ? settle_queue_reserve(&produce->settles) : ERR_NONE;
    if (err != ERR_NONE)
        line_batcher_forget(&shared->batcher);
    else
        err = line_batcher_finish(&shared->batcher, timestamp_ms, &append);
    if (err != ERR_NONE) {
        log_line(LOG_WARN, "door", "lines cannot be taken", "door=\"%s\" err=%s",
                 produce->connection.door->name, err_name(err));
        finish(produce, LINE_ERROR_NO_MEMORY);
        return;
    }
    append->append.producer = span_of(produce->producer, produce->producer_len);
    if (produce->producer_len == 0)
        append->append.producer_last = 0;
    if (produce->is_acknowledged)
        settle_queue_append(&produce->settles, append->lines, append->last_seq);
    append_gate_submit(shared->gate, &produce->reader, append);
}

/* In acknowledged mode lines settle in order, so what came before it goes first. */
static void refuse(struct produce_connection *produce, enum line_error error)
{
    metric_add(METRIC_LINES_REFUSED, 1);
    if (!produce->is_acknowledged)
        return;
    submit(produce);
    if (!is_open(produce))
        return;
    if (settle_queue_reserve(&produce->settles) != ERR_NONE)
        finish(produce, LINE_ERROR_NO_MEMORY);
    else
        settle_queue_refuse(&produce->settles, error);
}

static void stall(struct produce_connection *produce)
{
    struct store *store = produce->shared->store;
    submit(produce);
    if (store->ops->state(store, NULL) == STORE_BROKEN)
        fail(produce, ERR_BROKEN);
    else
        produce->is_stalled = true;
}

/* False: the line was not used up, and is to be kept. */
static bool take_message(struct produce_connection *produce, const struct line_cut *line)
{
    struct produce_shared *shared = produce->shared;
    enum line_error fault = line->is_too_long ? LINE_ERROR_TOO_LONG : LINE_ERROR_NONE;
    enum line_error error;
    if (line->is_too_long)
        metric_add(METRIC_LINES_TOO_LONG, 1);
    if (line->is_too_long && produce->is_acknowledged) {
        refuse(produce, fault);
        return true;
    }
    enum line_fate fate = line_batcher_add(&shared->batcher, line->line, fault, &error);
    if (fate == LINE_FULL) {
        submit(produce);
        if (!is_open(produce) || !append_gate_is_open(shared->gate, &produce->reader))
            return false;
        fate = line_batcher_add(&shared->batcher, line->line, fault, &error);
    }
    check(fate != LINE_FULL);
    if (fate == LINE_REFUSED)
        refuse(produce, error);
    else if (fate == LINE_STALLED)
        stall(produce);
    return fate != LINE_STALLED;
}

static void greet(struct produce_connection *produce, struct span line)
{
    struct line_hello hello;
    enum line_error error = line_hello_parse(line, &hello);
    produce->is_acknowledged = true; /* also to be told what is wrong */
    if (error != LINE_ERROR_NONE) {
        finish(produce, error);
        return;
    }
    produce->producer_len = (uint8_t)hello.producer.len;
    if (hello.producer.len > 0)
        memcpy(produce->producer, hello.producer.data, hello.producer.len);
    produce_connection_move(produce, PRODUCE_TAKING);
    say_ready(produce);
}

/* A peer that speaks something else must not have its words stored as messages. */
static bool is_stranger(struct produce_connection *produce, struct span bytes)
{
    const char *speech = line_stranger(bytes);
    if (produce->state != PRODUCE_GREETING || speech == NULL)
        return false;
    cut(produce,
        *speech == 'T' ? "a peer speaks TLS to a plain line port" : "a peer speaks HTTP to a line port");
    return true;
}

static bool take_line(struct produce_connection *produce, const struct line_cut *line)
{
    if (produce->state == PRODUCE_GREETING) {
        if (is_stranger(produce, line->line))
            return true;
        if (produce->shared->settings->hello && line_is_hello(line->line)) {
            greet(produce, line->line);
            return true;
        }
        produce_connection_move(produce, PRODUCE_TAKING);
    }
    return take_message(produce, line);
}

static bool window_is_full(const struct produce_connection *produce)
{
    if (!produce->is_acknowledged)
        return false;
    uint64_t open = settle_queue_open(&produce->settles) + produce->shared->batcher.entry_count;
    return open >= produce->shared->settings->window;
}

/* Uses up the lines at the front of `bytes`; returns how many bytes that were. What is left is an unfinished line, or waits. */
static size_t take_lines(struct produce_connection *produce, struct span bytes)
{
    struct line_cut line;
    size_t used = 0;
    int64_t taken = 0;
    if (produce->is_passing_over) {
        used = span_find(bytes, '\n');
        produce->is_passing_over = used == bytes.len;
        used += !produce->is_passing_over;
    }
    while (is_open(produce) &&
           (produce->has_lines = line_cut_first(span_after(bytes, used), produce->shared->max_line, &line))) {
        bool is_blocked = window_is_full(produce) || produce->is_write_blocked;
        if (is_blocked || !take_line(produce, &line))
            break;
        used += line.len;
        produce->is_passing_over = !line.has_end;
        taken++;
    }
    metric_add(METRIC_LINES_RECEIVED, taken);
    return used;
}

static void note_kept(struct produce_connection *produce)
{
    struct produce_shared *shared = produce->shared;
    if (produce->kept.len == 0 && produce->kept.size > GATE_KEPT_FREE)
        buffer_release(&produce->kept);
    append_gate_keep(shared->gate, &produce->reader, produce->kept.size);
    if (append_gate_is_out_of_room(shared->gate) && !shared->sweep.armed)
        timer_start(&shared->sweep, CLOCK_NS_PER_S);
}

static void keep(struct produce_connection *produce, struct span bytes)
{
    if (!is_open(produce))
        return;
    if (produce->kept.len == 0)
        produce->kept_since_ns = clock_now_ns(produce->shared->gate->loop->clock);
    if (buffer_append(&produce->kept, bytes) != ERR_NONE)
        finish(produce, LINE_ERROR_NO_MEMORY);
    note_kept(produce);
}

static void take_kept(struct produce_connection *produce)
{
    size_t used = take_lines(produce, buffer_span(&produce->kept));
    submit(produce); /* the lines point into the buffer */
    if (used > 0)
        produce->kept_since_ns = clock_now_ns(produce->shared->gate->loop->clock);
    buffer_consume(&produce->kept, used);
    note_kept(produce);
}

/* Only the line that was begun before is copied together; all others are taken where they were received. */
static void take_bytes(struct produce_connection *produce, struct span bytes)
{
    size_t used = 0;
    if (produce->kept.len > 0) {
        size_t end = span_find(bytes, '\n');
        size_t len = end < bytes.len ? end + 1 : end;
        keep(produce, span_of(bytes.data, len));
        bytes = span_after(bytes, len);
        used = take_lines(produce, buffer_span(&produce->kept));
    }
    bool has_kept = used < produce->kept.len;
    size_t more = has_kept ? 0 : take_lines(produce, bytes);
    submit(produce);
    buffer_consume(&produce->kept, used);
    keep(produce, span_after(bytes, more));
}

/* --- Events --- */

/* Whether the socket may be read; if not, what stands in the way will call proceed. */
static bool may_read(struct produce_connection *produce)
{
    struct produce_shared *shared = produce->shared;
    bool may =
        is_open(produce) && !produce->is_draining && !produce->is_write_blocked && !window_is_full(produce);
    if (may && produce->is_stalled) {
        append_gate_wait_for_store(shared->gate, &produce->reader);
        may = false;
    } else if (may && (produce->has_lines || !append_gate_is_open(shared->gate, &produce->reader))) {
        append_gate_wait(shared->gate, &produce->reader);
        may = false;
    }
    produce->is_paused = !may;
    return may;
}

/*
 * A message whose end is the end of the connection: not when somebody may have cut it short, and an acknowledged producer is
 * told that its last line is torn.
 */
static void take_last_line(struct produce_connection *produce)
{
    struct line_cut last = line_cut_last(buffer_span(&produce->kept), produce->shared->max_line);
    if (last.len == 0 || produce->is_passing_over)
        return;
    if (produce->is_acknowledged || stream_is_cut(produce->connection.stream))
        refuse(produce, LINE_ERROR_UNFINISHED);
    else if (!take_line(produce, &last))
        return;
    submit(produce);
    buffer_clear(&produce->kept);
}

static void proceed(struct produce_connection *produce)
{
    produce->is_stalled = false;
    if (is_open(produce))
        take_kept(produce);
    if (is_open(produce) && !produce->has_lines && produce->has_ended)
        take_last_line(produce);
    bool is_at_end = produce->is_draining || (produce->has_ended && produce->kept.len == 0);
    if (is_open(produce) && is_at_end && !produce->has_lines && !produce->is_stalled)
        finish(produce, produce->is_draining ? LINE_ERROR_DRAINING : LINE_ERROR_NONE);
    say_settled(produce);
    close_when_settled(produce);
    if (is_open(produce) && may_read(produce) && !produce->has_ended)
        stream_resume(produce->connection.stream);
}

static bool on_bytes(void *owner, struct span bytes)
{
    struct produce_connection *produce = owner;
    if (!is_open(produce))
        return false;
    if (is_stranger(produce, produce->kept.len > 0 ? buffer_span(&produce->kept) : bytes))
        return false;
    take_bytes(produce, bytes);
    if (produce->is_acknowledged)
        say_settled(produce);
    close_when_settled(produce);
    return may_read(produce);
}

static void on_end(void *owner)
{
    struct produce_connection *produce = owner;
    produce->has_ended = true;
    if (is_open(produce))
        proceed(produce);
}

static void on_drained(void *owner)
{
    struct produce_connection *produce = owner;
    produce->is_write_blocked = false;
    if (produce->state != PRODUCE_CLOSING)
        proceed(produce);
}

static void on_turn(struct gate_reader *reader)
{
    struct produce_connection *produce = LIST_OWNER(reader, struct produce_connection, reader);
    if (is_open(produce))
        proceed(produce);
}

static void free_when_done(struct produce_connection *produce)
{
    if (produce->state != PRODUCE_CLOSED || produce->reader.appends > 0)
        return;
    settle_queue_done(&produce->settles);
    door_connection_close(&produce->connection);
    free(produce);
}

static void on_complete(struct gate_reader *reader, const struct line_append *append)
{
    struct produce_connection *produce = LIST_OWNER(reader, struct produce_connection, reader);
    enum err err = append->append.ret_err;
    bool is_going = is_open(produce) || produce->state == PRODUCE_FINISHING;
    if (is_going && err != ERR_NONE) {
        fail(produce, err);
    } else if (is_going && produce->is_acknowledged && produce->settles.count > 0) {
        settle_queue_complete(&produce->settles);
        say_settled(produce);
    }
    close_when_settled(produce);
    if (is_open(produce) && produce->is_paused)
        append_gate_wait(produce->shared->gate, reader);
    free_when_done(produce);
}

static void on_closed(void *owner, enum err err)
{
    struct produce_connection *produce = owner;
    if (is_open(produce) && err != ERR_NONE && err != ERR_CLOSED)
        log_line(LOG_INFO, "door", "connection lost", "door=\"%s\" peer=%s err=%s",
                 produce->connection.door->name, produce->connection.stream->peer, err_name(err));
    produce_connection_move(produce, PRODUCE_CLOSED);
    produce->connection.stream = NULL;
    append_gate_leave(produce->shared->gate, &produce->reader);
    buffer_done(&produce->kept);
    free_when_done(produce);
}

enum err produce_connection_new(struct door *door, struct produce_shared *shared, struct stream *stream)
{
    static const struct stream_events events = {
        .on_bytes = on_bytes,
        .on_end = on_end,
        .on_drained = on_drained,
        .on_closed = on_closed,
    };
    struct produce_connection *produce = calloc(1, sizeof *produce);
    if (produce == NULL)
        return ERR_MEMORY;
    produce->shared = shared;
    settle_queue_init(&produce->settles);
    /* At most: an unfinished line, or what one read brought behind it while something stood in the way. */
    buffer_init(&produce->kept, shared->max_line + 2 + 2 * (size_t)LOOP_READ_SIZE);
    gate_reader_init(&produce->reader, on_turn, on_complete);
    door_connection_open(&produce->connection, door, stream, &events, produce);
    stream_resume(stream);
    return ERR_NONE;
}

static struct produce_connection *produce_of(struct door_connection *connection)
{
    return LIST_OWNER(connection, struct produce_connection, connection);
}

void produce_connection_drain(struct door_connection *connection)
{
    struct produce_connection *produce = produce_of(connection);
    if (!is_open(produce))
        return;
    produce->is_draining = true;
    stream_pause(connection->stream);
    proceed(produce);
}

void produce_connection_cut_stalled(struct door_connection *connection, int64_t since_ns)
{
    struct produce_connection *produce = produce_of(connection);
    if (is_open(produce) && produce->reader.kept_bytes > GATE_KEPT_FREE && produce->kept_since_ns <= since_ns)
        cut(produce, "a line is unfinished for too long while memory is short");
}
