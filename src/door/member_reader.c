/* A member of a group that writes lines. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/member_reader.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"

/*
 * One bounded step at the end of each turn, until it must wait:
 *
 *   take records, make lines, write them, some pieces a turn     the peer does not read: wait for member_reader_resume
 *   nothing to take now                                          wait for the group's on_ready
 *
 * A damaged record is settled by the group, one that cannot be read now comes later; here both are a log line.
 */
enum { PIECES_A_TURN = 4 };

struct member_reader {
    struct member_reader_options options;
    struct member_reader_events events;
    struct group *group;
    struct group_member *member; /* NULL while it joins */
    struct read_pool *pool;
    struct line_writer *writer;
    struct loop_task step;
    uint64_t line_count;
    uint32_t open_count; /* as the metric knows it */
    enum err written;    /* what became of the lines of this piece */
    bool is_waiting;     /* for on_ready */
    bool is_ending;
    enum err outcome; /* once it is ending */
    bool is_finished;
};

static void step_later(struct member_reader *self)
{
    loop_at_end_of_turn(self->pool->loop, &self->step);
}

/* --- Ending ------------------------------------------------------------------------------------- */

static void finish(struct member_reader *self, enum err err)
{
    struct why why = {""};
    check(!self->is_finished);
    self->is_finished = true;
    if (err != ERR_NONE)
        err = why_set(&why, err, "%s", err_text(err));
    self->events.on_finished(self->events.owner, err, &why);
}

void member_reader_end(struct member_reader *reader, enum err outcome)
{
    if (reader->is_ending || reader->is_finished)
        return;
    reader->is_ending = true;
    reader->outcome = outcome;
    step_later(reader);
}

struct member_reader *member_reader_close(struct member_reader *reader)
{
    if (reader == NULL)
        return NULL;
    loop_task_cancel(&reader->step);
    metric_add(METRIC_RECORDS_RETURNED, group_member_open(reader->member));
    metric_add(METRIC_RECORDS_OPEN, -(int64_t)reader->open_count);
    reader->member = group_leave(reader->member);
    free(reader);
    return NULL;
}

void member_reader_count_open(struct member_reader *reader)
{
    uint32_t before = reader->open_count;
    reader->open_count = group_member_open(reader->member);
    metric_add(METRIC_RECORDS_OPEN, (int64_t)reader->open_count - before);
}

/* --- Lines -------------------------------------------------------------------------------------- */

static bool limit_is_reached(const struct member_reader *self)
{
    return self->options.limit > 0 && self->line_count >= self->options.limit;
}

/* The record stays where it is, unless the group has settled it. */
static void log_unreadable(const struct member_reader *self, const struct group_item *item, enum err err)
{
    struct span group = group_name(self->group);
    metric_add(METRIC_RECORDS_UNREADABLE, 1);
    log_line(LOG_WARN, "door", "a record cannot be read",
             "group=%.*s topic=%" PRIu32 " partition=%" PRIu32 " offset=%" PRIu64 " err=%s peer=%s",
             (int)group.len, (const char *)group.data, item->position.topic, item->position.partition,
             item->position.offset, err_name(err), self->writer->stream->peer);
}

/* One record becomes a line, if there is one now. */
static enum err take_record(struct member_reader *self, struct group_item *item)
{
    enum err err = group_member_next(self->member, item);
    if (err == ERR_NONE) {
        err = line_canonical_append(&self->pool->lines, item->record, item->position.partition,
                                    self->options.encoding);
        self->line_count += err == ERR_NONE;
        return err;
    }
    self->is_waiting = err == ERR_AGAIN;
    if (err != ERR_AGAIN)
        log_unreadable(self, item, err);
    return ERR_NONE;
}

/* Who settles what it hands over takes one record at a time. */
static void settle(struct member_reader *self, const struct group_item *item)
{
    struct group_select select = {.position = item->position};
    (void)group_member_done(self->member, &select, 0);
}

static void write_lines(struct member_reader *self)
{
    enum err err = line_writer_write(self->writer, buffer_span(&self->pool->lines));
    read_pool_clear_lines(self->pool);
    if (self->written == ERR_NONE)
        self->written = err;
}

/* NONE, BUSY, or the end of it. */
static enum err make_piece(struct member_reader *self)
{
    struct buffer *lines = &self->pool->lines;
    struct group_item item;
    size_t enough = self->options.settles ? 1 : line_writer_room(self->writer);
    enum err err = ERR_NONE;
    self->written = ERR_NONE;
    while (err == ERR_NONE && self->written == ERR_NONE && !self->is_waiting && lines->len < enough &&
           !limit_is_reached(self))
        err = take_record(self, &item);
    bool has_line = lines->len > 0;
    write_lines(self);
    if (has_line && self->options.settles && (self->written == ERR_NONE || self->written == ERR_BUSY))
        settle(self, &item);
    return err == ERR_NONE ? self->written : err;
}

/* --- Steps -------------------------------------------------------------------------------------- */

static void make_lines(struct member_reader *self)
{
    unsigned pieces = self->options.settles ? PIECES_A_TURN * LINE_WRITER_PIECE / 1024 : PIECES_A_TURN;
    uint64_t before = self->line_count;
    enum err err = ERR_NONE;
    for (unsigned i = 0; i < pieces && err == ERR_NONE && !self->is_waiting && !limit_is_reached(self); i++)
        err = make_piece(self);
    metric_add(METRIC_RECORDS_GIVEN, (int64_t)(self->line_count - before));
    member_reader_count_open(self);
    if (err != ERR_NONE && err != ERR_BUSY)
        finish(self, err);
    else if (!self->is_waiting || limit_is_reached(self))
        step_later(self);
}

static void on_step(struct loop_task *step)
{
    struct member_reader *self = LIST_OWNER(step, struct member_reader, step);
    if (self->writer->is_busy || self->is_finished)
        return;
    if (self->is_ending || limit_is_reached(self))
        finish(self, self->outcome);
    else if (!self->is_waiting)
        make_lines(self);
}

static void on_ready(void *owner)
{
    struct member_reader *self = owner;
    self->is_waiting = false;
    step_later(self);
}

void member_reader_resume(struct member_reader *reader)
{
    if (!reader->is_finished)
        step_later(reader);
}

/* --- What the group says ------------------------------------------------------------------------ */

static void on_gap(void *owner, uint32_t topic, uint32_t partition, uint64_t from, uint64_t to)
{
    struct member_reader *self = owner;
    struct span group = group_name(self->group);
    log_line(LOG_WARN, "door", "retention has passed a group",
             "group=%.*s topic=%" PRIu32 " partition=%" PRIu32 " from=%" PRIu64 " to=%" PRIu64 " peer=%s",
             (int)group.len, (const char *)group.data, topic, partition, from, to,
             self->writer->stream->peer);
    write_lines(self); /* what came before it */
    if (self->events.on_gap != NULL)
        self->events.on_gap(self->events.owner, topic, partition, from, to);
}

static void on_lease_over(void *owner, uint64_t records)
{
    struct member_reader *self = owner;
    struct span group = group_name(self->group);
    metric_add(METRIC_RECORDS_RETURNED, (int64_t)records);
    member_reader_count_open(self);
    log_line(LOG_WARN, "door", "a lease is over", "group=%.*s records=%" PRIu64 " peer=%s", (int)group.len,
             (const char *)group.data, records, self->writer->stream->peer);
}

/* --- Life --------------------------------------------------------------------------------------- */

struct group_member *member_reader_member(struct member_reader *reader)
{
    return reader->member;
}

enum err member_reader_new(const struct member_reader_options *options,
                           struct group *group,
                           struct read_pool *pool,
                           struct line_writer *writer,
                           const struct member_reader_events *events,
                           struct member_reader **ret_reader)
{
    struct member_reader *self = calloc(1, sizeof *self);
    if (self == NULL)
        return ERR_MEMORY;
    struct group_member_events member_events = {
        .on_ready = on_ready, .on_gap = on_gap, .on_lease_over = on_lease_over, .owner = self};
    *self = (struct member_reader){
        .options = *options, .events = *events, .group = group, .pool = pool, .writer = writer};
    loop_task_init(&self->step, on_step);
    enum err err = group_join(group, &options->member, &member_events, &self->member);
    if (err != ERR_NONE) {
        free(self);
        return err;
    }
    step_later(self);
    *ret_reader = self;
    return ERR_NONE;
}
