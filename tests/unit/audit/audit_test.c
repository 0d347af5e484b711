/* Tests how audit records ride in appends, and how those on their own are written. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/audit.h"

#include <stdio.h>

#include "audit/audit_search.h"
#include "base/metric.h"
#include "store/append_queue.h"
#include "store/store_memory.h"
#include "support/test.h"

static char values_text[64 * 1024]; /* of the audit topic, a line each */

struct fixture {
    struct clock_fake clock;
    struct mailbox mailbox;
    struct store *store;
    struct store_topic topic;
    struct audit *audit;
    struct append_builder builder;
    struct append_queue queue;
};

static void stay_asleep(void *owner)
{
    (void)owner;
}

static void begin(struct fixture *fixture)
{
    struct audit_settings settings = {
        .topic = span_from_text("waybill.audit"), .service = span_from_text("till"), .consume = true};
    *fixture = (struct fixture){.audit = NULL};
    clock_fake_init(&fixture->clock, 1700000000123 * CLOCK_NS_PER_MS);
    mailbox_init(&fixture->mailbox, stay_asleep, NULL);
    fixture->store = store_memory_new(&fixture->clock.clock);
    expect_fine(
        fixture->store->ops->topic_open(fixture->store, span_from_text("orders"), 2, true, &fixture->topic));
    expect_fine(
        audit_new(fixture->store, &fixture->mailbox, &fixture->clock.clock, &settings, &fixture->audit));
    append_builder_init(&fixture->builder, fixture->store);
    append_queue_init(&fixture->queue, fixture->store, &fixture->mailbox);
}

static void settle(struct fixture *fixture)
{
    while (mailbox_deliver(&fixture->mailbox) > 0)
        ;
}

static void end(struct fixture *fixture)
{
    settle(fixture);
    expect(audit_is_idle(fixture->audit));
    append_queue_done(&fixture->queue);
    append_builder_done(&fixture->builder);
    fixture->audit = audit_free(fixture->audit);
    store_memory_free(fixture->store);
    mailbox_done(&fixture->mailbox);
}

/* What is in the audit topic, one value a line, from `offset` on. */
static const char *read_values(struct fixture *fixture, uint64_t offset)
{
    static uint8_t bytes[1024 * 1024];
    struct store_topic topic;
    values_text[0] = '\0';
    if (fixture->store->ops->topic_open(fixture->store, span_from_text("waybill.audit"), 0, false, &topic) !=
        ERR_NONE)
        return values_text;
    struct store_read read = {.topic = topic.id, .offset = offset, .buffer = bytes, .size = sizeof bytes};
    expect_fine(fixture->store->ops->read(fixture->store, &read));
    size_t len = 0;
    for (struct span rest = span_of(bytes, read.ret_len); rest.len > 0;) {
        struct record_batch batch;
        struct record_cursor cursor;
        struct record record;
        size_t at;
        expect(record_batch_decode(rest, &batch, &at) == DECODE_DONE);
        expect_fine(record_cursor_init(&cursor, &batch));
        while (record_cursor_next(&cursor, &record) == DECODE_DONE)
            if (record.offset >= offset)
                len += (size_t)snprintf(values_text + len, sizeof values_text - len, "%.*s\n",
                                        (int)record.value.len, (const char *)record.value.data);
        rest = span_after(rest, batch.bytes.len);
    }
    return values_text;
}

static unsigned lines_of(const char *text)
{
    unsigned lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

static struct store_settled
run_of(struct fixture *fixture, uint32_t partition, uint64_t offset, uint32_t count)
{
    return (struct store_settled){
        .topic = fixture->topic.id,
        .partition = partition,
        .offset = offset,
        .count = count,
        .outcome = STORE_OUTCOME_DONE,
        .by = span_from_text("127.0.0.1:5"),
    };
}

static void on_complete(void *owner, const struct built_append *append)
{
    (void)owner;
    expect_fine(append->append.ret_err);
}

static void add_done(struct fixture *fixture, const struct store_settled *runs, uint32_t count)
{
    expect_fine(audit_add_done(fixture->audit, &fixture->builder, span_from_text("billing"), runs, count));
    if (append_builder_is_empty(&fixture->builder))
        return;
    struct built_append *built;
    expect_fine(append_builder_finish(&fixture->builder, 1, &built));
    expect_fine(append_queue_submit(&fixture->queue, built, on_complete, NULL));
    settle(fixture);
}

TEST(runs_that_touch_are_one_record)
{
    struct fixture fixture;
    begin(&fixture);
    struct store_settled runs[] = {run_of(&fixture, 1, 10, 5), run_of(&fixture, 1, 15, 1),
                                   run_of(&fixture, 1, 20, 1)};
    add_done(&fixture, runs, 3);
    const char *values = read_values(&fixture, 0);
    expect_equal_u64(lines_of(values), 2);
    expect(strstr(values, "\"serviceId\":\"till\",\"auditType\":\"ACTIVE_CONSUMER\",\"topic\":\"orders\","
                          "\"partition\":1,\"offset\":10,\"auditStatus\":\"SUCCESS\"") != NULL);
    expect(strstr(values, "\"event\":\"done\",\"to\":16,\"count\":6,\"group\":\"billing\","
                          "\"identity\":\"127.0.0.1:5\"}") != NULL);
    end(&fixture);
}

TEST(commit_of_thousands_of_runs_costs_a_few_records_that_miss_none)
{
    struct fixture fixture;
    begin(&fixture);
    static struct store_settled runs[8000];
    for (unsigned i = 0; i < 8000; i++)
        runs[i] = run_of(&fixture, i / 4000, 2U * i, 1);
    add_done(&fixture, runs, 8000);
    const char *values = read_values(&fixture, 0);
    expect_equal_u64(lines_of(values), 2 * AUDIT_RUNS_MAX);
    expect(strstr(values, "\"to\":7999,\"count\":3985,") != NULL);
    end(&fixture);
}

TEST(other_outcomes_are_not_done_and_consume_off_writes_nothing)
{
    struct fixture fixture;
    begin(&fixture);
    struct store_settled run = run_of(&fixture, 0, 1, 1);
    run.outcome = STORE_OUTCOME_DEAD;
    add_done(&fixture, &run, 1);
    expect_equal_text(read_values(&fixture, 0), "");
    end(&fixture);
}

TEST(records_on_their_own_gather_while_one_is_under_way)
{
    struct fixture fixture;
    begin(&fixture);
    store_memory_hold(fixture.store, true);
    struct audit_record record = {.event = AUDIT_DROP, .actor = AUDIT_LOG, .topic = span_from_text("orders")};
    for (unsigned i = 0; i < 3; i++)
        audit_write(fixture.audit, &record);
    expect(!audit_is_idle(fixture.audit));
    expect_equal_u64(store_memory_waiting(fixture.store), 1);
    store_memory_hold(fixture.store, false);
    store_memory_finish(fixture.store, UINT32_MAX);
    settle(&fixture);
    expect_equal_u64(lines_of(read_values(&fixture, 0)), 3);
    end(&fixture);
}

TEST(audit_without_a_topic_is_counted_as_lost_and_what_it_speaks_of_goes_on)
{
    struct fixture fixture;
    begin(&fixture);
    int64_t lost = metric_get(METRIC_AUDIT_LOST);
    store_memory_set_topics_max(fixture.store, 1);
    struct audit_record record = {.topic = span_from_text("orders")};
    expect_fine(audit_add(fixture.audit, &fixture.builder, &record));
    expect(append_builder_is_empty(&fixture.builder));
    expect_equal_i64(metric_get(METRIC_AUDIT_LOST), lost + 1);
    end(&fixture);
}

struct found {
    struct audit_search *search;
    unsigned records;
    unsigned ends;
    enum err err;
    bool stalls;
};

static bool on_found(void *owner, struct span json)
{
    struct found *found = owner;
    expect(json.len > 0);
    found->records++;
    return !found->stalls;
}

static void on_search_end(void *owner, enum err err)
{
    struct found *found = owner;
    found->ends++;
    found->err = err;
    found->search = audit_search_close(found->search);
}

static unsigned search(struct fixture *fixture, struct audit_search_order order)
{
    struct found found = {.records = 0};
    struct audit_search_events events = {on_found, on_search_end, &found};
    struct why why = {""};
    order.audit_topic = span_from_text("waybill.audit");
    expect_fine(audit_search_new(fixture->store, &fixture->mailbox, &order, &events, &why, &found.search));
    settle(fixture);
    expect_equal_u64(found.ends, 1);
    expect_fine(found.err);
    return found.records;
}

TEST(records_are_found_by_topic_correlation_and_event)
{
    struct fixture fixture;
    begin(&fixture);
    expect_equal_u64(search(&fixture, (struct audit_search_order){.limit = 0}), 0);
    struct audit_record record = {
        .event = AUDIT_DEAD, .topic = span_from_text("orders"), .correlation_id = span_from_text("c\"1")};
    audit_write(fixture.audit, &record);
    settle(&fixture);
    record.event = AUDIT_DROP;
    record.correlation_id = span_of(NULL, 0);
    for (unsigned i = 0; i < 3; i++)
        audit_write(fixture.audit, &record);
    settle(&fixture);
    record.topic = span_from_text("others");
    audit_write(fixture.audit, &record);
    settle(&fixture);
    expect_equal_u64(search(&fixture, (struct audit_search_order){.limit = 0}), 5);
    expect_equal_u64(search(&fixture, (struct audit_search_order){.limit = 2}), 2);
    expect_equal_u64(search(&fixture, (struct audit_search_order){.topic = span_from_text("orders")}), 4);
    expect_equal_u64(search(&fixture, (struct audit_search_order){.event = span_from_text("drop")}), 4);
    expect_equal_u64(search(&fixture, (struct audit_search_order){.correlation_id = span_from_text("c\"1")}),
                     1);
    expect_equal_u64(search(&fixture, (struct audit_search_order){.from = span_from_text("4")}), 1);
    struct found found = {.stalls = true};
    struct audit_search_events events = {on_found, on_search_end, &found};
    struct audit_search_order order = {.audit_topic = span_from_text("waybill.audit")};
    expect_fine(audit_search_new(fixture.store, &fixture.mailbox, &order, &events, NULL, &found.search));
    settle(&fixture);
    expect_equal_u64(found.records, 1);
    found.stalls = false;
    audit_search_resume(found.search);
    settle(&fixture);
    expect_equal_u64(found.records, 5);
    end(&fixture);
}

TEST_MAIN(records_are_found_by_topic_correlation_and_event,
          runs_that_touch_are_one_record,
          commit_of_thousands_of_runs_costs_a_few_records_that_miss_none,
          other_outcomes_are_not_done_and_consume_off_writes_nothing,
          records_on_their_own_gather_while_one_is_under_way,
          audit_without_a_topic_is_counted_as_lost_and_what_it_speaks_of_goes_on)
