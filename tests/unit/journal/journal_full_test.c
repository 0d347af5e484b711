/* No space: a full disk, a log at its ceiling, and what retention gives back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/metric.h"
#include "support/journal_model.h"
#include "support/test.h"
#include "support/test_append.h"

enum { ENOUGH = 400 };

static const int64_t hour_ns = 3600 * CLOCK_NS_PER_S;

struct fixture {
    struct journal_bench bench;
    struct journal_model model;
    uint32_t shape;
};

static void begin(struct fixture *fixture, uint32_t segments_max)
{
    *fixture = (struct fixture){0};
    journal_bench_init(&fixture->bench, 3);
    if (segments_max > 0)
        fixture->bench.settings.size_max = (uint64_t)segments_max * JOURNAL_BENCH_SEGMENT;
    journal_model_init(&fixture->model, &fixture->bench);
    (void)snprintf(fixture->model.where, sizeof fixture->model.where, "the model");
    journal_bench_open(&fixture->bench);
}

static void finish(struct fixture *fixture)
{
    journal_model_done(&fixture->model);
    journal_bench_done(&fixture->bench);
}

static enum store_state state(struct fixture *fixture, struct why *why)
{
    *why = (struct why){{0}};
    return fixture->bench.store->ops->state(fixture->bench.store, why);
}

static void compare(struct fixture *fixture)
{
    journal_model_check(&fixture->model, fs_memory_operations(fixture->bench.fs));
}

static void restart(struct fixture *fixture)
{
    journal_bench_close(&fixture->bench);
    journal_bench_open(&fixture->bench);
    compare(fixture);
    journal_model_settle(&fixture->model);
}

/* Appends until the journal refuses; the number of those that it took. */
static uint32_t fill(struct fixture *fixture, uint32_t at_most)
{
    for (uint32_t i = 0; i < at_most; i++) {
        enum err err = journal_model_submit(&fixture->model, fixture->shape);
        if (err == ERR_FULL)
            return i;
        expect_fine(err);
        fixture->shape++;
        journal_bench_rest(&fixture->bench);
    }
    return at_most;
}

static struct store_extent extent_of(struct fixture *fixture, const char *topic_name)
{
    struct store *store = fixture->bench.store;
    struct store_topic topic;
    struct store_extent extent;
    expect_fine(store->ops->topic_open(store, span_from_text(topic_name), 0, false, &topic));
    expect_fine(store->ops->extent(store, topic.id, 0, &extent));
    return extent;
}

static const struct journal_named_group billing = {.name = "billing", .topic = "topic-0"};

/* The group that the configuration names has not begun. */
static void begin_held(struct fixture *fixture, enum journal_when_full when_full)
{
    begin(fixture, 6);
    journal_bench_close(&fixture->bench);
    fixture->bench.settings.groups = &billing;
    fixture->bench.settings.group_count = 1;
    fixture->bench.settings.defaults.when_full = when_full;
    journal_bench_open(&fixture->bench);
}

/* The group says DONE of all there is; the log is full meanwhile. */
static void complete_billing(struct fixture *fixture)
{
    struct store *store = fixture->bench.store;
    struct store_extent extent = extent_of(fixture, "topic-0");
    struct store_topic topic;
    struct store_settled settled = {.outcome = STORE_OUTCOME_DONE, .count = (uint32_t)extent.end};
    expect_fine(store->ops->topic_open(store, span_from_text("topic-0"), 1, false, &topic));
    expect_fine(store->outcomes->group_open(store, span_from_text("billing"), true, &settled.group));
    settled.topic = topic.id;
    struct test_append *test = test_append_new(&fixture->bench.mailbox);
    test->append.settled = &settled;
    test->append.settled_count = 1;
    if (store->ops->state(store, NULL) == STORE_FULL)
        expect(store->ops->append(store, &test->append) == ERR_FULL);
    test->append.urgent = true;
    expect_fine(store->ops->append(store, &test->append));
    expect(journal_bench_step(&fixture->bench));
    expect(test->is_done);
    expect_fine(test->append.ret_err);
    test_append_free(test);
}

TEST(a_full_disk_refuses_by_name_loses_nothing_and_goes_on_when_space_returns)
{
    struct fixture fixture;
    struct why why;
    begin(&fixture, 0);
    fs_memory_limit(fixture.bench.fs, 5 * JOURNAL_BENCH_SEGMENT + JOURNAL_BENCH_SEGMENT / 2);
    expect(fill(&fixture, ENOUGH) < ENOUGH);
    expect(state(&fixture, &why) == STORE_FULL);
    expect_not_null(strstr(why.text, "disk is full"));
    expect_equal_u64(fixture.bench.events[JOURNAL_EVENT_FULL], 1);
    uint32_t waiting = fixture.model.pending;
    compare(&fixture);

    fs_memory_limit(fixture.bench.fs, 20 * JOURNAL_BENCH_SEGMENT);
    journal_bench_rest(&fixture.bench);
    journal_bench_rest(&fixture.bench);
    expect(state(&fixture, &why) == STORE_OPEN);
    expect_equal_u64(fixture.bench.events[JOURNAL_EVENT_OPEN_AGAIN], 1);
    expect(waiting > 0); /* those that waited are stored now */
    expect_equal_u64(fixture.model.pending, 0);
    compare(&fixture);
    expect_equal_u64(fill(&fixture, 10), 10);
    restart(&fixture);
    expect_equal_u64(journal_recovery(fixture.bench.journal)->damaged_ranges, 0);
    finish(&fixture);
}

TEST(a_writer_that_waits_for_a_segment_covers_its_last_group_once_and_rests)
{
    struct fixture fixture;
    begin(&fixture, 0);
    journal_bench_rest(&fixture.bench);
    uint64_t before;
    do { /* nobody prepares a segment meanwhile */
        expect_fine(journal_model_submit(&fixture.model, fixture.shape++));
        before = fs_memory_operations(fixture.bench.fs);
    } while (journal_bench_step(&fixture.bench));
    expect(fixture.model.pending > 0);
    clock_fake_advance(&fixture.bench.clock, CLOCK_NS_PER_S);
    expect(journal_bench_step(&fixture.bench));
    uint64_t covered = fs_memory_operations(fixture.bench.fs);
    expect(covered > before);
    clock_fake_advance(&fixture.bench.clock, CLOCK_NS_PER_S);
    expect(!journal_bench_step(&fixture.bench));
    expect_equal_u64(fs_memory_operations(fixture.bench.fs), covered);
    journal_bench_rest(&fixture.bench);
    expect_equal_u64(fixture.model.pending, 0);
    compare(&fixture);
    finish(&fixture);
}

TEST(a_full_disk_at_start_opens_reads_and_is_full)
{
    struct fixture fixture;
    struct why why;
    begin(&fixture, 0);
    fs_memory_limit(fixture.bench.fs, 5 * JOURNAL_BENCH_SEGMENT);
    (void)fill(&fixture, ENOUGH);
    for (int i = 0; i < 20; i++) {
        restart(&fixture);
        (void)fill(&fixture, ENOUGH);
        expect(state(&fixture, &why) == STORE_FULL);
    }
    fs_memory_limit(fixture.bench.fs, 20 * JOURNAL_BENCH_SEGMENT);
    journal_bench_rest(&fixture.bench);
    journal_bench_rest(&fixture.bench);
    expect_equal_u64(fill(&fixture, 10), 10);
    compare(&fixture);
    finish(&fixture);
}

TEST(a_log_at_its_ceiling_retires_the_oldest_segment_and_keeps_its_numbers)
{
    struct fixture fixture;
    struct why why;
    begin(&fixture, 6);
    expect_equal_u64(fill(&fixture, ENOUGH), ENOUGH);
    expect(state(&fixture, &why) == STORE_OPEN);
    expect(extent_of(&fixture, "topic-0").start > 0);
    compare(&fixture); /* the numbers of what is gone are known */
    restart(&fixture);
    restart(&fixture);
    finish(&fixture);
}

TEST(a_lower_ceiling_retires_down_to_it_and_no_further)
{
    struct fixture fixture;
    begin(&fixture, 24);
    (void)fill(&fixture, 3 * ENOUGH);
    int64_t before = metric_get(METRIC_SEGMENTS_RETIRED);
    fixture.bench.settings.size_max = (uint64_t)16 * JOURNAL_BENCH_SEGMENT;
    restart(&fixture);
    for (int second = 0; second < 20; second++) {
        clock_fake_advance(&fixture.bench.clock, CLOCK_NS_PER_S);
        journal_bench_settle(&fixture.bench);
    }
    int64_t retired = metric_get(METRIC_SEGMENTS_RETIRED) - before;
    if (retired < 6 || retired > 10)
        test_fail("%lld segments retired", (long long)retired);
    restart(&fixture);
    expect(fill(&fixture, 20) == 20);
    finish(&fixture);
}

TEST(a_named_group_that_has_not_completed_the_oldest_segment_makes_the_log_full_until_it_has)
{
    struct fixture fixture;
    struct why why;
    begin_held(&fixture, JOURNAL_BLOCK);
    expect(fill(&fixture, ENOUGH) < ENOUGH);
    expect(state(&fixture, &why) == STORE_FULL);
    expect_not_null(strstr(why.text, "billing"));
    expect_not_null(strstr(why.text, "topic-0"));
    expect_equal_u64(extent_of(&fixture, "topic-0").start, 0);
    compare(&fixture);

    complete_billing(&fixture);
    journal_bench_rest(&fixture.bench);
    journal_bench_rest(&fixture.bench);
    journal_bench_rest(&fixture.bench);
    expect(state(&fixture, &why) == STORE_OPEN);
    expect(extent_of(&fixture, "topic-0").start > 0);
    expect_equal_u64(fixture.model.pending, 0);
    compare(&fixture);
    expect_equal_u64(fill(&fixture, 20), 20);
    restart(&fixture);
    finish(&fixture);
}

TEST(drop_oldest_gives_up_what_a_reader_needs_and_counts_it)
{
    struct fixture fixture;
    struct why why;
    begin_held(&fixture, JOURNAL_DROP_OLDEST);
    expect_equal_u64(fill(&fixture, ENOUGH), ENOUGH);
    expect(state(&fixture, &why) == STORE_OPEN);
    expect(fixture.bench.events[JOURNAL_EVENT_DROPPED] > 0);
    expect_not_null(strstr(fixture.bench.last_event[JOURNAL_EVENT_DROPPED], "billing"));
    uint64_t start = extent_of(&fixture, "topic-0").start;
    expect(start > 0);
    compare(&fixture);
    finish(&fixture);
}

static enum err
store_one(struct fixture *fixture, const char *topic_name, bool is_urgent, uint32_t *ret_full_part)
{
    static char value[4000];
    struct store *store = fixture->bench.store;
    struct store_topic topic;
    memset(value, 'v', sizeof value - 1);
    expect_fine(store->ops->topic_open(store, span_from_text(topic_name), 1, true, &topic));
    struct test_append *test = test_append_new(&fixture->bench.mailbox);
    test_append_add(test, &topic, 0, (struct test_records){.value = value});
    test->append.urgent = is_urgent;
    enum err err = store->ops->append(store, &test->append);
    *ret_full_part = test->append.ret_full_part;
    journal_bench_settle(&fixture->bench);
    expect(err != ERR_NONE || (test->is_done && test->append.ret_err == ERR_NONE));
    test_append_free(test);
    return err;
}

TEST(a_topic_at_its_size_that_a_named_group_still_needs_is_full_and_the_others_are_not)
{
    struct fixture fixture;
    struct why why;
    uint32_t part;
    begin(&fixture, 20);
    journal_bench_close(&fixture.bench);
    fixture.bench.settings.groups = &billing;
    fixture.bench.settings.group_count = 1;
    fixture.bench.settings.defaults.retention_size = 20000;
    journal_bench_open(&fixture.bench);
    for (int i = 0; i < 5; i++)
        expect_fine(store_one(&fixture, "topic-0", false, &part));
    expect(store_one(&fixture, "topic-0", false, &part) == ERR_FULL);
    expect_equal_u64(part, 0);
    expect_equal_u64(fixture.bench.events[JOURNAL_EVENT_FULL], 1);
    expect(state(&fixture, &why) == STORE_OPEN);
    expect_fine(store_one(&fixture, "topic-0", true, &part)); /* what makes room passes */
    for (int i = 0; i < 10; i++)
        expect_fine(store_one(&fixture, "other", false, &part)); /* nobody named reads it */
    journal_bench_kill(&fixture.bench);
    journal_bench_open(&fixture.bench);
    expect(store_one(&fixture, "topic-0", false, &part) == ERR_FULL);
    complete_billing(&fixture);
    expect_equal_u64(fixture.bench.events[JOURNAL_EVENT_OPEN_AGAIN], 1);
    expect_fine(store_one(&fixture, "topic-0", false, &part));
    finish(&fixture);
}

/* Records of one topic alone, a segment and more of them. */
static void store_plain(struct fixture *fixture, const char *topic_name)
{
    static char value[4000];
    struct store *store = fixture->bench.store;
    struct store_topic topic;
    memset(value, 'v', sizeof value - 1);
    expect_fine(store->ops->topic_open(store, span_from_text(topic_name), 1, true, &topic));
    for (int i = 0; i < JOURNAL_BENCH_SEGMENT / 4000 + 2; i++) {
        struct test_append *test = test_append_new(&fixture->bench.mailbox);
        test_append_add(test, &topic, 0, (struct test_records){.value = value});
        expect_fine(store->ops->append(store, &test->append));
        journal_bench_settle(&fixture->bench);
        expect(test->is_done && test->append.ret_err == ERR_NONE);
        test_append_free(test);
    }
}

TEST(consumed_records_go_as_soon_as_all_named_groups_are_past)
{
    struct fixture fixture;
    begin(&fixture, 20);
    journal_bench_close(&fixture.bench);
    fixture.bench.settings.groups = &billing;
    fixture.bench.settings.group_count = 1;
    fixture.bench.settings.defaults.consumed = true;
    journal_bench_open(&fixture.bench);
    store_plain(&fixture, "topic-0");
    store_plain(&fixture, "other");
    journal_bench_rest(&fixture.bench);
    expect_equal_u64(extent_of(&fixture, "topic-0").start, 0);
    complete_billing(&fixture);
    journal_bench_rest(&fixture.bench);
    uint64_t start = extent_of(&fixture, "topic-0").start;
    expect(start > 0);
    expect_equal_u64(extent_of(&fixture, "other").start, 0); /* it has no named group: age and size decide */
    store_plain(&fixture, "topic-0");
    store_plain(&fixture, "topic-0");
    expect_equal_u64(extent_of(&fixture, "topic-0").start, start);
    finish(&fixture);
}

TEST(records_expire_by_age_and_by_size)
{
    struct fixture fixture;
    begin(&fixture, 0);
    (void)fill(&fixture, 150);
    clock_fake_advance(&fixture.bench.clock, 6 * 24 * hour_ns);
    journal_bench_rest(&fixture.bench);
    expect_equal_u64(extent_of(&fixture, "topic-0").start, 0);
    clock_fake_advance(&fixture.bench.clock, 2 * 24 * hour_ns);
    journal_bench_rest(&fixture.bench);
    uint64_t start = extent_of(&fixture, "topic-0").start;
    expect(start > 0);
    fixture.model.forgets_numbers = true; /* receipts.keep is a week too */
    compare(&fixture);
    journal_bench_close(&fixture.bench);
    fixture.bench.settings.defaults.retention_size = JOURNAL_BENCH_SEGMENT / 8;
    journal_bench_open(&fixture.bench);
    expect_equal_u64(extent_of(&fixture, "topic-0").start, start);
    (void)fill(&fixture, ENOUGH);
    expect(extent_of(&fixture, "topic-0").start > start);
    expect(extent_of(&fixture, "topic-0").bytes < 3 * JOURNAL_BENCH_SEGMENT);
    compare(&fixture);
    restart(&fixture);
    finish(&fixture);
}

TEST(a_log_whose_topics_are_at_their_size_goes_on_in_the_files_of_retired_segments)
{
    struct fixture fixture;
    begin(&fixture, 24);
    fixture.bench.settings.defaults.retention_size = JOURNAL_BENCH_SEGMENT / 8;
    restart(&fixture);
    expect_equal_u64(fill(&fixture, ENOUGH), ENOUGH);
    int64_t retired_before = metric_get(METRIC_SEGMENTS_RETIRED);
    uint64_t removed_before = fs_memory_calls(fixture.bench.fs, FS_MEMORY_UNLINK);
    expect_equal_u64(fill(&fixture, 2 * ENOUGH), 2 * ENOUGH);
    int64_t retired = metric_get(METRIC_SEGMENTS_RETIRED) - retired_before;
    uint64_t removed = fs_memory_calls(fixture.bench.fs, FS_MEMORY_UNLINK) - removed_before;
    if (retired < 6 || removed > 1)
        test_fail("%lld segments retired, %llu files removed", (long long)retired,
                  (unsigned long long)removed);
    compare(&fixture);
    finish(&fixture);
}

TEST(a_wall_clock_that_jumps_suspends_age_and_says_so)
{
    struct fixture fixture;
    begin(&fixture, 0);
    (void)fill(&fixture, 150);
    fixture.bench.clock.wall_ns += 30 * 24 * hour_ns;
    journal_bench_rest(&fixture.bench);
    expect_equal_u64(extent_of(&fixture, "topic-0").start, 0);
    expect_equal_u64(fixture.bench.events[JOURNAL_EVENT_CLOCK_JUMP], 1);
    clock_fake_advance(&fixture.bench.clock, 2 * hour_ns);
    journal_bench_rest(&fixture.bench);
    expect(extent_of(&fixture, "topic-0").start > 0);
    finish(&fixture);
}

struct count {
    const char *suffix;
    uint64_t files;
};

static void on_name(void *owner, const char *name)
{
    struct count *count = owner;
    count->files += strstr(name, count->suffix) != NULL;
}

static uint64_t count_files(struct fs *fs, const char *suffix)
{
    struct count count = {.suffix = suffix};
    expect_fine(fs->ops->list(fs, on_name, &count));
    return count.files;
}

TEST(nothing_is_left_behind_by_weeks_of_retiring_and_restarting)
{
    struct fixture fixture;
    begin(&fixture, 6);
    fixture.model.forgets_numbers = true;
    for (int day = 0; day < 30; day++) {
        expect_equal_u64(fill(&fixture, ENOUGH / 10), ENOUGH / 10);
        clock_fake_advance(&fixture.bench.clock, 24 * hour_ns);
        journal_bench_rest(&fixture.bench);
        if (day % 3 == 0)
            restart(&fixture);
    }
    expect(count_files(fixture.bench.fs, ".segment") <= 6);
    expect(count_files(fixture.bench.fs, ".index") <= 20);
    expect_equal_u64(count_files(fixture.bench.fs, ".tmp"), 0);
    compare(&fixture);
    finish(&fixture);
}

TEST_MAIN(a_full_disk_refuses_by_name_loses_nothing_and_goes_on_when_space_returns,
          a_writer_that_waits_for_a_segment_covers_its_last_group_once_and_rests,
          a_full_disk_at_start_opens_reads_and_is_full,
          a_log_at_its_ceiling_retires_the_oldest_segment_and_keeps_its_numbers,
          a_lower_ceiling_retires_down_to_it_and_no_further,
          a_named_group_that_has_not_completed_the_oldest_segment_makes_the_log_full_until_it_has,
          drop_oldest_gives_up_what_a_reader_needs_and_counts_it,
          a_topic_at_its_size_that_a_named_group_still_needs_is_full_and_the_others_are_not,
          consumed_records_go_as_soon_as_all_named_groups_are_past,
          records_expire_by_age_and_by_size,
          a_log_whose_topics_are_at_their_size_goes_on_in_the_files_of_retired_segments,
          a_wall_clock_that_jumps_suspends_age_and_says_so,
          nothing_is_left_behind_by_weeks_of_retiring_and_restarting)
