/* Runs of letters of one group that follow each other are settled together. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "deadletter/letter_drop.h"

#include <stdlib.h>

#include "base/metric.h"
#include "store/append_queue.h"

enum { INFLIGHT_MAX = 1024 * 1024, APPEND_SIZE = 256 * 1024 };

struct letter_drop {
    struct letter_seams seams;
    struct letter_drop_events events;
    char by[STORE_BY_MAX + 1];
    struct store_topic topic;
    struct letter_filter filter;
    struct record_scan_range *ranges;
    struct record_scan *scan;
    char group_name[STORE_TOPIC_NAME_MAX + 1]; /* of the run */
    struct store_settled run;                  /* that is not in the builder yet; count 0: none */
    struct append_builder builder;
    struct append_queue queue;
    uint64_t dropped;
    enum err err;
    bool is_scanned;
    bool is_closed;
    bool is_over;
    struct mail step_mail; /* only to be freed behind a mail of the store's */
    bool is_stepping;
};

/* --- Ends ----------------------------------------------------------------------------------------- */

static void free_when_idle(struct letter_drop *drop)
{
    bool is_idle = append_queue_is_idle(&drop->queue);
    if (!is_idle && drop->queue.count == 0 && !drop->is_stepping) {
        drop->is_stepping = true;
        mailbox_post(drop->seams.mailbox, &drop->step_mail);
    }
    if (!is_idle || drop->is_stepping)
        return;
    append_queue_done(&drop->queue);
    append_builder_done(&drop->builder);
    letter_filter_done(&drop->filter);
    free(drop->ranges);
    free(drop);
}

static void on_step(struct mail *mail)
{
    struct letter_drop *drop = LIST_OWNER(mail, struct letter_drop, step_mail);
    drop->is_stepping = false;
    free_when_idle(drop);
}

struct letter_drop *letter_drop_close(struct letter_drop *drop)
{
    if (drop == NULL)
        return NULL;
    drop->is_closed = true;
    drop->scan = record_scan_close(drop->scan);
    free_when_idle(drop);
    return NULL;
}

static void end_when_done(struct letter_drop *drop)
{
    if (!drop->is_scanned || drop->queue.count > 0 || drop->is_over)
        return;
    drop->is_over = true;
    drop->events.on_end(drop->events.owner, drop->err, drop->dropped);
}

/* --- Runs ----------------------------------------------------------------------------------------- */

static void on_stored(void *owner, const struct built_append *append)
{
    struct letter_drop *drop = owner;
    enum err err = append->append.ret_err;
    for (uint32_t i = 0; i < append->append.settled_count && err == ERR_NONE; i++)
        drop->dropped += append->append.settled[i].count;
    if (drop->err == ERR_NONE)
        drop->err = err;
    if (drop->is_closed) {
        free_when_idle(drop);
        return;
    }
    if (drop->scan != NULL)
        record_scan_resume(drop->scan);
    end_when_done(drop);
}

static enum err send(struct letter_drop *drop)
{
    struct built_append *built;
    if (append_builder_is_empty(&drop->builder))
        return ERR_NONE;
    enum err err =
        append_builder_finish(&drop->builder, clock_wall_ns(drop->seams.clock) / CLOCK_NS_PER_MS, &built);
    return err == ERR_NONE ? append_queue_submit(&drop->queue, built, on_stored, drop) : err;
}

static enum err add_run(struct letter_drop *drop)
{
    struct append_builder_mark mark = append_builder_mark(&drop->builder);
    struct audit_record record = {
        .event = AUDIT_DEADLETTERS_DROP,
        .actor = AUDIT_OPERATOR,
        .topic = span_from_text(drop->topic.name),
        .partition = drop->run.partition,
        .offset = drop->run.offset,
        .to = drop->run.offset + drop->run.count,
        .count = drop->run.count,
        .group = span_from_text(drop->group_name),
        .identity = span_from_text(drop->by),
        .duration_ms = -1,
    };
    enum err err = append_builder_add_settled(&drop->builder, &drop->run);
    if (err == ERR_NONE)
        err = audit_add(drop->seams.audit, &drop->builder, &record);
    if (err != ERR_NONE)
        append_builder_undo(&drop->builder, &mark);
    return err;
}

static enum err end_run(struct letter_drop *drop)
{
    if (drop->run.count == 0)
        return ERR_NONE;
    enum err err = add_run(drop);
    if (err == ERR_TOO_LARGE || err == ERR_TOO_MANY) {
        err = send(drop);
        if (err == ERR_NONE)
            err = add_run(drop);
    }
    if (err != ERR_NONE)
        return err;
    metric_add(METRIC_DEAD_LETTERS_DROPPED, drop->run.count);
    drop->run.count = 0;
    return append_builder_size(&drop->builder) > APPEND_SIZE ? send(drop) : ERR_NONE;
}

static enum err begin_run(struct letter_drop *drop, struct span name, const struct store_position *position)
{
    enum err err = end_run(drop);
    uint32_t group;
    if (err == ERR_NONE)
        err = drop->seams.store->outcomes->group_open(drop->seams.store, name, true, &group);
    if (err != ERR_NONE)
        return err;
    memcpy(drop->group_name, name.data, name.len);
    drop->group_name[name.len] = '\0';
    drop->run = (struct store_settled){
        .group = group,
        .topic = position->topic,
        .partition = position->partition,
        .offset = position->offset,
        .outcome = STORE_OUTCOME_SKIPPED,
        .by = span_from_text(drop->by),
    };
    return ERR_NONE;
}

static bool goes_on(const struct letter_drop *drop, struct span name, const struct store_position *position)
{
    return drop->run.count > 0 && drop->run.count < INT32_MAX && span_equal_text(name, drop->group_name) &&
           drop->run.partition == position->partition &&
           drop->run.offset + drop->run.count == position->offset;
}

static bool
is_open_for(const struct letter_drop *drop, struct span name, const struct store_position *position)
{
    uint32_t group;
    struct store *store = drop->seams.store;
    return store->outcomes->group_open(store, name, false, &group) != ERR_NONE ||
           store->outcomes->outcome(store, group, *position) == STORE_OUTCOME_OPEN;
}

/* A parked line that was sent on is no more to be dropped. */
static bool is_open(const struct letter_drop *drop,
                    const struct letter_view *view,
                    struct span name,
                    const struct store_position *position)
{
    return is_open_for(drop, name, position) &&
           (view->is_letter || is_open_for(drop, span_from_text(letter_reroute_group), position));
}

static enum record_scan_next on_record(void *owner, uint32_t partition, const struct record *record)
{
    struct letter_drop *drop = owner;
    struct letter_view view;
    if (drop->queue.bytes > INFLIGHT_MAX)
        return RECORD_SCAN_WAIT;
    letter_look(record, &view);
    struct span name = view.is_letter ? view.letter.group : span_from_text(letter_drop_group);
    struct store_position position = {drop->topic.id, partition, record->offset};
    if (!letter_filter_takes(&drop->filter, &view) || !store_topic_name_is_legal(name) ||
        !is_open(drop, &view, name, &position))
        return RECORD_SCAN_GO_ON;
    enum err err = goes_on(drop, name, &position) ? ERR_NONE : begin_run(drop, name, &position);
    if (err == ERR_NONE)
        drop->run.count++;
    drop->err = err;
    return err == ERR_NONE ? RECORD_SCAN_GO_ON : RECORD_SCAN_STOP;
}

static void on_scanned(void *owner, enum err err)
{
    struct letter_drop *drop = owner;
    drop->scan = record_scan_close(drop->scan);
    drop->is_scanned = true;
    if (err == ERR_NONE)
        err = drop->err;
    if (err == ERR_NONE)
        err = end_run(drop);
    if (err == ERR_NONE)
        err = send(drop);
    drop->err = err;
    end_when_done(drop);
}

/* --- Beginning ------------------------------------------------------------------------------------ */

static enum err open_parts(struct letter_drop *drop, const struct letter_drop_order *order, struct why *why)
{
    struct store *store = drop->seams.store;
    struct record_scan_events events = {on_record, on_scanned, drop};
    enum err err = store->ops->topic_open(store, order->topic, 0, false, &drop->topic);
    if (err != ERR_NONE)
        return why_set(why, err, "%.*s: %s", (int)order->topic.len, (const char *)order->topic.data,
                       err_text(err));
    err = letter_filter_init(&drop->filter, order->reason, order->key, why);
    if (err == ERR_NONE)
        err = range_text_parse(store, &drop->topic, order->from, order->to, why, &drop->ranges);
    if (err != ERR_NONE)
        return err;
    struct record_scan_order scan = {drop->topic.id, drop->ranges, drop->topic.partitions};
    return record_scan_new(store, drop->seams.mailbox, &scan, &events, &drop->scan);
}

enum err letter_drop_new(const struct letter_seams *seams,
                         const struct letter_drop_order *order,
                         const struct letter_drop_events *events,
                         struct why *why,
                         struct letter_drop **ret_drop)
{
    struct letter_drop *drop = calloc(1, sizeof *drop);
    if (drop == NULL)
        return ERR_MEMORY;
    *drop = (struct letter_drop){.seams = *seams, .events = *events};
    drop->step_mail.on_delivered = on_step;
    size_t len = order->by.len < STORE_BY_MAX ? order->by.len : STORE_BY_MAX;
    if (len > 0)
        memcpy(drop->by, order->by.data, len);
    append_builder_init(&drop->builder, seams->store);
    append_queue_init(&drop->queue, seams->store, seams->mailbox);
    enum err err = open_parts(drop, order, why);
    if (err != ERR_NONE)
        letter_drop_close(drop);
    else
        *ret_drop = drop;
    return err;
}
