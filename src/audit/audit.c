/* Encodes records into whoever's append is being built; those on their own gather while one append is under way. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/audit.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"
#include "base/random.h"
#include "store/append_queue.h"
#include "store/topic_finder.h"

struct audit {
    struct store *store;
    struct clock *clock;
    bool consume;
    char topic_name[STORE_TOPIC_NAME_MAX + 1];
    char service[STORE_TOPIC_NAME_MAX + 1];
    struct store_topic topic;
    bool has_topic;
    uint32_t turn;             /* the partition of records without a key */
    struct random random;      /* for ids: seeded by the kernel */
    struct buffer json;        /* of the record that is being added */
    struct store_topic spoken; /* the topic that the last commit spoke of */
    struct append_builder builder;
    struct append_queue queue;
};

static void set_text(char *to, size_t size, struct span text)
{
    size_t len = text.len < size - 1 ? text.len : size - 1;
    if (len > 0)
        memcpy(to, text.data, len);
    to[len] = '\0';
}

enum err audit_new(struct store *store,
                   struct mailbox *mailbox,
                   struct clock *clock,
                   const struct audit_settings *settings,
                   struct audit **ret_audit)
{
    if (!store_topic_name_is_legal(settings->topic))
        return ERR_BAD_NAME;
    struct audit *audit = calloc(1, sizeof *audit);
    if (audit == NULL)
        return ERR_MEMORY;
    *audit = (struct audit){.store = store, .clock = clock, .consume = settings->consume};
    set_text(audit->topic_name, sizeof audit->topic_name, settings->topic);
    set_text(audit->service, sizeof audit->service, settings->service);
    random_seed(&audit->random, random_u64(NULL));
    buffer_init(&audit->json, AUDIT_RECORD_SIZE_MAX);
    append_builder_init(&audit->builder, store);
    append_queue_init(&audit->queue, store, mailbox);
    *ret_audit = audit;
    return ERR_NONE;
}

bool audit_is_idle(struct audit *audit)
{
    return audit == NULL || (append_builder_is_empty(&audit->builder) && append_queue_is_idle(&audit->queue));
}

struct audit *audit_free(struct audit *audit)
{
    if (audit == NULL)
        return NULL;
    append_queue_done(&audit->queue);
    append_builder_done(&audit->builder);
    buffer_done(&audit->json);
    free(audit);
    return NULL;
}

static void lose(const struct audit *audit, enum err err)
{
    metric_add(METRIC_AUDIT_LOST, 1);
    log_line(LOG_ERROR, "audit", "audit record lost", "topic=%s err=%s", audit->topic_name, err_name(err));
}

/* --- Riding in an append ------------------------------------------------------------------------ */

/* Made when it is first needed, so that who audits nothing has no such topic. */
static enum err find_topic(struct audit *audit)
{
    if (audit->has_topic)
        return ERR_NONE;
    enum err err = audit->store->ops->topic_open(audit->store, span_from_text(audit->topic_name), 0, true,
                                                 &audit->topic);
    audit->has_topic = err == ERR_NONE;
    return err;
}

static enum err encode(struct audit *audit, const struct audit_record *record)
{
    uint64_t id[2] = {random_u64(&audit->random), random_u64(&audit->random)};
    buffer_clear(&audit->json);
    return audit_record_write(&audit->json, record, span_from_text(audit->service), id,
                              clock_wall_ns(audit->clock) / CLOCK_NS_PER_MS);
}

/* Where the builder has no more room, the caller begins another one. */
static bool is_full(enum err err)
{
    return err == ERR_TOO_LARGE || err == ERR_TOO_MANY || err == ERR_MEMORY;
}

enum err audit_add(struct audit *audit, struct append_builder *builder, const struct audit_record *record)
{
    if (audit == NULL)
        return ERR_NONE;
    enum err err = find_topic(audit);
    if (err == ERR_NONE)
        err = encode(audit, record);
    if (err != ERR_NONE) {
        lose(audit, err);
        return ERR_NONE;
    }
    bool has_key = record->correlation_id.len > 0;
    struct record written = {
        .key = record->correlation_id, .key_is_null = !has_key, .value = buffer_span(&audit->json)};
    uint32_t partition =
        store_partition_of(written.key, has_key, audit->topic.partitions, has_key ? 0 : audit->turn++);
    struct append_builder_place place;
    err = append_builder_add_record(builder, audit->topic.id, partition, &written, &place);
    check(err == ERR_NONE || is_full(err));
    if (err == ERR_NONE)
        metric_add(METRIC_AUDIT_RECORDS, 1);
    return err;
}

/* --- What a commit says is done ----------------------------------------------------------------- */

/* The names of topics do not change, and a commit speaks of few. */
static struct span topic_name(struct audit *audit, uint32_t id)
{
    if (audit->spoken.name[0] != '\0' && audit->spoken.id == id)
        return span_from_text(audit->spoken.name);
    if (!topic_finder_find(audit->store, id, &audit->spoken))
        audit->spoken.name[0] = '\0';
    return span_from_text(audit->spoken.name);
}

/* The runs of one partition that are told together. */
struct told {
    const struct store_settled *first;
    struct audit_record record;
    uint32_t records; /* that were written of this partition */
};

static bool is_of(const struct told *told, const struct store_settled *run)
{
    return told->first != NULL && told->first->topic == run->topic &&
           told->first->partition == run->partition;
}

/* One that touches goes on with the record; one that does not, too, when there are many of them. */
static bool goes_on(const struct told *told, const struct store_settled *run)
{
    if (!is_of(told, run))
        return false;
    if (told->records >= AUDIT_RUNS_MAX)
        return true;
    return run->offset == told->record.to && span_equal(run->by, told->first->by) &&
           run->status == told->first->status;
}

static void extend(struct told *told, const struct store_settled *run)
{
    struct audit_record *record = &told->record;
    record->offset = run->offset < record->offset ? run->offset : record->offset;
    record->to = run->offset + run->count > record->to ? run->offset + run->count : record->to;
    record->count += run->count;
}

static enum err flush(struct audit *audit, struct append_builder *builder, const struct told *told)
{
    return told->first == NULL ? ERR_NONE : audit_add(audit, builder, &told->record);
}

static void begin(struct audit *audit, struct told *told, struct span group, const struct store_settled *run)
{
    uint32_t records = is_of(told, run) ? told->records + 1 : 1;
    *told = (struct told){
        .first = run,
        .records = records,
        .record =
            {
                .event = AUDIT_DONE,
                .actor = AUDIT_SUBSCRIBER,
                .topic = topic_name(audit, run->topic),
                .partition = run->partition,
                .offset = run->offset,
                .to = run->offset + run->count,
                .count = run->count,
                .group = group,
                .identity = run->by,
                .attempt = run->attempts,
                .status = run->status,
                .duration_ms = -1,
            },
    };
}

enum err audit_add_done(void *owner,
                        struct append_builder *builder,
                        struct span group,
                        const struct store_settled *settled,
                        uint32_t count)
{
    struct audit *audit = owner;
    struct told told = {0};
    enum err err = ERR_NONE;
    if (!audit->consume)
        return ERR_NONE;
    for (uint32_t i = 0; i < count && err == ERR_NONE; i++) {
        const struct store_settled *run = &settled[i];
        if (run->outcome != STORE_OUTCOME_DONE)
            continue;
        if (goes_on(&told, run)) {
            extend(&told, run);
            continue;
        }
        err = flush(audit, builder, &told);
        begin(audit, &told, group, run);
    }
    return err == ERR_NONE ? flush(audit, builder, &told) : err;
}

/* --- On their own ------------------------------------------------------------------------------- */

static void send_gathered(struct audit *audit);

static void on_written(void *owner, const struct built_append *append)
{
    struct audit *audit = owner;
    if (append->append.ret_err != ERR_NONE)
        lose(audit, append->append.ret_err);
    send_gathered(audit);
}

static void send_gathered(struct audit *audit)
{
    struct built_append *built;
    if (audit->queue.count > 0 || append_builder_is_empty(&audit->builder))
        return;
    enum err err =
        append_builder_finish(&audit->builder, clock_wall_ns(audit->clock) / CLOCK_NS_PER_MS, &built);
    if (err == ERR_NONE)
        err = append_queue_submit(&audit->queue, built, on_written, audit);
    if (err != ERR_NONE)
        lose(audit, err);
}

void audit_write(struct audit *audit, const struct audit_record *record)
{
    if (audit == NULL)
        return;
    if (append_builder_size(&audit->builder) > AUDIT_WAITING_MAX) {
        lose(audit, ERR_BUSY);
        return;
    }
    enum err err = audit_add(audit, &audit->builder, record);
    if (err != ERR_NONE)
        lose(audit, err);
    send_gathered(audit);
}
