/* The control socket's operation `groups`. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/group_desk.h"

#include <stdlib.h>

#include "base/json_writer.h"
#include "door/request_reader.h"

/*
 * Group after group, and in each topic after topic, so many partitions a turn. A partition has a line when the group has begun
 * there or holds something open; a group without any has one line by itself.
 */
enum { OP_GROUPS, OPS, PARTITIONS_PER_TURN = 256, ANSWER_SIZE_MAX = 256 * 1024, LINE_SIZE_MAX = 2048 };

static const char *const op_names[OPS] = {[OP_GROUPS] = "groups"};
static const struct request_table table = {.ops = op_names, .op_count = OPS};

struct group_task {
    struct control_task task;
    struct group_desk *desk;
    struct loop_task step;
    bool *is_gone; /* told when the task is closed inside a call to its sink */
    struct buffer answer;
    uint32_t next_group;
    bool has_group; /* which is being told: */
    struct store_group group;
    struct group *live;
    bool has_lines;
    uint32_t next_topic;
    bool has_topic; /* likewise: */
    struct store_topic topic;
    uint32_t next_partition;
};

static void free_task(struct group_task *self)
{
    loop_task_cancel(&self->step);
    buffer_done(&self->answer);
    free(self);
}

static void finish(struct group_task *self, enum err err)
{
    struct control_sink sink = self->task.sink;
    free_task(self);
    sink.finish(sink.owner, err, err_text(err));
}

/* --- Lines -------------------------------------------------------------------------------------- */

static void write_count(struct json_writer *writer, const char *name, uint64_t value)
{
    json_write_name(writer, name);
    json_write_u64(writer, value);
}

static void begin_line(struct json_writer *writer, struct group_task *self)
{
    const struct store_group *group = &self->group;
    json_writer_init(writer, &self->answer);
    json_write_object_begin(writer);
    json_write_name(writer, "group");
    json_write_text(writer, span_from_text(group->name));
    json_write_name(writer, "named");
    json_write_bool(writer, group->is_named);
    json_write_name(writer, "done");
    json_write_bool(writer, group->has_done);
    json_write_name(writer, "active_at");
    json_write_i64(writer, group->active_ns / CLOCK_NS_PER_MS);
}

static enum err end_line(struct json_writer *writer)
{
    json_write_object_end(writer);
    return writer->err == ERR_NONE ? buffer_append_text(writer->buffer, "\n") : writer->err;
}

static enum err
write_partition(struct group_task *self, const struct store_progress *progress, const struct group_view *view)
{
    struct json_writer writer;
    struct store_extent extent = {0};
    struct group_desk *desk = self->desk;
    enum err err = desk->store->ops->extent(desk->store, self->topic.id, progress->partition, &extent);
    if (err != ERR_NONE)
        return err;
    uint64_t settled = progress->low + progress->settled_above;
    begin_line(&writer, self);
    json_write_name(&writer, "topic");
    json_write_text(&writer, span_from_text(self->topic.name));
    write_count(&writer, "partition", progress->partition);
    write_count(&writer, "low", progress->low);
    write_count(&writer, "end", extent.end);
    write_count(&writer, "lag", extent.end > settled ? extent.end - settled : 0);
    write_count(&writer, "open", view->open);
    write_count(&writer, "members", view->members);
    if (view->oldest_open_ns > 0) {
        int64_t age_ns = clock_now_ns(desk->loop->clock) - view->oldest_open_ns;
        json_write_name(&writer, "oldest_open_ms");
        json_write_i64(&writer, age_ns / CLOCK_NS_PER_MS);
    }
    return end_line(&writer);
}

/* --- The walk ----------------------------------------------------------------------------------- */

/* False: there is no further one. */
static bool next_group(struct group_task *self)
{
    struct group_desk *desk = self->desk;
    if (!desk->store->outcomes->group_next(desk->store, &self->next_group, &self->group))
        return false;
    self->has_group = true;
    self->has_lines = false;
    self->next_topic = 0;
    self->has_topic = false;
    return true;
}

static enum err end_group(struct group_task *self)
{
    struct json_writer writer;
    self->has_group = false;
    if (self->has_lines)
        return ERR_NONE;
    begin_line(&writer, self);
    return end_line(&writer);
}

static enum err tell_partition(struct group_task *self)
{
    struct group_desk *desk = self->desk;
    struct store_progress progress;
    struct group_view view = {.open = 0};
    uint32_t partition = self->next_partition++;
    if (desk->store->outcomes->progress(desk->store, self->group.id, self->topic.id, partition, &progress) !=
        ERR_NONE)
        return ERR_NONE; /* it has been forgotten meanwhile */
    if (self->live != NULL)
        group_look(self->live, self->topic.id, partition, &view);
    if (!progress.has_begun && view.members == 0 && view.open == 0)
        return ERR_NONE;
    self->has_lines = true;
    return write_partition(self, &progress, &view);
}

/* One thing more: a group, a topic or a partition. False: it was the last. */
static bool walk(struct group_task *self, enum err *ret_err)
{
    struct store *store = self->desk->store;
    if (!self->has_group)
        return next_group(self);
    if (self->has_topic && self->next_partition < self->topic.partitions) {
        *ret_err = tell_partition(self);
        return true;
    }
    self->next_partition = 0;
    self->has_topic = store->ops->topic_next(store, &self->next_topic, &self->topic);
    if (!self->has_topic)
        *ret_err = end_group(self);
    return true;
}

/* It lives until the groups' next step at least, so for this turn. */
static void find_live(struct group_task *self)
{
    struct store *store = self->desk->store;
    struct span name = span_from_text(self->group.name);
    uint32_t id;
    self->live = NULL;
    if (!self->has_group || store->outcomes->group_open(store, name, false, &id) != ERR_NONE)
        return; /* looking must not bring back what was forgotten */
    if (groups_open(self->desk->groups, name, &self->live) != ERR_NONE)
        self->live = NULL;
}

/* False: the task is no more. */
static bool send_answer(struct group_task *self, bool *ret_goes_on)
{
    struct control_sink *sink = &self->task.sink;
    bool is_gone = false;
    self->is_gone = &is_gone;
    *ret_goes_on = sink->write(sink->owner, buffer_span(&self->answer));
    if (is_gone)
        return false;
    self->is_gone = NULL;
    buffer_clear(&self->answer);
    return true;
}

static void on_step(struct loop_task *step)
{
    struct group_task *self = LIST_OWNER(step, struct group_task, step);
    enum err err = ERR_NONE;
    bool has_more = true;
    bool goes_on = false;
    find_live(self);
    for (unsigned i = 0; i < PARTITIONS_PER_TURN && has_more && err == ERR_NONE; i++) {
        bool had_group = self->has_group;
        has_more = walk(self, &err);
        if (self->has_group != had_group)
            find_live(self);
        if (self->answer.len + LINE_SIZE_MAX > ANSWER_SIZE_MAX)
            break;
    }
    if (!send_answer(self, &goes_on))
        return;
    if (err != ERR_NONE || !has_more)
        finish(self, err);
    else if (goes_on)
        loop_at_end_of_turn(self->desk->loop, &self->step);
}

static void go_on(struct control_task *task)
{
    struct group_task *self = LIST_OWNER(task, struct group_task, task);
    loop_at_end_of_turn(self->desk->loop, &self->step);
}

static void close_task(struct control_task *task)
{
    struct group_task *self = LIST_OWNER(task, struct group_task, task);
    if (self->is_gone != NULL)
        *self->is_gone = true;
    free_task(self);
}

static enum err begin(void *owner,
                      struct span line,
                      const struct control_sink *sink,
                      struct why *why,
                      struct control_task **ret_task)
{
    static const struct control_task_ops ops = {.go_on = go_on, .close = close_task};
    struct group_desk *desk = owner;
    int op;
    if (request_reader_op(&table, line) == REQUEST_OP_NONE)
        return ERR_NOT_FOUND;
    enum err err = request_reader_read(&table, line, "groups", NULL, &op, why);
    if (err != ERR_NONE)
        return err;
    struct group_task *self = calloc(1, sizeof *self);
    if (self == NULL)
        return ERR_MEMORY;
    self->task = (struct control_task){.ops = &ops, .sink = *sink};
    self->desk = desk;
    buffer_init(&self->answer, ANSWER_SIZE_MAX);
    loop_task_init(&self->step, on_step);
    loop_at_end_of_turn(desk->loop, &self->step);
    *ret_task = &self->task;
    return ERR_NONE;
}

struct control_operations group_desk_operations(struct group_desk *desk)
{
    return (struct control_operations){.begin = begin, .names = "groups", .owner = desk};
}
