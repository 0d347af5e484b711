/* Tests the queue of appends in front of a store that is busy, broken or slow. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/append_queue.h"

#include "store/store_memory.h"
#include "support/test.h"

struct fixture {
    struct clock_fake clock;
    struct mailbox mailbox;
    struct store *store;
    struct store_topic topic;
    struct append_queue queue;
    struct append_builder builder;
    unsigned completed;
    enum err err;
};

static void stay_asleep(void *owner)
{
    (void)owner;
}

static void begin(struct fixture *fixture)
{
    *fixture = (struct fixture){.completed = 0};
    clock_fake_init(&fixture->clock, 1700000000123 * CLOCK_NS_PER_MS);
    mailbox_init(&fixture->mailbox, stay_asleep, NULL);
    fixture->store = store_memory_new(&fixture->clock.clock);
    expect_fine(
        fixture->store->ops->topic_open(fixture->store, span_from_text("t"), 1, true, &fixture->topic));
    append_queue_init(&fixture->queue, fixture->store, &fixture->mailbox);
    append_builder_init(&fixture->builder, fixture->store);
}

static void settle(struct fixture *fixture)
{
    while (mailbox_deliver(&fixture->mailbox) > 0)
        ;
}

static void end(struct fixture *fixture)
{
    settle(fixture);
    append_queue_done(&fixture->queue);
    append_builder_done(&fixture->builder);
    store_memory_free(fixture->store);
    mailbox_done(&fixture->mailbox);
}

static void on_complete(void *owner, const struct built_append *append)
{
    struct fixture *fixture = owner;
    fixture->completed++;
    fixture->err = append->append.ret_err;
}

static void submit(struct fixture *fixture)
{
    struct record record = {.key_is_null = true, .value = span_from_text("v")};
    struct append_builder_place place;
    struct built_append *built;
    expect_fine(append_builder_add_record(&fixture->builder, fixture->topic.id, 0, &record, &place));
    expect_fine(append_builder_finish(&fixture->builder, 1, &built));
    expect_fine(append_queue_submit(&fixture->queue, built, on_complete, fixture));
}

static uint64_t stored(struct fixture *fixture)
{
    struct store_extent extent;
    expect_fine(fixture->store->ops->extent(fixture->store, fixture->topic.id, 0, &extent));
    return extent.end;
}

TEST(appends_complete_in_a_later_turn)
{
    struct fixture fixture;
    begin(&fixture);
    submit(&fixture);
    expect_equal_u64(fixture.completed, 0);
    settle(&fixture);
    expect_equal_u64(fixture.completed, 1);
    expect_fine(fixture.err);
    expect_equal_u64(stored(&fixture), 1);
    expect(append_queue_is_idle(&fixture.queue));
    end(&fixture);
}

TEST(busy_store_is_offered_the_rest_when_something_completes)
{
    struct fixture fixture;
    begin(&fixture);
    store_memory_set_inflight_max(fixture.store, 1);
    store_memory_hold(fixture.store, true);
    for (unsigned i = 0; i < 5; i++)
        submit(&fixture);
    expect_equal_u64(store_memory_waiting(fixture.store), 1);
    expect(!append_queue_is_idle(&fixture.queue));
    for (unsigned i = 0; i < 5; i++) {
        expect_equal_u64(fixture.completed, i);
        expect_equal_u64(store_memory_finish(fixture.store, 1), 1);
        settle(&fixture);
    }
    expect_equal_u64(fixture.completed, 5);
    expect_equal_u64(stored(&fixture), 5);
    store_memory_hold(fixture.store, false);
    end(&fixture);
}

TEST(broken_store_ends_all_that_wait)
{
    struct fixture fixture;
    begin(&fixture);
    store_memory_set_inflight_max(fixture.store, 1);
    store_memory_hold(fixture.store, true);
    submit(&fixture);
    submit(&fixture);
    store_memory_set_state(fixture.store, STORE_BROKEN);
    settle(&fixture);
    expect_equal_u64(fixture.completed, 2);
    expect_err(fixture.err, ERR_BROKEN);
    end(&fixture);
}

TEST_MAIN(appends_complete_in_a_later_turn,
          busy_store_is_offered_the_rest_when_something_completes,
          broken_store_ends_all_that_wait)
