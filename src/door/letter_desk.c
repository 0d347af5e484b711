/* Each operation is a task that writes the lines of a list, a search, a drop, a reroute or a replay's beginning. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/letter_desk.h"

#include <stdlib.h>

#include "audit/audit_search.h"
#include "base/json_writer.h"
#include "deadletter/letter_drop.h"
#include "deadletter/letter_list.h"
#include "deadletter/replay_json.h"
#include "door/reroute.h"

enum {
    FLUSH_SIZE = 32 * 1024,
    LINES_SIZE_MAX = 512 * 1024,
};

static const char operator_name[] = "operator";

struct letter_task {
    struct control_task task;
    struct letter_desk *desk;
    struct letter_list *list; /* one of these */
    struct audit_search *search;
    struct letter_drop *drop;
    struct reroute *reroute;
    struct buffer lines; /* that were not written yet */
};

/* --- Life ----------------------------------------------------------------------------------------- */

static void free_task(struct letter_task *self)
{
    letter_list_close(self->list);
    audit_search_close(self->search);
    letter_drop_close(self->drop);
    reroute_close(self->reroute);
    if (self->desk->replays != NULL)
        replays_forget_owner(self->desk->replays, self);
    buffer_done(&self->lines);
    free(self);
}

static void close_task(struct control_task *task)
{
    free_task(LIST_OWNER(task, struct letter_task, task));
}

static void go_on(struct control_task *task)
{
    struct letter_task *self = LIST_OWNER(task, struct letter_task, task);
    if (self->list != NULL)
        letter_list_resume(self->list);
    if (self->search != NULL)
        audit_search_resume(self->search);
}

static struct letter_task *task_new(struct letter_desk *desk, const struct control_sink *sink)
{
    static const struct control_task_ops ops = {.go_on = go_on, .close = close_task};
    struct letter_task *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->task = (struct control_task){&ops, *sink};
    self->desk = desk;
    buffer_init(&self->lines, LINES_SIZE_MAX);
    return self;
}

/* --- Lines ---------------------------------------------------------------------------------------- */

static bool flush(struct letter_task *self)
{
    bool goes_on = self->task.sink.write(self->task.sink.owner, buffer_span(&self->lines));
    buffer_clear(&self->lines);
    return goes_on;
}

/* False: the peer does not read. A line that is too long is left out: the limits of its writer keep it from that. */
static bool put_line(struct letter_task *self, struct span json)
{
    enum err err = buffer_reserve(&self->lines, json.len + 1);
    if (err != ERR_NONE && self->lines.len > 0) {
        (void)flush(self);
        err = buffer_reserve(&self->lines, json.len + 1);
    }
    if (err == ERR_NONE)
        err = buffer_append(&self->lines, json);
    if (err == ERR_NONE)
        err = buffer_append_text(&self->lines, "\n");
    return err == ERR_NONE && (self->lines.len < FLUSH_SIZE || flush(self));
}

static void finish(struct letter_task *self, enum err err, const char *text)
{
    struct control_sink sink = self->task.sink;
    if (self->lines.len > 0)
        (void)flush(self);
    free_task(self);
    sink.finish(sink.owner, err, text);
}

static bool on_line(void *owner, struct span json)
{
    return put_line(owner, json);
}

/* An object of some numbers. */
struct number {
    const char *name;
    uint64_t value;
};

static void put_numbers(struct letter_task *self, const struct number *numbers, unsigned count)
{
    struct buffer json;
    struct json_writer writer;
    buffer_init(&json, 1024);
    json_writer_init(&writer, &json);
    json_write_object_begin(&writer);
    for (unsigned i = 0; i < count; i++) {
        json_write_name(&writer, numbers[i].name);
        json_write_u64(&writer, numbers[i].value);
    }
    json_write_object_end(&writer);
    if (writer.err == ERR_NONE)
        (void)put_line(self, buffer_span(&json));
    buffer_done(&json);
}

/* An object of one text. */
static void put_text(struct letter_task *self, const char *name, struct span text)
{
    struct buffer json;
    struct json_writer writer;
    buffer_init(&json, 2 * RANGE_TEXT_MAX);
    json_writer_init(&writer, &json);
    json_write_object_begin(&writer);
    json_write_name(&writer, name);
    json_write_text(&writer, text);
    json_write_object_end(&writer);
    if (writer.err == ERR_NONE)
        (void)put_line(self, buffer_span(&json));
    buffer_done(&json);
}

/* --- Operations that take their time -------------------------------------------------------------- */

static void on_listed(void *owner, enum err err, struct span next)
{
    struct letter_task *self = owner;
    if (err == ERR_NONE && next.len > 0)
        put_text(self, "next", next);
    finish(self, err, err_text(err));
}

static enum err list_letters(struct letter_task *self, const struct letter_request *request, struct why *why)
{
    struct letter_list_events events = {on_line, on_listed, self};
    struct letter_list_order order = {
        .topic = request->topic,
        .from = request->from,
        .to = request->to,
        .reason = request->reason,
        .key = request->key,
        .limit = request->limit,
        .is_whole = request->is_whole,
    };
    return letter_list_new(self->desk->seams.store, self->desk->seams.mailbox, &order, &events, why,
                           &self->list);
}

static void on_searched(void *owner, enum err err)
{
    finish(owner, err, err_text(err));
}

static enum err search_audit(struct letter_task *self, const struct letter_request *request, struct why *why)
{
    struct audit_search_events events = {on_line, on_searched, self};
    struct audit_search_order order = {
        .audit_topic = self->desk->audit_topic,
        .from = request->from,
        .to = request->to,
        .topic = request->topic,
        .correlation_id = request->correlation_id,
        .event = request->event,
        .limit = request->limit,
    };
    return audit_search_new(self->desk->seams.store, self->desk->seams.mailbox, &order, &events, why,
                            &self->search);
}

static void on_dropped(void *owner, enum err err, uint64_t dropped)
{
    struct letter_task *self = owner;
    const struct number numbers[] = {{"dropped", dropped}};
    put_numbers(self, numbers, 1);
    finish(self, err, err_text(err));
}

static enum err drop_letters(struct letter_task *self, const struct letter_request *request, struct why *why)
{
    const struct letter_desk *desk = self->desk;
    struct letter_drop_events events = {on_dropped, self};
    struct letter_drop_order order = {
        .topic = request->topic,
        .from = request->from,
        .to = request->to,
        .reason = request->reason,
        .key = request->key,
        .by = span_from_text(operator_name),
    };
    return letter_drop_new(&desk->seams, &order, &events, why, &self->drop);
}

static void put_counts(struct letter_task *self, const struct reroute_counts *counts)
{
    const struct number numbers[] = {{"rerouted", counts->rerouted},
                                     {"left", counts->left},
                                     {"passed", counts->passed},
                                     {"total", counts->total}};
    put_numbers(self, numbers, 4);
}

static void on_rerouting(void *owner, const struct reroute_counts *counts)
{
    put_counts(owner, counts);
    (void)flush(owner);
}

static void on_rerouted(void *owner, enum err err, const struct reroute_counts *counts)
{
    put_counts(owner, counts);
    finish(owner, err, err_text(err));
}

static enum err reroute(struct letter_task *self, const struct letter_request *request, struct why *why)
{
    struct letter_desk *desk = self->desk;
    struct reroute_events events = {on_rerouting, on_rerouted, self};
    struct reroute_order order = {
        .topic = request->topic,
        .from = request->from,
        .to = request->to,
        .reason = request->reason,
        .key = request->key,
        .by = span_from_text(operator_name),
        .is_dry = request->is_dry,
    };
    return reroute_new(&desk->seams, &desk->doors, &order, &events, why, &self->reroute);
}

static void on_started(void *owner, uint64_t id, enum err err)
{
    struct letter_task *self = owner;
    char text[REPLAY_ID_SIZE];
    replay_id_put(text, id);
    if (err == ERR_NONE)
        put_text(self, "id", span_from_text(text));
    finish(self, err, err_text(err));
}

static enum err start_replay(struct letter_task *self, const struct letter_request *request, struct why *why)
{
    uint64_t id;
    struct replay_order order = {
        .topic = request->topic,
        .from = request->from,
        .to = request->to,
        .reason = request->reason,
        .key = request->key,
        .rate = request->rate,
        .is_dry = request->is_dry,
        .is_last_retry = request->is_last_retry,
        .delivery = request->delivery,
        .by = span_from_text(operator_name),
    };
    if (request->is_reroute)
        return reroute(self, request, why);
    if (self->desk->replays == NULL)
        return ERR_NOT_SUPPORTED;
    return replays_start(self->desk->replays, &order, on_started, self, why, &id);
}

/* --- Operations that are answered at once ----------------------------------------------------------- */

static enum err put_replay(struct letter_task *self, uint64_t id, bool has_lanes)
{
    struct replay_view view;
    const struct replay *replay;
    struct buffer json;
    enum err err = replays_look(self->desk->replays, id, &view, &replay);
    if (err != ERR_NONE)
        return err;
    buffer_init(&json, 128 * 1024);
    err = replay_json_write(&json, &view, has_lanes ? replay : NULL);
    if (err == ERR_NONE)
        (void)put_line(self, buffer_span(&json));
    buffer_done(&json);
    return err;
}

static enum err list_replays(struct letter_task *self, const struct letter_request *request, struct why *why)
{
    struct replays *replays = self->desk->replays;
    enum err err = ERR_NONE;
    if (replays == NULL)
        return ERR_NOT_SUPPORTED;
    if (request->id > 0)
        err = put_replay(self, request->id, true);
    for (uint64_t id = 0; request->id == 0 && err == ERR_NONE && (id = replays_next(replays, id)) > 0;)
        err = put_replay(self, id, false);
    if (err != ERR_NONE)
        return why_set(why, err, "replay %llu: %s", (unsigned long long)request->id, err_text(err));
    finish(self, ERR_NONE, "");
    return ERR_NONE;
}

static enum err stop_replay(struct letter_task *self, const struct letter_request *request, struct why *why)
{
    if (self->desk->replays == NULL)
        return ERR_NOT_SUPPORTED;
    enum err err = replays_stop(self->desk->replays, request->id);
    if (err != ERR_NONE)
        return why_set(why, err, "no replay %llu runs", (unsigned long long)request->id);
    finish(self, ERR_NONE, "");
    return ERR_NONE;
}

static void put_topic(struct letter_task *self, const struct store_topic *topic)
{
    struct buffer json;
    struct json_writer writer;
    uint64_t records = 0;
    for (uint32_t i = 0; i < topic->partitions; i++) {
        struct store_extent extent = {0};
        if (self->desk->seams.store->ops->extent(self->desk->seams.store, topic->id, i, &extent) == ERR_NONE)
            records += extent.end - extent.start;
    }
    buffer_init(&json, 1024);
    json_writer_init(&writer, &json);
    json_write_object_begin(&writer);
    json_write_name(&writer, "topic");
    json_write_text(&writer, span_from_text(topic->name));
    json_write_name(&writer, "records");
    json_write_u64(&writer, records);
    json_write_object_end(&writer);
    if (writer.err == ERR_NONE)
        (void)put_line(self, buffer_span(&json));
    buffer_done(&json);
}

/* The dead-letter topics, by their names. */
static enum err list_topics(struct letter_task *self)
{
    struct store *store = self->desk->seams.store;
    struct store_topic topic;
    for (uint32_t position = 0; store->ops->topic_next(store, &position, &topic);)
        if (dead_letter_topic_is(span_from_text(topic.name)))
            put_topic(self, &topic);
    finish(self, ERR_NONE, "");
    return ERR_NONE;
}

/* --- Requests ------------------------------------------------------------------------------------- */

/* True: the operation was answered, and the task is no more. */
static bool is_quick(const struct letter_request *request)
{
    return request->op == LETTER_OP_REPLAYS || request->op == LETTER_OP_REPLAY_STOP ||
           (request->op == LETTER_OP_LIST && request->topic.len == 0);
}

static enum err begin_task(struct letter_task *self, const struct letter_request *request, struct why *why)
{
    switch (request->op) {
    case LETTER_OP_LIST:
        return request->topic.len == 0 ? list_topics(self) : list_letters(self, request, why);
    case LETTER_OP_DROP: return drop_letters(self, request, why);
    case LETTER_OP_REPLAY: return start_replay(self, request, why);
    case LETTER_OP_REPLAYS: return list_replays(self, request, why);
    case LETTER_OP_REPLAY_STOP: return stop_replay(self, request, why);
    case LETTER_OP_AUDIT: return search_audit(self, request, why);
    case LETTER_OP_COUNT: break;
    }
    check(false);
}

static enum err begin(void *owner,
                      struct span line,
                      const struct control_sink *sink,
                      struct why *why,
                      struct control_task **ret_task)
{
    struct letter_desk *desk = owner;
    enum err err = letter_request_parse(line, &desk->request, why);
    if (err != ERR_NONE)
        return err;
    struct letter_task *self = task_new(desk, sink);
    if (self == NULL)
        return ERR_MEMORY;
    bool is_over = is_quick(&desk->request);
    err = begin_task(self, &desk->request, why);
    if (err != ERR_NONE) {
        if (why->text[0] == '\0')
            (void)why_set(why, err, "%s", err_text(err)); /* NOT_FOUND without a word is another operation */
        free_task(self);
    }
    *ret_task = err != ERR_NONE || is_over ? NULL : &self->task;
    return err;
}

struct control_operations letter_desk_operations(struct letter_desk *desk)
{
    return (struct control_operations){.begin = begin, .names = letter_request_ops, .owner = desk};
}
