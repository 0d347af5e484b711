/* Settings that change while the journal runs: the next look at them counts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/journal_model.h"
#include "support/test.h"

enum { APPENDS = 300 };

struct fixture {
    struct journal_bench bench;
    struct journal_model model;
    uint32_t shape;
};

static void begin(struct fixture *fixture)
{
    *fixture = (struct fixture){0};
    journal_bench_init(&fixture->bench, 5);
    journal_model_init(&fixture->model, &fixture->bench);
}

static void end(struct fixture *fixture)
{
    journal_model_check(&fixture->model, fs_memory_operations(fixture->bench.fs));
    expect_equal_u64(journal_bench_complaints(&fixture->bench), 0);
    journal_model_done(&fixture->model);
    journal_bench_done(&fixture->bench);
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

static void reload(struct fixture *fixture)
{
    journal_reload(fixture->bench.journal, &fixture->bench.settings);
    for (unsigned i = 0; i < 3; i++) {
        clock_fake_advance(&fixture->bench.clock, CLOCK_NS_PER_S);
        journal_bench_settle(&fixture->bench);
    }
}

static uint64_t start_of(struct fixture *fixture, const char *name)
{
    struct store *store = fixture->bench.store;
    struct store_topic topic;
    struct store_extent extent;
    expect_fine(store->ops->topic_open(store, span_from_text(name), 0, false, &topic));
    expect_fine(store->ops->extent(store, topic.id, 0, &extent));
    return extent.start;
}

TEST(a_ceiling_that_is_raised_lets_a_full_log_go_on)
{
    static const struct journal_named_group slow = {.name = "slow"};
    struct fixture fixture;
    struct why why;
    begin(&fixture);
    fixture.bench.settings.size_max = 6 * JOURNAL_BENCH_SEGMENT;
    fixture.bench.settings.groups = &slow; /* it needs everything */
    fixture.bench.settings.group_count = 1;
    journal_bench_open(&fixture.bench);
    expect(fill(&fixture, APPENDS) < APPENDS);
    expect(fixture.bench.store->ops->state(fixture.bench.store, &why) == STORE_FULL);
    fixture.bench.settings.size_max = 1000 * JOURNAL_BENCH_SEGMENT;
    reload(&fixture);
    expect(fixture.bench.store->ops->state(fixture.bench.store, &why) != STORE_FULL);
    expect_equal_u64(fill(&fixture, 100), 100);
    expect_equal_u64(start_of(&fixture, "topic-0"), 0);
    end(&fixture);
}

TEST(retention_of_one_topic_may_become_tighter_and_wider_again)
{
    struct fixture fixture;
    begin(&fixture);
    fixture.bench.settings.defaults.retention_size = 0;
    fixture.bench.settings.defaults.retention_age_ns = 0;
    journal_bench_open(&fixture.bench);
    expect_equal_u64(fill(&fixture, APPENDS), APPENDS);
    expect_equal_u64(start_of(&fixture, "topic-0"), 0);
    struct journal_topic_settings topics[JOURNAL_MODEL_TOPICS];
    static const char *const names[JOURNAL_MODEL_TOPICS] = {"topic-0", "topic-1", "topic-2", "topic-3"};
    for (unsigned i = 0; i < JOURNAL_MODEL_TOPICS; i++)
        topics[i] =
            (struct journal_topic_settings){.name = names[i], .partitions = 1, .retention_size = 4096};
    fixture.bench.settings.topics = topics;
    fixture.bench.settings.topic_count = JOURNAL_MODEL_TOPICS;
    reload(&fixture);
    uint64_t start = start_of(&fixture, "topic-0");
    expect(start > 0);
    fixture.bench.settings.topics = NULL; /* the array may go */
    fixture.bench.settings.topic_count = 0;
    reload(&fixture);
    memset(topics, 0x5a, sizeof topics);
    expect_equal_u64(fill(&fixture, 100), 100);
    expect_equal_u64(start_of(&fixture, "topic-0"), start);
    end(&fixture);
}

TEST(input_may_be_allowed_to_create_topics_and_be_refused_again)
{
    static const struct journal_topic_settings named = {.name = "named", .partitions = 3};
    struct fixture fixture;
    struct store_topic topic;
    begin(&fixture);
    fixture.bench.settings.auto_create = false;
    journal_bench_open(&fixture.bench);
    struct store *store = fixture.bench.store;
    expect_err(store->ops->topic_open(store, span_from_text("named"), 0, true, &topic), ERR_UNKNOWN_TOPIC);
    fixture.bench.settings.topics = &named;
    fixture.bench.settings.topic_count = 1;
    reload(&fixture);
    expect_fine(store->ops->topic_open(store, span_from_text("named"), 0, true, &topic));
    expect_equal_u64(topic.partitions, 3);
    expect_err(store->ops->topic_open(store, span_from_text("other"), 0, true, &topic), ERR_UNKNOWN_TOPIC);
    fixture.bench.settings.auto_create = true;
    fixture.bench.settings.topics_max = 1;
    reload(&fixture);
    expect_fine(store->ops->topic_open(store, span_from_text("other"), 0, true, &topic));
    expect_err(store->ops->topic_open(store, span_from_text("third"), 0, true, &topic), ERR_TOO_MANY);
    end(&fixture);
}

static uint64_t preads_of(struct fixture *fixture, unsigned seconds)
{
    uint64_t before = fs_memory_calls(fixture->bench.fs, FS_MEMORY_PREAD);
    for (unsigned i = 0; i < seconds; i++) {
        clock_fake_advance(&fixture->bench.clock, CLOCK_NS_PER_S);
        journal_bench_settle(&fixture->bench);
    }
    return fs_memory_calls(fixture->bench.fs, FS_MEMORY_PREAD) - before;
}

TEST(a_scrubber_that_rests_for_a_week_begins_at_once_when_an_hour_is_over)
{
    struct fixture fixture;
    begin(&fixture);
    fixture.bench.settings.scrub_every_ns = 7 * 24 * 3600 * CLOCK_NS_PER_S;
    fixture.bench.settings.scrub_rate = 16 * 1024 * 1024;
    journal_bench_open(&fixture.bench);
    expect_equal_u64(fill(&fixture, APPENDS), APPENDS);
    (void)preads_of(&fixture, 600); /* the first pass */
    clock_fake_advance(&fixture.bench.clock, 3600 * CLOCK_NS_PER_S);
    uint64_t resting = preads_of(&fixture, 10);
    fixture.bench.settings.scrub_every_ns = 3600 * CLOCK_NS_PER_S;
    journal_reload(fixture.bench.journal, &fixture.bench.settings);
    expect(preads_of(&fixture, 10) > resting + 10);
    fixture.bench.settings.scrub_every_ns = 0;
    journal_reload(fixture.bench.journal, &fixture.bench.settings);
    clock_fake_advance(&fixture.bench.clock, 36000 * CLOCK_NS_PER_S);
    expect(preads_of(&fixture, 10) <= resting);
    end(&fixture);
}

TEST_MAIN(a_ceiling_that_is_raised_lets_a_full_log_go_on,
          retention_of_one_topic_may_become_tighter_and_wider_again,
          input_may_be_allowed_to_create_topics_and_be_refused_again,
          a_scrubber_that_rests_for_a_week_begins_at_once_when_an_hour_is_over)
