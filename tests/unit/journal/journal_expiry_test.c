/* Records expire topic by topic, also where another topic's record keeps the segment. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/metric.h"
#include "journal/survey.h"
#include "support/journal_bench.h"
#include "support/test.h"
#include "support/test_append.h"

enum {
    VALUE_SIZE = 4000,
    PER_SEGMENT = JOURNAL_BENCH_SEGMENT / VALUE_SIZE,
    TOPIC_SIZE = 2 * JOURNAL_BENCH_SEGMENT,
    SLACK = 2 * JOURNAL_BENCH_SEGMENT, /* the active segment, and the one in which it is not too large */
};

static const int64_t day_ns = (int64_t)24 * 3600 * CLOCK_NS_PER_S;

static const struct journal_named_group workers = {.name = "workers", .topic = "orders"};

struct fixture {
    struct journal_bench bench;
    struct journal_topic_settings orders;
};

static void begin(struct fixture *fixture, struct journal_topic_settings orders)
{
    *fixture = (struct fixture){.orders = orders};
    fixture->orders.name = "orders";
    fixture->orders.partitions = 1;
    journal_bench_init(&fixture->bench, 5);
    fixture->bench.settings.size_max = (uint64_t)100 * JOURNAL_BENCH_SEGMENT;
    fixture->bench.settings.topics = &fixture->orders;
    fixture->bench.settings.topic_count = 1;
    fixture->bench.settings.groups = &workers;
    fixture->bench.settings.group_count = 1;
    journal_bench_open(&fixture->bench);
}

/* Nobody named reads the topic; the others stay for so long (0: for ever). */
static void without_group(struct fixture *fixture, int64_t age_of_others_ns)
{
    journal_bench_close(&fixture->bench);
    fixture->bench.settings.group_count = 0;
    fixture->bench.settings.defaults.retention_age_ns = age_of_others_ns;
    journal_bench_open(&fixture->bench);
}

static void finish(struct fixture *fixture)
{
    expect_equal_u64(journal_bench_complaints(&fixture->bench), 0);
    journal_bench_done(&fixture->bench);
}

static struct store_topic topic_of(struct fixture *fixture, const char *name)
{
    struct store_topic topic;
    struct store *store = fixture->bench.store;
    expect_fine(store->ops->topic_open(store, span_from_text(name), 1, true, &topic));
    return topic;
}

static struct store_extent extent_of(struct fixture *fixture, const char *name)
{
    struct store_extent extent;
    struct store *store = fixture->bench.store;
    expect_fine(store->ops->extent(store, topic_of(fixture, name).id, 0, &extent));
    return extent;
}

static enum err store_one(struct fixture *fixture, const char *name, size_t size)
{
    static char value[VALUE_SIZE + 1];
    struct store *store = fixture->bench.store;
    struct store_topic topic = topic_of(fixture, name);
    memset(value, 'v', sizeof value);
    value[size] = '\0';
    struct test_append *test = test_append_new(&fixture->bench.mailbox);
    test_append_add(test, &topic, 0, (struct test_records){.value = value});
    enum err err = store->ops->append(store, &test->append);
    journal_bench_settle(&fixture->bench);
    expect(err != ERR_NONE || (test->is_done && test->append.ret_err == ERR_NONE));
    test_append_free(test);
    return err;
}

/* One small record of another topic in each segment. */
static void store_segments(struct fixture *fixture, int segments)
{
    for (int i = 0; i < segments * PER_SEGMENT; i++) {
        expect_fine(store_one(fixture, "orders", VALUE_SIZE));
        if (i % (PER_SEGMENT / 2) == 0)
            expect_fine(store_one(fixture, "audit", 10));
    }
    journal_bench_rest(&fixture->bench);
}

/* The group says DONE of `count` from `from` on. */
static void complete(struct fixture *fixture, uint64_t from, uint64_t count)
{
    struct store *store = fixture->bench.store;
    struct store_settled settled = {.outcome = STORE_OUTCOME_DONE, .offset = from, .count = (uint32_t)count};
    settled.topic = topic_of(fixture, "orders").id;
    expect_fine(store->outcomes->group_open(store, span_from_text("workers"), true, &settled.group));
    struct test_append *test = test_append_new(&fixture->bench.mailbox);
    test->append.settled = &settled;
    test->append.settled_count = 1;
    test->append.urgent = true;
    expect_fine(store->ops->append(store, &test->append));
    journal_bench_settle(&fixture->bench);
    expect(test->is_done && test->append.ret_err == ERR_NONE);
    test_append_free(test);
    journal_bench_rest(&fixture->bench);
}

static enum err read_at(struct fixture *fixture, const char *name, uint64_t offset)
{
    static uint8_t buffer[2 * JOURNAL_BENCH_SEGMENT];
    struct store *store = fixture->bench.store;
    struct store_read read = {
        .topic = topic_of(fixture, name).id,
        .offset = offset,
        .buffer = buffer,
        .size = sizeof buffer,
        .reply_to = &fixture->bench.mailbox,
    };
    return store->ops->read(store, &read);
}

static void expect_same_after_restart(struct fixture *fixture, const char *name)
{
    struct store_extent before = extent_of(fixture, name);
    journal_bench_kill(&fixture->bench);
    journal_bench_open(&fixture->bench);
    struct store_extent behind = extent_of(fixture, name);
    expect_equal_u64(behind.start, before.start);
    expect_equal_u64(behind.end, before.end);
    expect_equal_u64(behind.bytes, before.bytes);
}

static void on_segment(void *owner, const struct survey_segment *segment)
{
    (void)owner;
    (void)segment;
}

static void on_finding(void *owner, enum survey_finding finding, const char *fields)
{
    (void)owner;
    test_fail("finding %d: %s", (int)finding, fields);
}

static void expect_sound(struct fixture *fixture)
{
    struct survey survey = {.fs = fixture->bench.fs, .on_segment = on_segment, .on_finding = on_finding};
    struct why why = {{0}};
    journal_bench_close(&fixture->bench);
    expect_fine(survey_run(&survey, &why));
    journal_bench_open(&fixture->bench);
}

TEST(a_topic_at_its_size_shrinks_while_a_record_beside_it_stays)
{
    struct fixture fixture;
    begin(&fixture, (struct journal_topic_settings){.retention_size = TOPIC_SIZE});
    without_group(&fixture, 7 * day_ns);
    int64_t retired = metric_get(METRIC_SEGMENTS_RETIRED);
    store_segments(&fixture, 12);
    struct store_extent orders = extent_of(&fixture, "orders");
    expect(orders.bytes >= TOPIC_SIZE && orders.bytes < TOPIC_SIZE + SLACK);
    expect(orders.start >= 7 * PER_SEGMENT);
    expect(metric_get(METRIC_SEGMENTS_RETIRED) == retired);
    expect(read_at(&fixture, "orders", orders.start - 1) == ERR_EXPIRED);
    expect_fine(read_at(&fixture, "orders", orders.start));
    for (uint64_t i = 0; i < extent_of(&fixture, "audit").end; i++)
        expect_fine(read_at(&fixture, "audit", i));
    expect_same_after_restart(&fixture, "orders");
    expect_same_after_restart(&fixture, "audit");
    expect_sound(&fixture);
    expect_same_after_restart(&fixture, "orders");
    finish(&fixture);
}

TEST(what_has_expired_is_not_said_again)
{
    struct fixture fixture;
    begin(&fixture, (struct journal_topic_settings){.retention_size = TOPIC_SIZE});
    without_group(&fixture, 7 * day_ns);
    store_segments(&fixture, 12);
    uint64_t operations = fs_memory_calls(fixture.bench.fs, FS_MEMORY_PWRITEV);
    for (int i = 0; i < 10; i++)
        journal_bench_rest(&fixture.bench);
    expect_equal_u64(fs_memory_calls(fixture.bench.fs, FS_MEMORY_PWRITEV), operations);
    finish(&fixture);
}

TEST(the_file_goes_when_the_last_topic_in_it_has_expired_and_no_byte_is_counted_twice)
{
    struct fixture fixture;
    begin(&fixture, (struct journal_topic_settings){.retention_size = TOPIC_SIZE});
    without_group(&fixture, day_ns);
    store_segments(&fixture, 12);
    struct store_extent before = extent_of(&fixture, "orders");
    int64_t retired = metric_get(METRIC_SEGMENTS_RETIRED);
    clock_fake_advance(&fixture.bench.clock, 2 * day_ns);
    journal_bench_rest(&fixture.bench);
    struct store_extent orders = extent_of(&fixture, "orders");
    expect(metric_get(METRIC_SEGMENTS_RETIRED) - retired >= 8);
    expect(extent_of(&fixture, "audit").start > 0);
    expect_equal_u64(orders.start, before.start); /* it has no age */
    expect_equal_u64(orders.bytes, before.bytes);
    expect_same_after_restart(&fixture, "orders");
    expect_sound(&fixture);
    finish(&fixture);
}

TEST(records_expire_by_age_beside_one_that_has_none)
{
    struct fixture fixture;
    begin(&fixture, (struct journal_topic_settings){.retention_age_ns = day_ns});
    without_group(&fixture, 0);
    store_segments(&fixture, 6);
    clock_fake_advance(&fixture.bench.clock, 2 * day_ns);
    journal_bench_rest(&fixture.bench);
    uint64_t start = extent_of(&fixture, "orders").start;
    expect(start >= 4 * PER_SEGMENT);
    expect_equal_u64(extent_of(&fixture, "audit").start, 0);
    uint64_t offset = 0;
    struct store *store = fixture.bench.store;
    expect_fine(store->ops->offset_at(store, topic_of(&fixture, "orders").id, 0, 0, &offset));
    expect_equal_u64(offset, start); /* what is on disk before it is gone */
    expect_fine(read_at(&fixture, "orders", offset));
    finish(&fixture);
}

TEST(drop_oldest_counts_each_record_once)
{
    struct fixture fixture;
    begin(&fixture,
          (struct journal_topic_settings){.retention_size = TOPIC_SIZE, .when_full = JOURNAL_DROP_OLDEST});
    int64_t before = metric_get(METRIC_RECORDS_DROPPED);
    expect_fine(store_one(&fixture, "orders", VALUE_SIZE));
    complete(&fixture, 0, 1); /* the group begins, and leaves the rest */
    store_segments(&fixture, 12);
    uint64_t start = extent_of(&fixture, "orders").start;
    expect(start >= 7 * PER_SEGMENT);
    expect(fixture.bench.events[JOURNAL_EVENT_DROPPED] > 0);
    expect_not_null(strstr(fixture.bench.last_event[JOURNAL_EVENT_DROPPED], "workers"));
    expect_equal_u64((uint64_t)(metric_get(METRIC_RECORDS_DROPPED) - before), start - 1);
    expect_same_after_restart(&fixture, "orders");

    /* The files go: nothing more of orders is in them. */
    unsigned told = fixture.bench.events[JOURNAL_EVENT_DROPPED];
    fixture.bench.settings.size_max = (uint64_t)10 * JOURNAL_BENCH_SEGMENT;
    journal_bench_close(&fixture.bench);
    journal_bench_open(&fixture.bench);
    for (int i = 0; i < 5; i++)
        journal_bench_rest(&fixture.bench);
    expect(extent_of(&fixture, "audit").start > 0);
    expect_equal_u64(extent_of(&fixture, "orders").start, start);
    expect_equal_u64(fixture.bench.events[JOURNAL_EVENT_DROPPED], told);
    finish(&fixture);
}

TEST(consumed_records_go_beside_one_that_stays_and_no_others)
{
    struct fixture fixture;
    begin(&fixture, (struct journal_topic_settings){.consumed = true});
    store_segments(&fixture, 6);
    expect_equal_u64(extent_of(&fixture, "orders").start, 0);
    uint64_t end = extent_of(&fixture, "orders").end;
    complete(&fixture, 0, end / 2);
    uint64_t start = extent_of(&fixture, "orders").start;
    expect(start > PER_SEGMENT && start <= end / 2);
    expect_equal_u64(extent_of(&fixture, "audit").start, 0);
    complete(&fixture, end / 2, end - end / 2);
    expect(extent_of(&fixture, "orders").start > start);
    expect_same_after_restart(&fixture, "orders");
    expect_sound(&fixture);
    finish(&fixture);
}

TEST(a_topic_that_blocks_opens_again_and_shrinks_once_its_group_is_past_it)
{
    struct fixture fixture;
    begin(&fixture, (struct journal_topic_settings){.retention_size = TOPIC_SIZE});
    expect_fine(store_one(&fixture, "audit", 10));
    enum err err = ERR_NONE;
    while (err == ERR_NONE)
        err = store_one(&fixture, "orders", VALUE_SIZE);
    expect(err == ERR_FULL);
    expect_equal_u64(extent_of(&fixture, "orders").start, 0); /* a named group holds it */
    complete(&fixture, 0, extent_of(&fixture, "orders").end);
    expect_equal_u64(fixture.bench.events[JOURNAL_EVENT_OPEN_AGAIN], 1);
    uint64_t stored = 0;
    while (store_one(&fixture, "orders", VALUE_SIZE) == ERR_NONE) {
        complete(&fixture, extent_of(&fixture, "orders").end - 1, 1);
        if (++stored == 10 * PER_SEGMENT)
            break;
    }
    expect_equal_u64(stored, 10 * PER_SEGMENT);
    expect(extent_of(&fixture, "orders").bytes < TOPIC_SIZE + SLACK);
    expect_equal_u64(extent_of(&fixture, "audit").start, 0);
    expect_same_after_restart(&fixture, "orders");
    finish(&fixture);
}

/* Killed behind any operation, the journal opens with starts that were said or nearly said, and goes on. */
TEST(a_crash_leaves_starts_that_only_grow)
{
    struct fixture fixture;
    begin(&fixture, (struct journal_topic_settings){.retention_size = TOPIC_SIZE});
    without_group(&fixture, 7 * day_ns);
    uint64_t start = 0;
    for (int i = 0; i < 12 * PER_SEGMENT; i++) {
        expect_fine(store_one(&fixture, "orders", VALUE_SIZE));
        expect_fine(store_one(&fixture, "audit", 10));
        (void)journal_chore_step(fixture.bench.journal);
        if (i % 3 == 0) {
            journal_bench_kill(&fixture.bench);
            journal_bench_open(&fixture.bench);
        }
        struct store_extent orders = extent_of(&fixture, "orders");
        expect(orders.start >= start);
        expect_fine(read_at(&fixture, "orders", orders.start));
        expect_fine(read_at(&fixture, "audit", 0));
        start = orders.start;
    }
    expect(start >= 7 * PER_SEGMENT);
    expect_sound(&fixture);
    finish(&fixture);
}

TEST_MAIN(a_topic_at_its_size_shrinks_while_a_record_beside_it_stays,
          what_has_expired_is_not_said_again,
          the_file_goes_when_the_last_topic_in_it_has_expired_and_no_byte_is_counted_twice,
          records_expire_by_age_beside_one_that_has_none,
          drop_oldest_counts_each_record_once,
          consumed_records_go_beside_one_that_stays_and_no_others,
          a_topic_that_blocks_opens_again_and_shrinks_once_its_group_is_past_it,
          a_crash_leaves_starts_that_only_grow)
