/* One client of the control socket. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/control_connection.h"

#include <stdlib.h>

#include "base/log.h"
#include "door/control_answer.h"
#include "door/control_request.h"
#include "door/member_reader.h"
#include "door/topic_reader.h"

enum {
    PENDING_SIZE_MAX = LOOP_READ_SIZE + 2 * CONTROL_REQUEST_MAX,
    FLUSH_SIZE = 64 * 1024,
    TAIL_WINDOW = 1, /* it settles a record before it takes the next */
};

struct control_connection {
    struct door_connection base;
    struct control_shared *shared;
    struct buffer pending; /* requests that are not answered yet */
    bool is_busy;          /* the peer does not read: no more answers until on_drained */
    bool is_listing;       /* in the middle of the answer to `topics` */
    uint32_t topic_position;
    bool is_tailing; /* records, their end, and the close */
    bool follows;
    struct control_task *task;   /* answers; nothing else is answered meanwhile */
    bool is_beginning;           /* a task: it may finish at once */
    struct topic_reader *reader; /* one of the two, or none */
    struct member_reader *member;
    struct line_writer writer; /* of its lines */
    bool has_ended;            /* the peer will ask no more */
    bool is_closing;
};

/* --- Writing ------------------------------------------------------------------------------------ */

static void close_task(struct control_connection *self)
{
    struct control_task *task = self->task;
    self->task = NULL;
    if (task != NULL)
        task->ops->close(task);
}

static void close_readers(struct control_connection *self)
{
    self->reader = topic_reader_close(self->reader);
    self->member = member_reader_close(self->member);
    line_writer_done(&self->writer);
}

/* They finish with a whole line. */
static void end_readers(struct control_connection *self, enum err outcome)
{
    if (self->reader != NULL)
        topic_reader_end(self->reader, outcome);
    if (self->member != NULL)
        member_reader_end(self->member, outcome);
}

static void close_after_answers(struct control_connection *self)
{
    self->is_closing = true;
    close_task(self);
    close_readers(self);
    stream_close(self->base.stream, true);
}

static void flush(struct control_connection *self)
{
    struct buffer *answers = &self->shared->answers;
    if (answers->len == 0)
        return;
    enum err err = stream_write(self->base.stream, buffer_span(answers));
    buffer_clear(answers);
    self->is_busy = self->is_busy || err == ERR_BUSY;
    self->is_closing = self->is_closing || err == ERR_CLOSED;
}

/* An answer that cannot be built ends the connection: its peer would wait for it. */
static void sent(struct control_connection *self, enum err err)
{
    if (err == ERR_NONE) {
        flush(self);
        return;
    }
    buffer_clear(&self->shared->answers);
    log_line(LOG_WARN, "door", "no answer", "door=\"%s\" err=%s", self->base.door->name, err_name(err));
    close_after_answers(self);
}

static void refuse(struct control_connection *self, enum err err, const char *text)
{
    sent(self, control_answer_error(&self->shared->answers, err, text));
}

/* --- Operations --------------------------------------------------------------------------------- */

static void list_topics(struct control_connection *self)
{
    struct buffer *answers = &self->shared->answers;
    struct store *store = self->shared->store;
    struct store_topic topic;
    enum err err = ERR_NONE;
    self->is_listing = true;
    while (err == ERR_NONE && !self->is_busy && !self->is_closing &&
           store->ops->topic_next(store, &self->topic_position, &topic)) {
        err = control_answer_topic(answers, store, &topic);
        if (answers->len >= FLUSH_SIZE)
            flush(self);
    }
    if (!self->is_busy) {
        self->is_listing = false;
        err = err == ERR_NONE ? control_answer_ok(answers) : err;
    }
    if (self->is_closing)
        buffer_clear(answers); /* all connections gather theirs in it */
    else
        sent(self, err);
}

/* A client tells the end of the records from a break by a last line. */
static void on_finished(void *owner, enum err err, const struct why *why)
{
    struct control_connection *self = owner;
    if (err != ERR_NONE && err != ERR_CLOSED)
        log_line(LOG_WARN, "door", "tail failed", "door=\"%s\" err=%s why=\"%s\"", self->base.door->name,
                 err_name(err), why->text);
    if (err == ERR_NONE)
        sent(self, control_answer_ok(&self->shared->answers));
    else if (err != ERR_CLOSED)
        refuse(self, err, why->text);
    close_after_answers(self);
}

static struct topic_reader_options tail_options(const struct control_request *request,
                                                struct store_topic topic)
{
    static const enum topic_reader_from places[] = {
        [CONTROL_FROM_END] = TOPIC_READER_FROM_END,
        [CONTROL_FROM_START] = TOPIC_READER_FROM_START,
        [CONTROL_FROM_OFFSET] = TOPIC_READER_FROM_OFFSET,
    };
    return (struct topic_reader_options){
        .topic = topic,
        .from = places[request->from],
        .offset = request->from_offset,
        .partition =
            request->from_has_partition ? (int64_t)request->from_partition : TOPIC_READER_ALL_PARTITIONS,
        .follow = request->follow,
        .limit = request->limit,
        .encoding = request->is_base64 ? LINE_ENCODING_BASE64 : LINE_ENCODING_TEXT,
    };
}

static enum err
tail_alone(struct control_connection *self, const struct control_request *request, struct store_topic topic)
{
    struct control_shared *shared = self->shared;
    struct topic_reader_options options = tail_options(request, topic);
    struct topic_reader_events events = {.on_finished = on_finished, .owner = self};
    return topic_reader_new(&options, shared->store, &shared->pool, &self->writer, events, &self->reader);
}

/* A group that is new to the topic begins with its first record, unless the request says otherwise. */
static struct member_reader_options member_options(const struct control_request *request,
                                                   struct store_topic topic)
{
    static const enum group_from places[] = {
        [CONTROL_FROM_END] = GROUP_FROM_END,
        [CONTROL_FROM_START] = GROUP_FROM_START,
        [CONTROL_FROM_OFFSET] = GROUP_FROM_OFFSET,
    };
    return (struct member_reader_options){
        .member = {.topic = topic.id,
                   .partition =
                       request->from_has_partition ? (int64_t)request->from_partition : GROUP_ALL_PARTITIONS,
                   .from = request->has_from ? places[request->from] : GROUP_FROM_START,
                   .offset = request->from_offset,
                   .window = TAIL_WINDOW,
                   .by = span_from_text("tail")},
        .encoding = request->is_base64 ? LINE_ENCODING_BASE64 : LINE_ENCODING_TEXT,
        .settles = true,
        .limit = request->limit,
    };
}

static enum err tail_in_group(struct control_connection *self,
                              const struct control_request *request,
                              struct store_topic topic)
{
    struct control_shared *shared = self->shared;
    struct member_reader_options options = member_options(request, topic);
    struct member_reader_events events = {.on_finished = on_finished, .owner = self};
    struct group *group;
    if (shared->options.groups == NULL)
        return ERR_NOT_SUPPORTED;
    if (options.member.partition >= (int64_t)topic.partitions)
        return ERR_UNKNOWN_TOPIC;
    enum err err = groups_open(shared->options.groups, span_of(request->group, request->group_len), &group);
    if (err != ERR_NONE)
        return err;
    return member_reader_new(&options, group, &shared->pool, &self->writer, &events, &self->member);
}

static void tail(struct control_connection *self, const struct control_request *request)
{
    struct control_shared *shared = self->shared;
    struct store_topic topic;
    struct span name = span_of(request->topic, request->topic_len);
    enum err err = shared->store->ops->topic_open(shared->store, name, 0, false, &topic);
    if (err == ERR_NONE)
        err = request->group_len > 0 ? tail_in_group(self, request, topic) : tail_alone(self, request, topic);
    if (err != ERR_NONE) {
        refuse(self, err, err_text(err));
        return;
    }
    self->is_tailing = true;
    self->follows = request->follow;
    sent(self, control_answer_ok(&shared->answers));
}

/* The stream has a new owner, and the connection is no more. */
static void vanish(struct control_connection *self)
{
    buffer_done(&self->pending);
    door_connection_close(&self->base);
    free(self);
}

/* False when the connection is no more. `is_last`: nothing came behind the request. */
static bool
start_producer(struct control_connection *self, const struct control_request *request, bool is_last)
{
    struct control_shared *shared = self->shared;
    struct control_options *options = &shared->options;
    struct stream *stream = self->base.stream;
    if (!is_last) {
        refuse(self, ERR_PROTOCOL, "wait for the answer to send before you send more");
        return true;
    }
    struct span topic = span_of(request->topic, request->topic_len);
    struct span key = span_of(request->key, request->key_len);
    enum err err = control_answer_ok(&shared->answers);
    if (err == ERR_NONE)
        err = options->take_producer == NULL
                  ? ERR_NOT_SUPPORTED
                  : options->take_producer(options->owner, stream, topic, key, request->has_key);
    if (err != ERR_NONE) {
        buffer_clear(&shared->answers);
        refuse(self, err, err_text(err));
        return true;
    }
    vanish(self);
    /* CLOSED or BUSY: the stream tells its new owner. */
    enum err ignored = stream_write(stream, buffer_span(&shared->answers));
    (void)ignored;
    buffer_clear(&shared->answers);
    return false;
}

static bool answer(struct control_connection *self, const struct control_request *request, bool is_last)
{
    struct control_shared *shared = self->shared;
    int64_t uptime_ns = clock_now_ns(self->base.door->loop->clock) - shared->started_ns;
    switch (request->op) {
    case CONTROL_OP_TOPICS:
        self->topic_position = 0;
        list_topics(self);
        break;
    case CONTROL_OP_STATUS:
        sent(self, control_answer_status(&shared->answers, shared->store, uptime_ns));
        break;
    case CONTROL_OP_METRICS: sent(self, control_answer_metrics(&shared->answers)); break;
    case CONTROL_OP_TAIL: tail(self, request); break;
    case CONTROL_OP_SEND: return start_producer(self, request, is_last);
    case CONTROL_OP_COUNT: check(false); break;
    }
    return true;
}

/* --- Operations of other rooms ------------------------------------------------------------------- */

static bool go_on(struct control_connection *self);
static bool wants_bytes(const struct control_connection *self);

static bool write_task_lines(void *owner, struct span lines)
{
    struct control_connection *self = owner;
    sent(self, buffer_append(&self->shared->answers, lines));
    return !self->is_busy && !self->is_closing;
}

static void finish_task(void *owner, enum err err, const char *text)
{
    struct control_connection *self = owner;
    struct stream *stream = self->base.stream;
    self->task = NULL;
    if (self->is_closing)
        return;
    if (err == ERR_NONE)
        sent(self, control_answer_ok(&self->shared->answers));
    else
        refuse(self, err, text);
    if (!self->is_beginning && go_on(self) && wants_bytes(self))
        stream_resume(stream);
}

/* False: the request is none of those. */
static bool begin_task(struct control_connection *self, struct span line)
{
    const struct control_operations *operations = &self->shared->options.operations;
    struct control_sink sink = {write_task_lines, finish_task, self};
    struct control_task *task = NULL;
    struct why why = {""};
    if (operations->begin == NULL)
        return false;
    self->is_beginning = true;
    enum err err = operations->begin(operations->owner, line, &sink, &why, &task);
    self->is_beginning = false;
    if (err == ERR_NOT_FOUND && why.text[0] == '\0')
        return false;
    self->task = task;
    if (err != ERR_NONE)
        refuse(self, err, why.text[0] == '\0' ? err_text(err) : why.text);
    return true;
}

/* --- Reading ------------------------------------------------------------------------------------ */

/* False when the connection is no more. */
static bool answer_line(struct control_connection *self, struct span line, bool is_last)
{
    struct control_request request;
    struct why why = {""};
    if (begin_task(self, line))
        return true;
    enum err err = control_request_parse(line, self->shared->options.operations.names, &request, &why);
    if (err == ERR_NONE)
        return answer(self, &request, is_last);
    refuse(self, err, why.text);
    return true;
}

static bool may_answer(const struct control_connection *self)
{
    return !self->is_busy && !self->is_listing && !self->is_tailing && self->task == NULL &&
           !self->is_closing;
}

static void end_when_answered(struct control_connection *self)
{
    if (!self->has_ended || self->is_closing)
        return;
    if (self->follows)
        end_readers(self, ERR_NONE);
    else if (may_answer(self))
        close_after_answers(self);
}

/* Answers what is pending. False when the connection is no more. */
static bool go_on(struct control_connection *self)
{
    while (may_answer(self)) {
        struct span pending = buffer_span(&self->pending);
        size_t end = span_find(pending, '\n');
        if (end == pending.len && pending.len <= CONTROL_REQUEST_MAX)
            break;
        if (end > CONTROL_REQUEST_MAX) {
            refuse(self, ERR_TOO_LARGE, "a request is at most 16384 bytes long");
            close_after_answers(self);
            break;
        }
        if (!answer_line(self, span_of(pending.data, end), end + 1 == pending.len))
            return false;
        buffer_consume(&self->pending, end + 1);
    }
    if (self->pending.len == 0)
        buffer_release(&self->pending);
    end_when_answered(self);
    return true;
}

/* Records stop nobody from noticing that the peer ends; requests behind `tail` are passed over. */
static bool wants_bytes(const struct control_connection *self)
{
    return self->is_tailing || may_answer(self);
}

static bool on_bytes(void *owner, struct span bytes)
{
    struct control_connection *self = owner;
    if (self->is_tailing)
        return true;
    enum err err = buffer_append(&self->pending, bytes);
    if (err != ERR_NONE) {
        refuse(self, err, err_text(err));
        close_after_answers(self);
        return false;
    }
    return !go_on(self) || wants_bytes(self);
}

static void on_end(void *owner)
{
    struct control_connection *self = owner;
    self->has_ended = true;
    end_when_answered(self);
}

/* What the writer ends with the reader meets, too. */
static void resume_reader(struct control_connection *self)
{
    enum err err = line_writer_resume(&self->writer);
    if (err != ERR_BUSY && self->reader != NULL)
        topic_reader_resume(self->reader);
    if (err != ERR_BUSY && self->member != NULL)
        member_reader_resume(self->member);
}

static void on_drained(void *owner)
{
    struct control_connection *self = owner;
    self->is_busy = false;
    resume_reader(self);
    if (self->is_listing)
        list_topics(self);
    struct stream *stream = self->base.stream;
    if (self->task != NULL) { /* when it finishes now, it goes on here */
        self->is_beginning = true;
        self->task->ops->go_on(self->task);
        self->is_beginning = false;
    }
    if (go_on(self) && wants_bytes(self))
        stream_resume(stream);
}

/* --- Life --------------------------------------------------------------------------------------- */

static void on_closed(void *owner, enum err err)
{
    struct control_connection *self = owner;
    (void)err; /* commands come and go as they like */
    close_task(self);
    close_readers(self);
    vanish(self);
}

enum err control_connection_new(struct control_shared *shared, struct door *door, struct stream *stream)
{
    static const struct stream_events events = {on_bytes, on_end, on_drained, on_closed};
    struct control_connection *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return ERR_MEMORY;
    self->shared = shared;
    buffer_init(&self->pending, PENDING_SIZE_MAX);
    line_writer_init(&self->writer, stream);
    door_connection_open(&self->base, door, stream, &events, self);
    stream_resume(stream);
    return ERR_NONE;
}

void control_connection_drain(struct door_connection *connection)
{
    struct control_connection *self = LIST_OWNER(connection, struct control_connection, base);
    if (self->is_closing)
        return;
    if (self->reader != NULL || self->member != NULL) /* who follows asked for no end of its own */
        end_readers(self, self->follows ? ERR_NONE : ERR_DRAINING);
    else
        close_after_answers(self);
}
