/* Tests of the delivery core against a target that does what the test says. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "delivery/delivery.h"

#include <stdlib.h>

#include "store/store_memory.h"
#include "support/loop_simulated.h"
#include "support/test.h"
#include "support/test_append.h"

enum { TAKEN_MAX = 1100, BATCHES_MAX = 8 };

/* A target that keeps what it was sent until the test answers. */
struct fake_batch {
    struct target_batch batch;
    struct fake *fake;
    uint64_t offsets[TAKEN_MAX];
    uint32_t count;
};

struct fake {
    struct target target;
    struct fake_batch *sent[BATCHES_MAX]; /* in the order of sending */
    uint32_t sent_count;
    uint32_t sends;
    uint32_t batch_max; /* records; more is FULL */
    uint64_t too_large; /* this offset never fits; UINT64_MAX: none */
    uint64_t taken[TAKEN_MAX];
    uint32_t taken_count;
    uint32_t batches;
    bool is_freed;
};

static enum err batch_new(struct target *target, struct target_batch **ret_batch)
{
    struct fake_batch *batch = calloc(1, sizeof *batch);
    batch->fake = LIST_OWNER(target, struct fake, target);
    batch->fake->batches++;
    *ret_batch = &batch->batch;
    return ERR_NONE;
}

static enum err
add(struct target_batch *batch, const struct store_topic *topic, const struct group_item *item)
{
    struct fake_batch *self = LIST_OWNER(batch, struct fake_batch, batch);
    (void)topic;
    if (item->position.offset == self->fake->too_large)
        return self->count > 0 ? ERR_FULL : ERR_TOO_LARGE;
    if (self->count == self->fake->batch_max)
        return ERR_FULL;
    self->offsets[self->count++] = item->position.offset;
    return ERR_NONE;
}

static void send(struct target_batch *batch)
{
    struct fake_batch *self = LIST_OWNER(batch, struct fake_batch, batch);
    expect(self->fake->sent_count < BATCHES_MAX);
    self->fake->sent[self->fake->sent_count++] = self;
    self->fake->sends++;
}

static struct target_batch *batch_free(struct target_batch *batch)
{
    struct fake_batch *self = LIST_OWNER(batch, struct fake_batch, batch);
    self->fake->batches--;
    free(self);
    return NULL;
}

static struct target *target_free(struct target *target)
{
    LIST_OWNER(target, struct fake, target)->is_freed = true;
    return NULL;
}

static const struct target_ops fake_ops = {batch_new, add, send, batch_free, target_free};

struct world {
    struct loop_simulated simulated;
    struct loop_task step;
    struct timer due;
    struct store *store;
    struct groups *groups;
    struct store_topic topic;
    struct fake fake;
    struct delivery *delivery;
    bool is_drained;
};

static void on_step(struct loop_task *step)
{
    groups_step(LIST_OWNER(step, struct world, step)->groups);
}

static void on_work(void *owner)
{
    struct world *world = owner;
    loop_at_end_of_turn(&world->simulated.loop, &world->step);
}

static void on_timer(struct timer *timer)
{
    on_work(LIST_OWNER(timer, struct world, due));
}

static void on_due(void *owner, int64_t after_ns)
{
    timer_start(&((struct world *)owner)->due, after_ns);
}

static void open_delivery(struct world *world, const struct delivery_settings *settings)
{
    struct delivery_source source = {world->topic, GROUP_ALL_PARTITIONS};
    struct delivery_settings all = *settings;
    struct why why = {""};
    all.name = span_from_text("archive");
    all.sources = &source;
    all.source_count = 1;
    world->fake = (struct fake){
        .target = {.ops = &fake_ops, .name = "fake"}, .batch_max = TAKEN_MAX, .too_large = UINT64_MAX};
    expect_fine(delivery_new(&all, world->groups, &world->simulated.loop, &world->fake.target, &why,
                             &world->delivery));
}

static const struct delivery_settings usual = {
    .batch_records = 10,
    .batch_wait_ns = 20 * CLOCK_NS_PER_MS,
    .in_flight = 40,
    .parallel = 1,
    .backoff = {.first_ns = 100 * CLOCK_NS_PER_MS, .max_ns = 1000 * CLOCK_NS_PER_MS},
    .breaker_failures = 3,
    .breaker_every_ns = 500 * CLOCK_NS_PER_MS,
};

static void begin(struct world *world, const struct delivery_settings *settings)
{
    struct groups_events events = {.on_work = on_work, .on_due = on_due, .owner = world};
    struct groups_settings none = {0};
    loop_simulated_init(&world->simulated, 7);
    loop_task_init(&world->step, on_step);
    timer_init(&world->due, &world->simulated.loop, on_timer);
    world->store = store_memory_new(&world->simulated.clock.clock);
    uint32_t sequence;
    expect_fine(world->store->ops->sequence_open(world->store, span_from_text("default"), &sequence));
    expect_fine(
        world->store->ops->topic_open(world->store, span_from_text("orders"), 1, true, &world->topic));
    expect_fine(groups_new(world->store, &world->simulated.loop.mailbox, &world->simulated.clock.clock, &none,
                           &events, &world->groups));
    open_delivery(world, settings);
}

static void settle(struct world *world)
{
    loop_simulated_settle(&world->simulated);
}

static void pass(struct world *world, int64_t ms)
{
    loop_simulated_pass(&world->simulated, ms * CLOCK_NS_PER_MS);
}

static void on_drained(void *owner)
{
    ((struct world *)owner)->is_drained = true;
}

static void end(struct world *world)
{
    world->delivery = delivery_free(world->delivery);
    expect(world->fake.is_freed);
    expect_equal_u64(world->fake.batches, 0);
    settle(world);
    loop_task_cancel(&world->step);
    timer_stop(&world->due);
    groups_free(world->groups);
    (void)mailbox_deliver(&world->simulated.loop.mailbox);
    store_memory_free(world->store);
    loop_simulated_done(&world->simulated);
}

static void store_records(struct world *world, uint64_t seq, uint32_t count)
{
    test_append_store(world->store, &world->topic, 0,
                      (struct test_records){.key = "k", .value = "v", .seq = seq, .count = count});
    settle(world);
}

/* Answers the batch that was sent first. */
static void answer(struct world *world, enum target_verdict verdict)
{
    struct fake *fake = &world->fake;
    expect(fake->sent_count > 0);
    struct fake_batch *batch = fake->sent[0];
    memmove(fake->sent, fake->sent + 1, --fake->sent_count * sizeof(struct fake_batch *));
    if (verdict == TARGET_DELIVERED) {
        memcpy(fake->taken + fake->taken_count, batch->offsets, batch->count * sizeof batch->offsets[0]);
        fake->taken_count += batch->count;
    }
    struct target_result result = {.verdict = verdict, .status = 7, .why = {"because"}};
    batch->batch.on_result(batch->batch.owner, &result);
    settle(world);
}

static uint64_t low_mark(struct world *world)
{
    struct store_progress progress;
    uint32_t group;
    expect_fine(world->store->outcomes->group_open(world->store, span_from_text("archive"), false, &group));
    expect_fine(world->store->outcomes->progress(world->store, group, world->topic.id, 0, &progress));
    return progress.low;
}

TEST(a_lone_record_goes_at_once_and_is_done_when_it_is_taken)
{
    struct world world = {0};
    begin(&world, &usual);
    store_records(&world, 1, 1);
    expect_equal_u64(world.fake.sent_count, 1);
    expect_equal_u64(low_mark(&world), 0);
    answer(&world, TARGET_DELIVERED);
    expect_equal_u64(low_mark(&world), 1);
    struct store_fate fate;
    uint32_t group;
    expect_fine(world.store->outcomes->group_open(world.store, span_from_text("archive"), false, &group));
    expect_fine(world.store->outcomes->fate(world.store, group, (struct store_position){world.topic.id, 0, 0},
                                            &fate));
    expect_equal_u64(fate.outcome, STORE_OUTCOME_DONE);
    expect_equal_u64(fate.status, 7);
    expect_equal_span(span_of(fate.by, fate.by_len), span_from_text("archive"));
    end(&world);
}

TEST(while_a_batch_is_in_flight_the_next_is_gathered_up_to_its_limits)
{
    struct world world = {0};
    begin(&world, &usual);
    store_records(&world, 1, 1);
    store_records(&world, 2, 100);
    expect_equal_u64(world.fake.sent_count, 1);
    answer(&world, TARGET_DELIVERED);
    expect_equal_u64(world.fake.sent_count, 1);
    expect_equal_u64(world.fake.sent[0]->count, 10);
    struct delivery_view view;
    delivery_look(world.delivery, &view);
    expect_equal_u64(view.in_flight, 40);
    while (world.fake.sent_count > 0)
        answer(&world, TARGET_DELIVERED);
    expect_equal_u64(world.fake.taken_count, 101);
    for (uint32_t i = 0; i < 101; i++)
        expect_equal_u64(world.fake.taken[i], i);
    expect_equal_u64(low_mark(&world), 101);
    end(&world);
}

TEST(a_batch_that_was_not_taken_goes_again_after_the_back_off_before_all_others)
{
    struct world world = {0};
    begin(&world, &usual);
    store_records(&world, 1, 1);
    store_records(&world, 2, 5);
    answer(&world, TARGET_RETRY);
    expect_equal_u64(world.fake.sent_count, 0);
    pass(&world, 99);
    expect_equal_u64(world.fake.sent_count, 0);
    pass(&world, 2);
    expect_equal_u64(world.fake.sent_count, 1);
    expect_equal_u64(world.fake.sent[0]->offsets[0], 0);
    answer(&world, TARGET_RETRY);
    pass(&world, 199);
    expect_equal_u64(world.fake.sent_count, 0);
    pass(&world, 2);
    answer(&world, TARGET_DELIVERED);
    answer(&world, TARGET_DELIVERED);
    for (uint32_t i = 0; i < 6; i++)
        expect_equal_u64(world.fake.taken[i], i);
    end(&world);
}

TEST(a_target_that_is_down_is_left_alone_and_tried_with_one_batch)
{
    struct world world = {0};
    begin(&world, &usual);
    store_records(&world, 1, 100);
    for (int i = 0; i < 3; i++)
        answer(&world, TARGET_DOWN);
    struct delivery_view view;
    delivery_look(world.delivery, &view);
    expect(view.is_held);
    expect_equal_text(view.last_failure.text, "because");
    expect_equal_u64(world.fake.sent_count, 0);
    uint32_t sends = world.fake.sends;
    pass(&world, 501);
    expect_equal_u64(world.fake.sends, sends + 1);
    answer(&world, TARGET_DOWN);
    pass(&world, 400);
    expect_equal_u64(world.fake.sends, sends + 1);
    pass(&world, 101);
    answer(&world, TARGET_DELIVERED);
    delivery_look(world.delivery, &view);
    expect(!view.is_held);
    while (world.fake.sent_count > 0)
        answer(&world, TARGET_DELIVERED);
    expect_equal_u64(low_mark(&world), 100);
    for (uint32_t i = 0; i < 100; i++)
        expect_equal_u64(world.fake.taken[i], i);
    end(&world);
}

TEST(while_a_target_is_down_no_more_is_read_than_what_may_be_in_flight)
{
    struct world world = {0};
    begin(&world, &usual);
    store_records(&world, 1, 1000);
    for (int i = 0; i < 3; i++)
        answer(&world, TARGET_DOWN);
    struct delivery_view view;
    delivery_look(world.delivery, &view);
    expect(view.in_flight <= usual.in_flight);
    end(&world);
}

TEST(a_record_that_never_fits_does_not_stop_those_of_other_keys)
{
    struct world world = {0};
    begin(&world, &usual);
    world.fake.too_large = 1;
    store_records(&world, 1, 2);
    test_append_store(world.store, &world.topic, 0,
                      (struct test_records){.key = "other", .value = "v", .seq = 9, .count = 1});
    settle(&world);
    while (world.fake.sent_count > 0)
        answer(&world, TARGET_DELIVERED);
    expect_equal_u64(world.fake.taken_count, 2);
    expect_equal_u64(world.fake.taken[1], 2);
    expect_equal_u64(low_mark(&world), 1);
    end(&world);
}

TEST(a_drain_waits_for_what_is_in_flight_and_gives_back_the_rest)
{
    struct world world = {0};
    begin(&world, &usual);
    store_records(&world, 1, 100);
    delivery_drain(world.delivery, on_drained, &world);
    settle(&world);
    expect(!world.is_drained);
    answer(&world, TARGET_DELIVERED);
    expect(world.is_drained);
    expect_equal_u64(world.fake.sent_count, 0);
    expect_equal_u64(low_mark(&world), 10);
    end(&world);
}

TEST(a_new_delivery_of_the_name_goes_on_after_what_is_completed)
{
    struct world world = {0};
    begin(&world, &usual);
    store_records(&world, 1, 15);
    answer(&world, TARGET_DELIVERED);
    delivery_drain(world.delivery, on_drained, &world);
    answer(&world, TARGET_RETRY);
    expect(world.is_drained);
    world.delivery = delivery_free(world.delivery);
    settle(&world);
    open_delivery(&world, &usual);
    settle(&world);
    expect_equal_u64(world.fake.sent[0]->offsets[0], 10);
    expect_equal_u64(world.fake.sent[0]->count, 5);
    answer(&world, TARGET_DELIVERED);
    end(&world);
}

TEST_MAIN(a_lone_record_goes_at_once_and_is_done_when_it_is_taken,
          while_a_batch_is_in_flight_the_next_is_gathered_up_to_its_limits,
          a_batch_that_was_not_taken_goes_again_after_the_back_off_before_all_others,
          a_target_that_is_down_is_left_alone_and_tried_with_one_batch,
          while_a_target_is_down_no_more_is_read_than_what_may_be_in_flight,
          a_record_that_never_fits_does_not_stop_those_of_other_keys,
          a_drain_waits_for_what_is_in_flight_and_gives_back_the_rest,
          a_new_delivery_of_the_name_goes_on_after_what_is_completed)
