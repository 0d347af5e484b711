/* Tests that records named one by one become few runs, and that they stay within the span of a group. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/processed_runs.h"

#include <stdlib.h>

#include "base/random.h"
#include "store/store_memory.h"
#include "support/test.h"
#include "support/test_append.h"

struct fixture {
    struct clock_fake clock;
    struct store *store;
    struct mailbox mailbox;
    struct store_topic topic;
    uint32_t group;
    struct processed_runs *runs;
};

static void stay_asleep(void *owner)
{
    (void)owner;
}

static void begin_runs(struct fixture *fixture)
{
    processed_runs_begin(fixture->runs, fixture->store, fixture->group, span_from_text("log"));
}

static void begin(struct fixture *fixture)
{
    clock_fake_init(&fixture->clock, 5000);
    fixture->store = store_memory_new(&fixture->clock.clock);
    mailbox_init(&fixture->mailbox, stay_asleep, NULL);
    expect_fine(
        fixture->store->ops->topic_open(fixture->store, span_from_text("t"), 4, true, &fixture->topic));
    expect_fine(
        fixture->store->outcomes->group_open(fixture->store, span_from_text("g"), true, &fixture->group));
    fixture->runs = malloc(sizeof *fixture->runs);
    check(fixture->runs != NULL);
    begin_runs(fixture);
}

static void end(struct fixture *fixture)
{
    free(fixture->runs);
    mailbox_deliver(&fixture->mailbox);
    mailbox_done(&fixture->mailbox);
    store_memory_free(fixture->store);
}

static void add(struct fixture *fixture, uint32_t partition, uint64_t offset)
{
    processed_runs_add(fixture->runs, (struct store_position){fixture->topic.id, partition, offset});
}

static void commit(struct fixture *fixture)
{
    struct test_append *test = test_append_new(&fixture->mailbox);
    test->append.settled = fixture->runs->runs;
    test->append.settled_count = fixture->runs->count;
    expect_fine(fixture->store->ops->append(fixture->store, &test->append));
    mailbox_deliver(&fixture->mailbox);
    expect(test->is_done);
    test_append_free(test);
    begin_runs(fixture);
}

static enum store_outcome outcome_of(struct fixture *fixture, uint32_t partition, uint64_t offset)
{
    return fixture->store->outcomes->outcome(fixture->store, fixture->group,
                                             (struct store_position){fixture->topic.id, partition, offset});
}

TEST(records_in_a_row_are_one_run_also_when_partitions_take_turns)
{
    struct fixture fixture;
    begin(&fixture);
    for (uint64_t offset = 0; offset < 100; offset++)
        for (uint32_t partition = 0; partition < 4; partition++)
            add(&fixture, partition, offset);
    expect_equal_u64(fixture.runs->count, 4);
    commit(&fixture);
    for (uint32_t partition = 0; partition < 4; partition++)
        expect(outcome_of(&fixture, partition, 99) == STORE_OUTCOME_DONE);
    expect(outcome_of(&fixture, 0, 100) == STORE_OUTCOME_OPEN);
    end(&fixture);
}

TEST(records_that_have_an_outcome_are_left_out)
{
    struct fixture fixture;
    begin(&fixture);
    add(&fixture, 0, 5);
    commit(&fixture);
    add(&fixture, 0, 5);
    expect_equal_u64(fixture.runs->count, 0);
    end(&fixture);
}

TEST(record_far_above_the_first_open_one_passes_over_the_oldest)
{
    struct fixture fixture;
    begin(&fixture);
    add(&fixture, 1, STORE_SPAN_MAX - 1);
    expect_equal_u64(fixture.runs->skipped, 0);
    commit(&fixture);
    add(&fixture, 1, STORE_SPAN_MAX);
    add(&fixture, 1, STORE_SPAN_MAX + 2);
    expect_equal_u64(fixture.runs->skipped, STORE_SPAN_MAX / 4);
    expect_equal_u64(fixture.runs->count, 3);
    commit(&fixture);
    expect(outcome_of(&fixture, 1, STORE_SPAN_MAX / 4 - 1) == STORE_OUTCOME_SKIPPED);
    expect(outcome_of(&fixture, 1, STORE_SPAN_MAX / 4) == STORE_OUTCOME_OPEN);
    expect(outcome_of(&fixture, 1, STORE_SPAN_MAX) == STORE_OUTCOME_DONE);
    expect(outcome_of(&fixture, 1, STORE_SPAN_MAX + 1) == STORE_OUTCOME_OPEN);
    struct store_progress progress;
    expect_fine(
        fixture.store->outcomes->progress(fixture.store, fixture.group, fixture.topic.id, 1, &progress));
    expect_equal_u64(progress.low, STORE_SPAN_MAX / 4);
    end(&fixture);
}

TEST(span_is_never_left_whatever_the_order)
{
    struct fixture fixture;
    struct random random;
    begin(&fixture);
    random_seed(&random, 7);
    uint64_t low = 0;
    for (unsigned i = 0; i < 500; i++) {
        for (unsigned n = 0; n < 20; n++)
            add(&fixture, 0, random_below(&random, (uint64_t)(i + 1) * STORE_SPAN_MAX / 20));
        expect(processed_runs_have_room(fixture.runs, 1));
        commit(&fixture);
        struct store_progress progress;
        expect_fine(
            fixture.store->outcomes->progress(fixture.store, fixture.group, fixture.topic.id, 0, &progress));
        expect(progress.low >= low && progress.end - progress.low <= STORE_SPAN_MAX);
        low = progress.low;
    }
    expect(low > 0);
    end(&fixture);
}

TEST_MAIN(records_in_a_row_are_one_run_also_when_partitions_take_turns,
          records_that_have_an_outcome_are_left_out,
          record_far_above_the_first_open_one_passes_over_the_oldest,
          span_is_never_left_whatever_the_order)
