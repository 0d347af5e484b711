/* Live groups over a store in memory, with a clock that stands. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/group_world.h"

#include "support/test.h"

static void stay_asleep(void *owner)
{
    (void)owner;
}

static void on_work(void *owner)
{
    struct group_world *world = owner;
    world->is_work_wanted = true;
}

static void on_due(void *owner, int64_t after_ns)
{
    struct group_world *world = owner;
    int64_t due_ns = world->clock.now_ns + after_ns;
    world->due_ns = due_ns < world->due_ns ? due_ns : world->due_ns;
}

void group_world_start(struct group_world *world)
{
    struct groups_events events = {.on_work = on_work, .on_due = on_due, .owner = world};
    world->is_work_wanted = false;
    world->due_ns = INT64_MAX;
    expect_fine(groups_new(world->store, &world->mailbox, &world->clock.clock, &world->settings, &events,
                           &world->groups));
}

void group_world_begin(struct group_world *world, uint32_t partitions)
{
    *world = (struct group_world){.due_ns = INT64_MAX};
    clock_fake_init(&world->clock, 1700000000 * CLOCK_NS_PER_S);
    world->store = store_memory_new(&world->clock.clock);
    mailbox_init(&world->mailbox, stay_asleep, NULL);
    expect_fine(world->store->ops->topic_open(world->store, span_from_text("orders"), partitions, true,
                                              &world->topic));
    uint32_t sequence; /* of the records' numbers */
    expect_fine(world->store->ops->sequence_open(world->store, span_from_text("default"), &sequence));
    group_world_start(world);
}

void group_world_turn(struct group_world *world)
{
    while (mailbox_deliver(&world->mailbox) > 0 || world->is_work_wanted) {
        world->is_work_wanted = false;
        groups_step(world->groups);
    }
}

void group_world_pass(struct group_world *world, int64_t ns)
{
    clock_fake_advance(&world->clock, ns);
    if (world->clock.now_ns >= world->due_ns) {
        world->due_ns = INT64_MAX;
        world->is_work_wanted = true;
    }
    group_world_turn(world);
}

void group_world_stop(struct group_world *world)
{
    group_world_turn(world);
    expect(groups_is_idle(world->groups));
    world->groups = groups_free(world->groups);
    (void)mailbox_deliver(&world->mailbox);
}

void group_world_end(struct group_world *world)
{
    store_memory_hold(world->store, false);
    group_world_stop(world);
    mailbox_done(&world->mailbox);
    expect_null(store_memory_free(world->store));
}

struct group *group_world_group(struct group_world *world, const char *name)
{
    struct group *group;
    expect_fine(groups_open(world->groups, span_from_text(name), &group));
    return group;
}

static void on_ready(void *owner)
{
    struct test_member *test = owner;
    test->ready++;
}

static void on_gap(void *owner, uint32_t topic, uint32_t partition, uint64_t from, uint64_t to)
{
    struct test_member *test = owner;
    (void)topic;
    (void)partition;
    test->gaps++;
    test->gap_from = from;
    test->gap_to = to;
}

static void on_lease_over(void *owner, uint64_t records)
{
    struct test_member *test = owner;
    test->lapsed += records;
}

void test_member_join(struct test_member *test,
                      struct group *group,
                      const struct group_member_settings *settings)
{
    struct group_member_events events = {
        .on_ready = on_ready, .on_gap = on_gap, .on_lease_over = on_lease_over, .owner = test};
    *test = (struct test_member){.ready = 0};
    expect_fine(group_join(group, settings, &events, &test->member));
}

void test_member_leave(struct test_member *test)
{
    test->member = group_leave(test->member);
}

static uint32_t find_group(struct group_world *world, const char *name)
{
    uint32_t group;
    expect_fine(world->store->outcomes->group_open(world->store, span_from_text(name), false, &group));
    return group;
}

struct store_progress group_world_progress(struct group_world *world, const char *group, uint32_t partition)
{
    struct store_progress progress;
    expect_fine(world->store->outcomes->progress(world->store, find_group(world, group), world->topic.id,
                                                 partition, &progress));
    return progress;
}

enum store_outcome
group_world_outcome(struct group_world *world, const char *group, uint32_t partition, uint64_t offset)
{
    struct store_position position = {world->topic.id, partition, offset};
    return world->store->outcomes->outcome(world->store, find_group(world, group), position);
}
