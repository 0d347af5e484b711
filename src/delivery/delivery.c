/* The delivery core: what is gathered, what is in flight, and when to try again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "delivery/delivery.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"
#include "delivery/attempt.h"
#include "delivery/breaker.h"

enum { PULL_MAX = 4096 }; /* records taken in one turn */

struct source {
    struct delivery *delivery;
    struct store_topic topic;
    struct group_member *member;
    bool is_dry;    /* nothing to take until on_ready */
    int64_t due_ns; /* it could not be read: when it is tried again; 0: it could */
};

struct delivery {
    struct delivery_settings settings;
    struct target *target;
    struct loop *loop;
    struct loop_task step;
    struct timer timer;
    struct breaker breaker;
    struct random random;
    struct source *sources;
    uint32_t source_count;
    uint32_t current;          /* the source that is asked next */
    struct list attempts;      /* all that are not settled, in the order of gathering */
    uint32_t records;          /* in them */
    uint32_t sending;          /* attempts */
    struct attempt *gathering; /* the last of them, or NULL */
    uint64_t delivered;
    uint64_t failed;
    struct why last_failure;
    bool is_draining;
    void (*on_drained)(void *owner);
    void *owner;
    char name[];
};

static int64_t now_of(const struct delivery *self)
{
    return clock_now_ns(self->loop->clock);
}

static void want_step(struct delivery *self)
{
    loop_at_end_of_turn(self->loop, &self->step);
}

/* --- Gathering ---------------------------------------------------------------------------------- */

static void close_batch(struct delivery *self)
{
    attempt_move(self->gathering, ATTEMPT_READY);
    self->gathering = NULL;
}

static enum err open_batch(struct delivery *self)
{
    if (self->gathering != NULL)
        return ERR_NONE;
    struct attempt *attempt;
    enum err err = attempt_new(self->target, self, now_of(self), &attempt);
    if (err != ERR_NONE)
        return err;
    list_insert_last(&self->attempts, &attempt->link);
    self->gathering = attempt;
    return ERR_NONE;
}

static void give_back(struct source *source, struct store_position position)
{
    struct group_select select = {.position = position};
    (void)group_member_retry(source->member, &select, 0);
}

/* The target will never take this one, however empty its batch: it stays open, and people are told. */
static void note_too_large(struct delivery *self, struct source *source, struct store_position position)
{
    log_line(LOG_ERROR, "delivery", "a record is larger than the target takes",
             "delivery=%s topic=%s partition=%u offset=%" PRIu64, self->name, source->topic.name,
             position.partition, position.offset);
    struct group_select select = {.position = position};
    (void)group_member_retry(source->member, &select, self->settings.backoff.max_ns);
}

/* FULL: the batch is closed and the record is to be offered again. */
static enum err add_record(struct delivery *self, struct source *source, const struct group_item *item)
{
    if (self->gathering != NULL && self->gathering->records >= self->settings.batch_records)
        close_batch(self);
    enum err err = open_batch(self);
    if (err == ERR_NONE)
        err = attempt_reserve(self->gathering);
    if (err == ERR_NONE)
        err = self->target->ops->add(self->gathering->batch, &source->topic, item);
    if (err == ERR_NONE) {
        attempt_note(self->gathering, source->member, item->position);
        self->records++;
        return ERR_NONE;
    }
    if (err == ERR_FULL && self->gathering->records > 0) {
        close_batch(self);
        return ERR_FULL;
    }
    return err;
}

static void take_record(struct delivery *self, struct source *source, const struct group_item *item)
{
    enum err err = add_record(self, source, item);
    if (err == ERR_FULL)
        err = add_record(self, source, item);
    if (err == ERR_TOO_LARGE || err == ERR_FULL)
        note_too_large(self, source, item->position);
    else if (err != ERR_NONE)
        give_back(source, item->position);
}

/* A damaged record is behind us already; what cannot be read now is tried again later. */
static void
note_unreadable(struct delivery *self, struct source *source, const struct group_item *item, enum err err)
{
    if (err != ERR_DAMAGED) {
        source->is_dry = true;
        source->due_ns = now_of(self) + self->settings.backoff.max_ns;
    }
    log_line(LOG_ERROR, "delivery", "a record cannot be read",
             "delivery=%s topic=%s partition=%u offset=%" PRIu64 " err=%s", self->name, source->topic.name,
             item->position.partition, item->position.offset, err_name(err));
}

/* The next source, round about, that may have a record; NULL when none has. */
static struct source *next_source(struct delivery *self)
{
    for (uint32_t i = 0; i < self->source_count; i++) {
        struct source *source = &self->sources[(self->current + i) % self->source_count];
        if (source->due_ns > 0 && now_of(self) >= source->due_ns)
            source->is_dry = false;
        if (!source->is_dry) {
            source->due_ns = 0;
            self->current = (self->current + i) % self->source_count;
            return source;
        }
    }
    return NULL;
}

static bool wants_more(const struct delivery *self)
{
    return !self->is_draining && self->records < self->settings.in_flight &&
           self->breaker.state != BREAKER_OPEN;
}

/* True when there may be more than a turn takes. */
static bool gather(struct delivery *self)
{
    for (uint32_t taken = 0; taken < PULL_MAX; taken++) {
        struct source *source = wants_more(self) ? next_source(self) : NULL;
        if (source == NULL)
            return false;
        struct group_item item;
        enum err err = group_member_next(source->member, &item);
        if (err == ERR_NONE)
            take_record(self, source, &item);
        else if (err == ERR_AGAIN)
            source->is_dry = true;
        else
            note_unreadable(self, source, &item, err);
    }
    return true;
}

/* --- Sending ------------------------------------------------------------------------------------ */

static void settle(struct delivery *self, struct attempt *attempt, uint32_t status)
{
    for (uint32_t i = 0; i < attempt->run_count; i++) {
        const struct attempt_run *run = &attempt->runs[i];
        for (uint32_t j = 0; j < run->count; j++) {
            struct group_select select = {.position = run->first};
            select.position.offset += j;
            (void)group_member_done(run->member, &select, status);
        }
    }
    self->records -= attempt->records;
    self->delivered += attempt->records;
    metric_add(METRIC_RECORDS_DELIVERED, attempt->records);
    attempt_free(self->target, attempt);
}

static void log_failure(const struct delivery *self, const struct attempt *attempt, const char *msg)
{
    struct log_value reason;
    log_line(LOG_WARN, "delivery", msg, "delivery=%s target=%s records=%u attempts=%u reason=%s", self->name,
             self->target->name, attempt->records, attempt->failures,
             log_value(&reason, span_from_text(self->last_failure.text)));
}

static void note_down(struct delivery *self, struct attempt *attempt)
{
    if (breaker_note_failure(&self->breaker, now_of(self)))
        log_failure(self, attempt, "target is down, its delivery is held");
    attempt_move(attempt, ATTEMPT_READY);
}

static void note_retry(struct delivery *self, struct attempt *attempt, int64_t asked_ns)
{
    attempt->failures++;
    log_failure(self, attempt, "target did not take a batch, it is tried again");
    attempt->due_ns =
        now_of(self) + backoff_wait_ns(&self->settings.backoff, attempt->failures, asked_ns, &self->random);
    attempt_move(attempt, ATTEMPT_WAITING);
}

static void note_success(struct delivery *self)
{
    if (breaker_note_success(&self->breaker))
        log_line(LOG_INFO, "delivery", "target is there again, its delivery goes on", "delivery=%s target=%s",
                 self->name, self->target->name);
    self->last_failure.text[0] = '\0';
}

static void on_result(void *owner, const struct target_result *result)
{
    struct attempt *attempt = owner;
    struct delivery *self = attempt->owner;
    self->sending--;
    self->failed += result->verdict != TARGET_DELIVERED;
    if (result->verdict != TARGET_DELIVERED) {
        self->last_failure = result->why;
        metric_add(METRIC_SENDS_FAILED, 1);
    }
    if (result->verdict == TARGET_DOWN) {
        note_down(self, attempt);
    } else if (result->verdict == TARGET_DELIVERED) {
        note_success(self);
        attempt_move(attempt, ATTEMPT_SETTLED);
        settle(self, attempt, result->status);
    } else {
        (void)breaker_note_success(&self->breaker); /* it is there, and answers */
        note_retry(self, attempt, result->retry_after_ns);
    }
    want_step(self);
}

static void send(struct delivery *self, struct attempt *attempt)
{
    attempt_move(attempt, ATTEMPT_SENDING);
    attempt->batch->on_result = on_result;
    attempt->batch->owner = attempt;
    self->sending++;
    self->target->ops->send(attempt->batch);
}

/* Whether what is gathered goes out as it is: nothing else is in flight, or it has waited long enough. */
static bool is_ripe(const struct delivery *self)
{
    const struct attempt *attempt = self->gathering;
    if (attempt == NULL || attempt->records == 0)
        return false;
    return self->sending == 0 || attempt->records >= self->settings.batch_records ||
           now_of(self) - attempt->begun_ns >= self->settings.batch_wait_ns;
}

/* In order: one that waits holds up those behind it when only one may be in flight. */
static void send_ready(struct delivery *self)
{
    LIST_EACH_SAFE (&self->attempts, link) {
        struct attempt *attempt = LIST_OWNER(link, struct attempt, link);
        if (self->sending == self->settings.parallel)
            return;
        if (attempt->state == ATTEMPT_WAITING && now_of(self) >= attempt->due_ns)
            attempt_move(attempt, ATTEMPT_READY);
        bool is_ready = attempt->state == ATTEMPT_READY && !self->is_draining;
        if (is_ready && breaker_admits(&self->breaker, now_of(self)))
            send(self, attempt);
        else if (self->settings.parallel == 1)
            return;
    }
}

/* --- Steps -------------------------------------------------------------------------------------- */

/* When something becomes due by the clock alone; INT64_MAX: nothing does. */
static int64_t next_due_ns(const struct delivery *self)
{
    int64_t due_ns = INT64_MAX;
    if (self->breaker.state == BREAKER_OPEN)
        due_ns = self->breaker.due_ns;
    LIST_EACH (&self->attempts, link) {
        const struct attempt *attempt = LIST_OWNER(link, struct attempt, link);
        int64_t its_ns = attempt->state == ATTEMPT_WAITING ? attempt->due_ns : INT64_MAX;
        if (attempt->state == ATTEMPT_GATHERING && attempt->records > 0 && self->sending > 0)
            its_ns = attempt->begun_ns + self->settings.batch_wait_ns;
        due_ns = its_ns < due_ns ? its_ns : due_ns;
    }
    for (uint32_t i = 0; i < self->source_count; i++)
        if (self->sources[i].due_ns > 0 && self->sources[i].due_ns < due_ns)
            due_ns = self->sources[i].due_ns;
    return due_ns;
}

static void arm_timer(struct delivery *self)
{
    int64_t due_ns = next_due_ns(self);
    timer_stop(&self->timer);
    if (due_ns == INT64_MAX || self->is_draining)
        return;
    int64_t wait_ns = due_ns - now_of(self);
    timer_start(&self->timer, wait_ns > 0 ? wait_ns : 0);
}

/* Members give back what they hold when they leave, so an attempt that is not in flight is just forgotten. */
static void finish_drain(struct delivery *self)
{
    if (self->sending > 0 || self->on_drained == NULL)
        return;
    void (*on_drained)(void *owner) = self->on_drained;
    self->on_drained = NULL;
    on_drained(self->owner);
}

static void on_step(struct loop_task *step)
{
    struct delivery *self = LIST_OWNER(step, struct delivery, step);
    if (gather(self))
        want_step(self);
    if (is_ripe(self))
        close_batch(self);
    send_ready(self);
    arm_timer(self);
    if (self->is_draining)
        finish_drain(self);
}

static void on_timer(struct timer *timer)
{
    want_step(LIST_OWNER(timer, struct delivery, timer));
}

static void on_ready(void *owner)
{
    struct source *source = owner;
    source->is_dry = false;
    want_step(source->delivery);
}

static void on_gap(void *owner, uint32_t topic, uint32_t partition, uint64_t from, uint64_t to)
{
    const struct source *source = owner;
    (void)topic;
    log_line(LOG_WARN, "delivery", "retention has passed a delivery",
             "delivery=%s topic=%s partition=%u from=%" PRIu64 " to=%" PRIu64, source->delivery->name,
             source->topic.name, partition, from, to);
    metric_add(METRIC_GAPS, 1);
}

/* --- Life --------------------------------------------------------------------------------------- */

static enum err join(struct delivery *self, struct group *group, struct source *source, int64_t partition)
{
    struct group_member_settings settings = {
        .topic = source->topic.id,
        .partition = partition,
        .from = GROUP_FROM_START,
        .window = self->settings.in_flight,
        .by = span_from_text(self->name),
    };
    struct group_member_events events = {.on_ready = on_ready, .on_gap = on_gap, .owner = source};
    return group_join(group, &settings, &events, &source->member);
}

static enum err join_all(struct delivery *self, struct groups *groups, struct why *why)
{
    struct group *group;
    enum err err = groups_open(groups, self->settings.name, &group);
    for (uint32_t i = 0; err == ERR_NONE && i < self->settings.source_count; i++) {
        const struct delivery_source *from = &self->settings.sources[i];
        struct source *source = &self->sources[i];
        *source = (struct source){.delivery = self, .topic = from->topic};
        err = join(self, group, source, from->partition);
        self->source_count += err == ERR_NONE;
        if (err != ERR_NONE)
            return why_set(why, err, "delivery %s from %s: %s", self->name, from->topic.name, err_text(err));
    }
    return err == ERR_NONE ? err : why_set(why, err, "delivery %s: %s", self->name, err_text(err));
}

static struct delivery *delivery_alloc(const struct delivery_settings *settings)
{
    struct delivery *self = calloc(1, sizeof *self + settings->name.len + 1);
    struct source *sources = calloc(settings->source_count, sizeof *sources);
    if (self == NULL || sources == NULL) {
        free(self);
        free(sources);
        return NULL;
    }
    memcpy(self->name, settings->name.data, settings->name.len);
    self->sources = sources;
    self->settings = *settings;
    self->settings.name = span_of(self->name, settings->name.len);
    return self;
}

enum err delivery_new(const struct delivery_settings *settings,
                      struct groups *groups,
                      struct loop *loop,
                      struct target *take_target,
                      struct why *why,
                      struct delivery **ret_delivery)
{
    check(settings->source_count > 0 && settings->parallel > 0 && settings->batch_records > 0);
    struct delivery *self = delivery_alloc(settings);
    if (self == NULL) {
        take_target->ops->free(take_target);
        return ERR_MEMORY;
    }
    self->target = take_target;
    self->loop = loop;
    list_init(&self->attempts);
    loop_task_init(&self->step, on_step);
    timer_init(&self->timer, loop, on_timer);
    breaker_init(&self->breaker, settings->breaker_failures, settings->breaker_every_ns);
    random_seed(&self->random, random_u64(NULL));
    enum err err = join_all(self, groups, why);
    self->settings.sources = NULL; /* the caller's */
    if (err != ERR_NONE) {
        delivery_free(self);
        return err;
    }
    want_step(self);
    *ret_delivery = self;
    return ERR_NONE;
}

void delivery_drain(struct delivery *delivery, void (*on_drained)(void *owner), void *owner)
{
    delivery->is_draining = true;
    delivery->on_drained = on_drained;
    delivery->owner = owner;
    want_step(delivery);
}

struct delivery *delivery_free(struct delivery *delivery)
{
    if (delivery == NULL)
        return NULL;
    check(delivery->sending == 0);
    loop_task_cancel(&delivery->step);
    timer_stop(&delivery->timer);
    LIST_EACH_SAFE (&delivery->attempts, link)
        attempt_free(delivery->target, LIST_OWNER(link, struct attempt, link));
    for (uint32_t i = 0; i < delivery->source_count; i++)
        group_leave(delivery->sources[i].member);
    delivery->target->ops->free(delivery->target);
    free(delivery->sources);
    free(delivery);
    return NULL;
}

void delivery_look(const struct delivery *delivery, struct delivery_view *ret_view)
{
    *ret_view = (struct delivery_view){
        .delivered = delivery->delivered,
        .failed = delivery->failed,
        .in_flight = delivery->records,
        .is_held = delivery->breaker.state != BREAKER_CLOSED,
        .last_failure = delivery->last_failure,
    };
}
