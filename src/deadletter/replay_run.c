/* The phases of a replay. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "deadletter/replay_run.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"
#include "deadletter/replay_sources.h"
#include "store/append_queue.h"

enum { INFLIGHT_MAX = 1024 * 1024 }; /* bytes of appends while it counts */

struct replay {
    struct replay_seams seams;
    struct replay_events events;
    struct replay_note note;
    struct store_topic topic;
    struct record_scan_range *ranges;
    struct letter_filter filter;
    enum replay_phase phase;
    bool is_dry;
    bool is_dirty; /* failed_again has changed since the note was written */
    bool is_closed;
    struct replay_lanes lanes;
    struct replay_sources sources;
    struct record_scan *scan;
    struct append_builder builder;
    struct append_queue queue;
    uint64_t settled_before; /* of the wanted ones, before the program began */
    struct mail step_mail;
    bool is_stepping;
    bool are_sources_over;
};

static void end(struct replay *self, enum replay_state state, const char *why);

/* Permitted: onward only. */
static void replay_move(struct replay *self, enum replay_phase phase)
{
    check(phase > self->phase || (phase == REPLAY_WRITING && self->phase == REPLAY_WRITING));
    self->phase = phase;
    if (phase != REPLAY_OVER)
        return;
    metric_add(METRIC_REPLAYS, -1);
}

static void step_later(struct replay *self)
{
    if (self->is_stepping)
        return;
    self->is_stepping = true;
    mailbox_post(self->seams.mailbox, &self->step_mail);
}

/* A mail of the store's that is still under way is delivered before one that is posted now. */
static bool is_owed_something(struct replay *self)
{
    if (!append_queue_is_idle(&self->queue) && self->queue.count == 0)
        step_later(self);
    return self->is_stepping || self->queue.count > 0;
}

static void free_when_idle(struct replay *self)
{
    if (!self->is_closed || is_owed_something(self))
        return;
    replay_sources_done(&self->sources);
    replay_lanes_done(&self->lanes);
    letter_filter_done(&self->filter);
    append_queue_done(&self->queue);
    append_builder_done(&self->builder);
    free(self->ranges);
    free(self);
}

struct replay *replay_close(struct replay *self)
{
    if (self == NULL)
        return NULL;
    self->is_closed = true;
    self->scan = record_scan_close(self->scan);
    replay_sources_close(&self->sources);
    if (self->phase != REPLAY_OVER)
        replay_move(self, REPLAY_OVER);
    free_when_idle(self);
    return NULL;
}

/* --- Appends -------------------------------------------------------------------------------------- */

static void on_piece_stored(void *owner, const struct built_append *append)
{
    struct replay *self = owner;
    enum err err = append->append.ret_err;
    if (self->is_closed) {
        free_when_idle(self);
        return;
    }
    if (err != ERR_NONE && self->phase == REPLAY_COUNTING)
        end(self, REPLAY_STOPPED, err_text(err));
    else if (self->phase == REPLAY_COUNTING && self->scan != NULL)
        record_scan_resume(self->scan);
}

static enum err submit(struct replay *self,
                       void (*on_complete)(void *owner, const struct built_append *append))
{
    struct built_append *built;
    if (append_builder_is_empty(&self->builder))
        return ERR_NONE;
    enum err err =
        append_builder_finish(&self->builder, clock_wall_ns(self->seams.clock) / CLOCK_NS_PER_MS, &built);
    return err == ERR_NONE ? append_queue_submit(&self->queue, built, on_complete, self) : err;
}

static enum err add_audit(struct replay *self, enum audit_event event)
{
    char id[REPLAY_ID_SIZE];
    char failed[64] = "";
    enum err err = ERR_NONE;
    replay_id_put(id, self->note.id);
    if (event == AUDIT_REPLAY_END)
        (void)snprintf(failed, sizeof failed, "%s, %llu failed again", replay_state_name(self->note.state),
                       (unsigned long long)self->note.failed_again);
    for (uint32_t i = 0; i < self->topic.partitions && err == ERR_NONE; i++) {
        const struct record_scan_range *range = &self->ranges[i];
        struct audit_record record = {
            .event = event,
            .actor = AUDIT_OPERATOR,
            .topic = span_from_text(self->topic.name),
            .partition = i,
            .offset = range->from,
            .to = range->to,
            .count = range->to - range->from,
            .group = span_from_text(self->note.delivery),
            .identity = span_from_text(self->note.by),
            .reason = span_from_text(failed),
            .replay = span_from_text(id),
            .duration_ms = -1,
        };
        if (range->from < range->to)
            err = audit_add(self->seams.audit, &self->builder, &record);
    }
    return err;
}

/* --- Ending --------------------------------------------------------------------------------------- */

static void over(struct replay *self)
{
    char id[REPLAY_ID_SIZE];
    replay_id_put(id, self->note.id);
    replay_move(self, REPLAY_OVER);
    log_line(LOG_INFO, "deadletter", self->is_dry ? "replay counted" : "replay ended",
             "replay=%s topic=%s state=%s wanted=%llu settled=%llu failed_again=%llu why=\"%s\"", id,
             self->topic.name, replay_state_name(self->note.state), (unsigned long long)self->note.wanted,
             (unsigned long long)self->note.settled, (unsigned long long)self->note.failed_again,
             self->note.why);
    self->events.on_over(self->events.owner);
}

static void on_end_stored(void *owner, const struct built_append *append)
{
    struct replay *self = owner;
    if (self->is_closed) {
        free_when_idle(self);
        return;
    }
    if (append->append.ret_err != ERR_NONE)
        (void)snprintf(self->note.why, sizeof self->note.why, "its end could not be written: %s",
                       err_text(append->append.ret_err));
    over(self);
}

static enum err write_end(struct replay *self)
{
    enum err err = replay_note_add(&self->builder, &self->note);
    if (err == ERR_NONE)
        err = add_audit(self, AUDIT_REPLAY_END);
    return err == ERR_NONE ? submit(self, on_end_stored) : err;
}

static void end(struct replay *self, enum replay_state state, const char *why)
{
    uint64_t given;
    uint64_t settled;
    if (self->phase >= REPLAY_ENDING)
        return;
    self->scan = record_scan_close(self->scan);
    replay_sources_close(&self->sources);
    replay_sources_count(&self->sources, &given, &settled);
    metric_add(METRIC_DEAD_LETTERS_REPLAYED, (int64_t)given);
    (void)snprintf(self->note.why, sizeof self->note.why, "%s", why);
    self->note.state = state;
    self->note.ended_ms = clock_wall_ns(self->seams.clock) / CLOCK_NS_PER_MS;
    self->note.settled = self->settled_before + settled;
    replay_move(self, REPLAY_ENDING);
    if (self->is_dry) {
        over(self);
        return;
    }
    enum err err = write_end(self);
    if (err == ERR_NONE)
        return;
    (void)snprintf(self->note.why, sizeof self->note.why, "its end could not be written: %s", err_text(err));
    over(self);
}

void replay_stop(struct replay *self, const char *why)
{
    end(self, REPLAY_STOPPED, why);
}

/* --- Giving --------------------------------------------------------------------------------------- */

static void on_step(struct mail *mail)
{
    struct replay *self = LIST_OWNER(mail, struct replay, step_mail);
    self->is_stepping = false;
    if (self->is_closed)
        free_when_idle(self);
    else if (self->are_sources_over)
        end(self, REPLAY_DONE, "");
}

static void on_sources_ended(void *owner)
{
    struct replay *self = owner;
    self->are_sources_over = true;
    step_later(self);
}

static void give(struct replay *self)
{
    struct why why = {""};
    replay_move(self, REPLAY_GIVING);
    enum err err =
        replay_sources_open(&self->sources, self->seams.groups, span_from_text(self->note.delivery),
                            self->note.rate < REPLAY_RATE_MAX ? self->note.rate : REPLAY_RATE_MAX,
                            clock_now_ns(self->seams.clock), &why);
    if (err != ERR_NONE)
        end(self, REPLAY_STOPPED, why.text);
    else if (self->sources.count == 0)
        on_sources_ended(self);
    else
        (void)replay_step(self);
}

bool replay_step(struct replay *self)
{
    return self->phase == REPLAY_GIVING &&
           replay_sources_step(&self->sources, clock_now_ns(self->seams.clock));
}

/* --- Counting ------------------------------------------------------------------------------------- */

static bool is_full(enum err err)
{
    return err == ERR_TOO_LARGE;
}

static enum record_scan_next on_record(void *owner, uint32_t partition, const struct record *record)
{
    struct replay *self = owner;
    enum err err = replay_lanes_take(&self->lanes, partition, record, &self->builder);
    if (is_full(err)) {
        err = submit(self, on_piece_stored);
        if (err == ERR_NONE)
            err = replay_lanes_take(&self->lanes, partition, record, &self->builder);
    }
    if (err != ERR_NONE) {
        char text[160];
        (void)snprintf(text, sizeof text, "partition %u offset %llu: %s", partition,
                       (unsigned long long)record->offset, err_text(err));
        end(self, REPLAY_STOPPED, text);
        return RECORD_SCAN_STOP;
    }
    return self->queue.bytes > INFLIGHT_MAX ? RECORD_SCAN_WAIT : RECORD_SCAN_GO_ON;
}

static void on_counted(void *owner, const struct built_append *append)
{
    struct replay *self = owner;
    enum err err = append->append.ret_err;
    if (self->is_closed)
        free_when_idle(self);
    else if (err != ERR_NONE)
        end(self, REPLAY_STOPPED, err_text(err));
    else if (self->phase == REPLAY_COUNTING)
        give(self);
}

/* What is wanted is known, and stays known. */
static enum err write_counted(struct replay *self)
{
    enum err err;
    while (is_full(err = replay_lanes_finish(&self->lanes, &self->builder)))
        if ((err = submit(self, on_piece_stored)) != ERR_NONE)
            return err;
    if (err == ERR_NONE)
        err = replay_note_add(&self->builder, &self->note);
    return err == ERR_NONE ? submit(self, on_counted) : err;
}

static void on_scanned(void *owner, enum err err)
{
    struct replay *self = owner;
    self->scan = record_scan_close(self->scan);
    if (self->note.is_counted)
        self->settled_before =
            self->note.wanted > self->lanes.wanted ? self->note.wanted - self->lanes.wanted : 0;
    else
        self->note.wanted = self->lanes.wanted;
    self->note.is_counted = true;
    if (err == ERR_NONE && self->is_dry) {
        end(self, REPLAY_DONE, "");
        return;
    }
    if (err == ERR_NONE)
        err = write_counted(self);
    if (err != ERR_NONE)
        end(self, REPLAY_STOPPED, err_text(err));
}

static enum err begin_counting(struct replay *self)
{
    struct record_scan_events events = {on_record, on_scanned, self};
    if (self->phase == REPLAY_WRITING)
        replay_move(self, REPLAY_COUNTING);
    struct record_scan_order scan = {self->topic.id, self->ranges, self->topic.partitions};
    return record_scan_new(self->seams.store, self->seams.mailbox, &scan, &events, &self->scan);
}

/* --- Beginning ------------------------------------------------------------------------------------ */

static void on_written(void *owner, const struct built_append *append)
{
    struct replay *self = owner;
    enum err err = append->append.ret_err;
    if (self->is_closed) {
        free_when_idle(self);
        return;
    }
    if (self->phase == REPLAY_WRITING && err == ERR_NONE)
        err = begin_counting(self);
    self->events.on_started(self->events.owner, err);
}

static enum err write_beginning(struct replay *self)
{
    enum err err = replay_note_add(&self->builder, &self->note);
    if (err == ERR_NONE)
        err = replay_note_add_ranges(&self->builder, self->note.id, self->ranges, self->topic.partitions);
    if (err == ERR_NONE)
        err = add_audit(self, AUDIT_REPLAY_START);
    return err == ERR_NONE ? submit(self, on_written) : err;
}

static enum err open_parts(struct replay *self, const struct record_scan_range *ranges, struct why *why)
{
    struct store *store = self->seams.store;
    enum err err = letter_filter_init(&self->filter, span_from_text(self->note.reason),
                                      span_from_text(self->note.key), why);
    if (err != ERR_NONE)
        return err;
    err = store->ops->topic_open(store, span_from_text(self->note.topic), 0, false, &self->topic);
    if (err != ERR_NONE)
        return why_set(why, err, "%s: %s", self->note.topic, err_text(err));
    self->ranges = calloc(self->topic.partitions, sizeof *self->ranges);
    if (self->ranges == NULL)
        return why_set(why, ERR_MEMORY, "%s", err_text(ERR_MEMORY));
    memcpy(self->ranges, ranges, self->topic.partitions * sizeof *ranges);
    replay_lanes_init(&self->lanes, store, &self->topic, self->ranges, &self->filter, self->is_dry);
    return ERR_NONE;
}

enum err replay_new(const struct replay_seams *seams,
                    const struct replay_plan *plan,
                    const struct replay_events *events,
                    struct why *why,
                    struct replay **ret_replay)
{
    struct replay *self = calloc(1, sizeof *self);
    if (self == NULL)
        return why_set(why, ERR_MEMORY, "%s", err_text(ERR_MEMORY));
    self->seams = *seams;
    self->events = *events;
    self->note = *plan->note;
    self->is_dry = plan->is_dry;
    self->step_mail.on_delivered = on_step;
    append_builder_init(&self->builder, seams->store);
    append_queue_init(&self->queue, seams->store, seams->mailbox);
    replay_sources_init(&self->sources, &self->lanes, on_sources_ended, self);
    metric_add(METRIC_REPLAYS, 1);
    enum err err = open_parts(self, plan->ranges, why);
    if (err == ERR_NONE) {
        err = plan->is_dry || plan->is_recovered ? begin_counting(self) : write_beginning(self);
        if (err != ERR_NONE)
            err = why_set(why, err, "%s", err_text(err));
    }
    if (err != ERR_NONE) {
        replay_close(self);
        return err;
    }
    *ret_replay = self;
    return ERR_NONE;
}

/* --- Those that fail again ------------------------------------------------------------------------ */

static bool is_in_range(const struct replay *self, const struct store_position *position)
{
    return self->topic.id == position->topic && position->partition < self->topic.partitions &&
           position->offset >= self->ranges[position->partition].from &&
           position->offset < self->ranges[position->partition].to;
}

bool replay_fail_again(struct replay *self, uint32_t group, const struct store_position *position)
{
    if (self->phase != REPLAY_GIVING || !is_in_range(self, position))
        return false;
    bool is_its = false;
    for (uint32_t i = 0; i < self->lanes.lane_count; i++)
        is_its = is_its || self->lanes.lanes[i]->group == group;
    self->note.failed_again += is_its;
    self->is_dirty = self->is_dirty || is_its;
    return is_its;
}

enum err replay_add_note(struct replay *self, struct append_builder *builder)
{
    if (!self->is_dirty || self->phase != REPLAY_GIVING)
        return ERR_NONE;
    enum err err = replay_note_add(builder, &self->note);
    self->is_dirty = self->is_dirty && err != ERR_NONE;
    return err;
}

/* --- Views ---------------------------------------------------------------------------------------- */

void replay_look(const struct replay *self, struct replay_view *ret_view)
{
    uint64_t settled;
    struct replay_view view = {
        .note = &self->note,
        .phase = self->phase,
        .is_dry = self->is_dry,
        .wanted = self->note.is_counted ? self->note.wanted : self->lanes.wanted,
        .failed_again = self->note.failed_again,
        .completed = self->lanes.completed,
        .left_out = self->lanes.left_out,
        .foreign = self->lanes.foreign,
        .lanes = self->lanes.lane_count,
        .waiting = replay_sources_waiting(&self->sources),
        .why = self->note.why,
    };
    replay_sources_count(&self->sources, &view.given, &settled);
    view.settled = self->settled_before + settled;
    view.left = view.wanted > view.settled ? view.wanted - view.settled : 0;
    *ret_view = view;
}

bool replay_look_lane(const struct replay *self,
                      uint32_t index,
                      const char **ret_group,
                      const char **ret_topic,
                      uint64_t *ret_wanted)
{
    if (index >= self->lanes.lane_count)
        return false;
    *ret_group = self->lanes.lanes[index]->group_name;
    *ret_topic = self->lanes.lanes[index]->topic_name;
    *ret_wanted = self->lanes.lanes[index]->wanted;
    return true;
}
