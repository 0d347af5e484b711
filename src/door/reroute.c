/* A scan of the parked lines that fills one append after the other. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/reroute.h"

#include <stdlib.h>

#include "base/metric.h"
#include "deadletter/letter_json.h"
#include "store/append_queue.h"
#include "store/range_text.h"

enum {
    INFLIGHT_MAX = 4 * 1024 * 1024,
    APPEND_SIZE = 1024 * 1024,
    AROUND_SIZE = 2048,               /* of two batches around their records, and of an audit record */
    NUMBERS_MAX = STORE_RUNS_MAX - 1, /* of one append: the audit record is one more */
};

/* What the append that is being built says of numbers: it lives until that is complete. */
struct reroute_numbers {
    struct reroute *reroute;
    uint32_t sequence;
    uint32_t run_count;
    uint32_t place_count;
    uint64_t records;
    struct store_run runs[STORE_RUNS_MAX];
    uint16_t places[STORE_RUNS_MAX];
};

struct reroute {
    struct letter_seams seams;
    struct reroute_events events;
    char by[STORE_BY_MAX + 1];
    struct store_topic topic;
    struct letter_filter filter;
    struct reroute_table table;
    struct record_scan_range *ranges;
    struct record_scan *scan;
    uint32_t group; /* UINT32_MAX in a dry run of a program that never rerouted */
    bool is_dry;
    struct append_builder builder;
    struct reroute_numbers *numbers; /* of the builder; NULL when that is empty */
    struct audit_record told;        /* likewise: the run that the audit tells of */
    struct append_queue queue;
    struct reroute_counts counts;
    enum err err;
    uint32_t turn;
    bool is_scanned;
    bool is_over;
    bool is_closed;
    struct mail step_mail; /* only to be freed behind a mail of the store's */
    bool is_stepping;
};

/* --- Ends ----------------------------------------------------------------------------------------- */

static void free_when_idle(struct reroute *self)
{
    bool is_idle = append_queue_is_idle(&self->queue);
    if (!is_idle && self->queue.count == 0 && !self->is_stepping) {
        self->is_stepping = true;
        mailbox_post(self->seams.mailbox, &self->step_mail);
    }
    if (!is_idle || self->is_stepping)
        return;
    append_queue_done(&self->queue);
    append_builder_done(&self->builder);
    reroute_table_done(&self->table);
    letter_filter_done(&self->filter);
    free(self->numbers);
    free(self->ranges);
    free(self);
}

static void on_step(struct mail *mail)
{
    struct reroute *self = LIST_OWNER(mail, struct reroute, step_mail);
    self->is_stepping = false;
    free_when_idle(self);
}

struct reroute *reroute_close(struct reroute *self)
{
    if (self == NULL)
        return NULL;
    self->is_closed = true;
    self->scan = record_scan_close(self->scan);
    free_when_idle(self);
    return NULL;
}

static void end_when_done(struct reroute *self)
{
    if (!self->is_scanned || self->queue.count > 0 || self->is_over)
        return;
    self->is_over = true;
    self->events.on_end(self->events.owner, self->err, &self->counts);
}

/* --- Appends -------------------------------------------------------------------------------------- */

static void on_stored(void *owner, const struct built_append *append)
{
    struct reroute_numbers *numbers = owner;
    struct reroute *self = numbers->reroute;
    enum err err = append->append.ret_err;
    if (err == ERR_NONE) {
        self->counts.rerouted += numbers->records;
        metric_add(METRIC_DEAD_LETTERS_REROUTED, (int64_t)numbers->records);
    }
    if (self->err == ERR_NONE)
        self->err = err;
    free(numbers);
    if (self->is_closed) {
        free_when_idle(self);
        return;
    }
    if (self->scan != NULL)
        record_scan_resume(self->scan);
    self->events.on_progress(self->events.owner, &self->counts);
    if (!self->is_closed)
        end_when_done(self);
}

/* For each number the part of its record, in the order of the runs. */
static void add_number(struct reroute_numbers *numbers, uint64_t seq, uint32_t part)
{
    struct store_run *last = numbers->run_count == 0 ? NULL : &numbers->runs[numbers->run_count - 1];
    bool goes_on =
        last != NULL && (seq == 0 ? last->from == 0 : last->from > 0 && last->from + last->count == seq);
    if (goes_on)
        last->count++;
    else
        numbers->runs[numbers->run_count++] = (struct store_run){seq, 1};
    numbers->places[numbers->place_count++] = (uint16_t)part;
}

static uint32_t parts_before(const struct append_builder *builder)
{
    return builder->slot_count;
}

/* Its record stands in a part of its own, unless the topic is the audit's itself. */
static enum err add_audit(struct reroute *self)
{
    uint32_t parts = parts_before(&self->builder);
    if (self->told.count == 0)
        return ERR_NONE;
    enum err err = audit_add(self->seams.audit, &self->builder, &self->told);
    if (err == ERR_NONE && parts_before(&self->builder) > parts)
        add_number(self->numbers, 0, parts);
    return err;
}

static enum err send(struct reroute *self)
{
    struct built_append *built;
    if (self->numbers == NULL)
        return ERR_NONE;
    enum err err = add_audit(self);
    if (err == ERR_NONE)
        err =
            append_builder_finish(&self->builder, clock_wall_ns(self->seams.clock) / CLOCK_NS_PER_MS, &built);
    if (err != ERR_NONE)
        return err;
    struct reroute_numbers *numbers = self->numbers;
    self->numbers = NULL;
    self->told.count = 0;
    built->append.sequence = numbers->sequence;
    built->append.runs = numbers->runs;
    built->append.run_count = numbers->run_count;
    built->append.places = numbers->places;
    built->append.place_count = numbers->place_count;
    err = append_queue_submit(&self->queue, built, on_stored, numbers);
    if (err != ERR_NONE)
        free(numbers);
    return err;
}

/* --- Lines ---------------------------------------------------------------------------------------- */

static void tell(struct reroute *self, uint32_t partition, uint64_t offset)
{
    if (self->told.count == 0)
        self->told = (struct audit_record){
            .event = AUDIT_REROUTE,
            .actor = AUDIT_OPERATOR,
            .topic = span_from_text(self->topic.name),
            .partition = partition,
            .offset = offset,
            .identity = span_from_text(self->by),
            .duration_ms = -1,
        };
    self->told.count++;
    self->told.to = offset + 1;
}

/* Whether the record, its number, and the audit record at the end still have room in the append. */
static bool has_room(const struct reroute *self, const struct rerouted *line)
{
    const struct reroute_numbers *numbers = self->numbers;
    size_t size = self->builder.bytes_len + record_size(&line->record, STORE_RUNS_MAX) + AROUND_SIZE +
                  STORE_NUMBERS_SIZE + (numbers->run_count + 2) * (size_t)STORE_RUN_SIZE +
                  (numbers->place_count + 2) * (size_t)STORE_PLACE_SIZE;
    return size <= self->seams.store->append_size_max && size < APPEND_SIZE;
}

/* Numbers of two sequences, or runs of two partitions, do not go together. */
static bool fits(const struct reroute *self, const struct rerouted *line, uint32_t partition)
{
    return self->numbers == NULL ||
           (self->numbers->sequence == line->sequence && self->numbers->place_count < NUMBERS_MAX &&
            self->told.partition == partition && has_room(self, line));
}

static enum err
add_line(struct reroute *self, const struct rerouted *line, uint32_t partition, uint64_t offset)
{
    struct append_builder_mark mark = append_builder_mark(&self->builder);
    struct append_builder_place place;
    const struct record *record = &line->record;
    uint32_t target =
        store_partition_of(record->key, !record->key_is_null, line->topic.partitions, self->turn++);
    struct store_settled settled = {
        .group = self->group,
        .topic = self->topic.id,
        .partition = partition,
        .offset = offset,
        .count = 1,
        .outcome = STORE_OUTCOME_SKIPPED,
        .by = span_from_text(self->by),
    };
    enum err err = append_builder_add_record(&self->builder, line->topic.id, target, record, &place);
    if (err == ERR_NONE)
        err = append_builder_add_settled(&self->builder, &settled);
    if (err != ERR_NONE) {
        append_builder_undo(&self->builder, &mark);
        return err;
    }
    add_number(self->numbers, line->seq, place.part);
    self->numbers->records++;
    tell(self, partition, offset);
    return ERR_NONE;
}

static enum err begin_append(struct reroute *self, uint32_t sequence)
{
    if (self->numbers != NULL)
        return ERR_NONE;
    self->numbers = calloc(1, sizeof *self->numbers);
    if (self->numbers == NULL)
        return ERR_MEMORY;
    self->numbers->reroute = self;
    self->numbers->sequence = sequence;
    return ERR_NONE;
}

static enum err
take_line(struct reroute *self, const struct rerouted *line, uint32_t partition, uint64_t offset)
{
    enum err err = fits(self, line, partition) ? ERR_NONE : send(self);
    if (err == ERR_NONE)
        err = begin_append(self, line->sequence);
    if (err == ERR_NONE)
        err = add_line(self, line, partition, offset);
    if (err == ERR_TOO_MANY && self->numbers->records > 0) { /* partitions */
        err = send(self);
        if (err == ERR_NONE)
            err = begin_append(self, line->sequence);
        if (err == ERR_NONE)
            err = add_line(self, line, partition, offset);
    }
    return err;
}

static bool is_open(const struct reroute *self, const struct store_position *position)
{
    uint32_t dropped;
    struct store *store = self->seams.store;
    if (self->group != UINT32_MAX &&
        store->outcomes->outcome(store, self->group, *position) != STORE_OUTCOME_OPEN)
        return false;
    return store->outcomes->group_open(store, span_from_text(letter_drop_group), false, &dropped) !=
               ERR_NONE ||
           store->outcomes->outcome(store, dropped, *position) == STORE_OUTCOME_OPEN;
}

static enum record_scan_next on_record(void *owner, uint32_t partition, const struct record *record)
{
    struct reroute *self = owner;
    struct letter_view view;
    struct rerouted line;
    if (self->queue.bytes > INFLIGHT_MAX)
        return RECORD_SCAN_WAIT;
    self->counts.passed++;
    letter_look(record, &view);
    struct store_position position = {self->topic.id, partition, record->offset};
    if (view.is_letter || !letter_filter_takes(&self->filter, &view) || !is_open(self, &position))
        return RECORD_SCAN_GO_ON;
    if (!reroute_table_find(&self->table, record, &line)) {
        self->counts.left++;
        return RECORD_SCAN_GO_ON;
    }
    if (self->is_dry) {
        self->counts.rerouted++;
        return RECORD_SCAN_GO_ON;
    }
    self->err = take_line(self, &line, partition, record->offset);
    return self->err == ERR_NONE ? RECORD_SCAN_GO_ON : RECORD_SCAN_STOP;
}

static void on_scanned(void *owner, enum err err)
{
    struct reroute *self = owner;
    self->scan = record_scan_close(self->scan);
    self->is_scanned = true;
    if (err == ERR_NONE)
        err = self->err;
    if (err == ERR_NONE)
        err = send(self);
    self->err = err;
    end_when_done(self);
}

/* --- Beginning ------------------------------------------------------------------------------------ */

static enum err open_group(struct reroute *self)
{
    struct store *store = self->seams.store;
    enum err err =
        store->outcomes->group_open(store, span_from_text(letter_reroute_group), !self->is_dry, &self->group);
    if (err != ERR_NOT_FOUND)
        return err;
    self->group = UINT32_MAX;
    return ERR_NONE;
}

static enum err open_parts(struct reroute *self,
                           const struct reroute_doors *doors,
                           const struct reroute_order *order,
                           struct why *why)
{
    struct store *store = self->seams.store;
    struct record_scan_events events = {on_record, on_scanned, self};
    enum err err = store->ops->topic_open(store, order->topic, 0, false, &self->topic);
    if (err != ERR_NONE)
        return why_set(why, err, "%.*s: %s", (int)order->topic.len, (const char *)order->topic.data,
                       err_text(err));
    err = reroute_table_init(&self->table, store, doors, order->topic, self->is_dry, why);
    if (err == ERR_NONE)
        err = letter_filter_init(&self->filter, order->reason, order->key, why);
    if (err == ERR_NONE)
        err = range_text_parse(store, &self->topic, order->from, order->to, why, &self->ranges);
    if (err == ERR_NONE)
        err = open_group(self);
    if (err != ERR_NONE)
        return err;
    for (uint32_t i = 0; i < self->topic.partitions; i++)
        self->counts.total += self->ranges[i].to - self->ranges[i].from;
    struct record_scan_order scan = {self->topic.id, self->ranges, self->topic.partitions};
    return record_scan_new(store, self->seams.mailbox, &scan, &events, &self->scan);
}

enum err reroute_new(const struct letter_seams *seams,
                     const struct reroute_doors *doors,
                     const struct reroute_order *order,
                     const struct reroute_events *events,
                     struct why *why,
                     struct reroute **ret_reroute)
{
    struct reroute *self = calloc(1, sizeof *self);
    if (self == NULL)
        return ERR_MEMORY;
    *self = (struct reroute){.seams = *seams, .events = *events, .is_dry = order->is_dry};
    self->step_mail.on_delivered = on_step;
    size_t len = order->by.len < STORE_BY_MAX ? order->by.len : STORE_BY_MAX;
    if (len > 0)
        memcpy(self->by, order->by.data, len);
    append_builder_init(&self->builder, seams->store);
    append_queue_init(&self->queue, seams->store, seams->mailbox);
    enum err err = open_parts(self, doors, order, why);
    if (err != ERR_NONE)
        reroute_close(self);
    else
        *ret_reroute = self;
    return err;
}
