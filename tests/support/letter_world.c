/* Live groups with parking, replays and audit over a store in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/letter_world.h"

#include "deadletter/dead_letter.h"
#include "store/record_loader.h"
#include "support/test.h"
#include "support/test_append.h"

static void on_due(void *owner, int64_t after_ns)
{
    struct letter_world *world = owner;
    world->due_ns = world->groups.clock.now_ns + after_ns;
}

void letter_world_start(struct letter_world *world)
{
    struct group_world *groups = &world->groups;
    struct audit_settings settings = {.topic = span_from_text("waybill.audit"), .consume = true};
    expect_fine(audit_new(groups->store, &groups->mailbox, &groups->clock.clock, &settings, &world->audit));
    groups->settings.on_commit = audit_add_done;
    groups->settings.commit_owner = world->audit;
    group_world_start(groups);
    struct replay_seams seams = {groups->store, groups->groups, &groups->mailbox, &groups->clock.clock,
                                 world->audit};
    struct replays_events events = {on_due, world};
    world->due_ns = INT64_MAX;
    expect_fine(replays_new(&seams, &events, &world->replays));
    struct parking_replays for_parking = replays_for_parking(world->replays);
    expect_fine(parking_new(groups->store, &groups->mailbox, &groups->clock.clock, world->audit, &for_parking,
                            &world->parking));
}

static void stop(struct letter_world *world)
{
    letter_world_turn(world);
    world->replays = replays_free(world->replays);
    letter_world_turn(world);
    expect(parking_is_idle(world->parking));
    world->parking = parking_free(world->parking);
    group_world_stop(&world->groups);
    expect(audit_is_idle(world->audit));
    world->audit = audit_free(world->audit);
    (void)mailbox_deliver(&world->groups.mailbox);
}

void letter_world_begin(struct letter_world *world, uint32_t partitions)
{
    *world = (struct letter_world){.due_ns = INT64_MAX};
    group_world_begin(&world->groups, partitions);
    group_world_stop(&world->groups);
    letter_world_start(world);
}

void letter_world_end(struct letter_world *world)
{
    store_memory_hold(world->groups.store, false);
    stop(world);
    world->groups.settings.on_commit = NULL;
    group_world_start(&world->groups);
    group_world_end(&world->groups);
}

void letter_world_crash(struct letter_world *world)
{
    store_memory_set_state(world->groups.store, STORE_BROKEN);
    store_memory_hold(world->groups.store, false);
    stop(world);
    store_memory_set_state(world->groups.store, STORE_OPEN);
}

void letter_world_turn(struct letter_world *world)
{
    group_world_turn(&world->groups);
}

/* In steps as small as the pace's, so that every step that is due comes in its time. */
void letter_world_pass(struct letter_world *world, int64_t ns)
{
    for (int64_t left = ns; left > 0; left -= REPLAY_PACE_STEP_NS) {
        group_world_pass(&world->groups, left < REPLAY_PACE_STEP_NS ? left : REPLAY_PACE_STEP_NS);
        if (world->groups.clock.now_ns < world->due_ns)
            continue;
        world->due_ns = INT64_MAX;
        replays_step(world->replays);
        letter_world_turn(world);
    }
}

void letter_world_produce(struct letter_world *world, uint32_t partition, uint64_t seq, uint32_t count)
{
    test_append_store(world->groups.store, &world->groups.topic, partition,
                      (struct test_records){.key = "k", .value = "v", .seq = seq, .count = count});
    letter_world_turn(world);
}

static struct store_topic find_topic(struct letter_world *world, const char *name)
{
    struct store_topic topic;
    expect_fine(
        world->groups.store->ops->topic_open(world->groups.store, span_from_text(name), 0, false, &topic));
    return topic;
}

void letter_world_join(struct letter_world *world,
                       struct test_member *member,
                       const char *group,
                       const char *topic)
{
    struct group_member_settings settings = {
        .topic = find_topic(world, topic).id,
        .partition = GROUP_ALL_PARTITIONS,
        .window = 100000,
        .by = span_from_text("127.0.0.1:7"),
    };
    test_member_join(member, group_world_group(&world->groups, group), &settings);
    letter_world_turn(world);
}

unsigned letter_world_take(struct letter_world *world, struct test_member *member)
{
    struct group_item item;
    enum err err;
    world->given_count = 0;
    letter_world_turn(world);
    for (;;) {
        err = group_member_next(member->member, &item);
        if (err == ERR_AGAIN) {
            member->ready = 0;
            letter_world_turn(world);
            if (member->ready == 0)
                return world->given_count;
            continue;
        }
        expect_fine(err);
        if (world->given_count < sizeof world->given / sizeof world->given[0])
            world->given[world->given_count] = item.seq;
        world->given_count++;
    }
}

void letter_world_done(struct letter_world *world, struct test_member *member, uint64_t from, uint64_t to)
{
    struct group_select select = {.from = from, .to = to};
    expect(group_member_done(member->member, &select, 0) > 0);
    letter_world_turn(world);
}

static void on_parked(void *owner, enum err err)
{
    struct letter_world *world = owner;
    world->parked++;
    world->parked_err = err;
}

void letter_world_fail(struct letter_world *world,
                       struct test_member *member,
                       const char *topic,
                       uint64_t from,
                       uint64_t to,
                       const char *reason)
{
    struct group_claim *claims[256];
    struct group_select select = {.from = from, .to = to};
    uint32_t count = group_member_claim(member->member, &select, claims, 256);
    expect(count > 0);
    struct parking_fault fault = {
        .topic = find_topic(world, topic).id,
        .group = group_name(group_member_group(member->member)),
        .reason = span_from_text(reason),
        .actor = AUDIT_SUBSCRIBER,
    };
    expect_fine(parking_fail(world->parking, claims, count, &fault, on_parked, world));
    letter_world_turn(world);
}

static void on_started(void *owner, uint64_t id, enum err err)
{
    struct letter_world *world = owner;
    expect(id > 0);
    world->started++;
    world->started_err = err;
}

uint64_t letter_world_replay(struct letter_world *world, struct replay_order order)
{
    struct why why = {""};
    uint64_t id;
    unsigned started = world->started;
    if (order.topic.len == 0)
        order.topic = span_from_text("orders.dlq");
    order.by = span_from_text("operator");
    enum err err = replays_start(world->replays, &order, on_started, world, &why, &id);
    if (err != ERR_NONE)
        test_fail("%s: %s", err_name(err), why.text);
    expect_equal_u64(world->started, started);
    letter_world_turn(world);
    expect_equal_u64(world->started, started + 1);
    return id;
}

struct replay_view letter_world_look(struct letter_world *world, uint64_t id)
{
    struct replay_view view;
    const struct replay *replay;
    expect_fine(replays_look(world->replays, id, &view, &replay));
    return view;
}

enum store_outcome letter_world_outcome(
    struct letter_world *world, const char *group, const char *topic, uint32_t partition, uint64_t offset)
{
    uint32_t id;
    struct store *store = world->groups.store;
    struct store_position position = {find_topic(world, topic).id, partition, offset};
    if (store->outcomes->group_open(store, span_from_text(group), false, &id) != ERR_NONE)
        return STORE_OUTCOME_OPEN;
    return store->outcomes->outcome(store, id, position);
}

uint64_t letter_world_end_of(struct letter_world *world, const char *topic, uint32_t partition)
{
    struct store_extent extent;
    struct store_topic found;
    struct store *store = world->groups.store;
    if (store->ops->topic_open(store, span_from_text(topic), 0, false, &found) != ERR_NONE)
        return 0;
    expect_fine(store->ops->extent(store, found.id, partition, &extent));
    return extent.end;
}

struct dead_letter letter_world_letter(struct letter_world *world,
                                       const char *topic,
                                       uint32_t partition,
                                       uint64_t offset,
                                       struct record *ret_record)
{
    static struct record_loader loader;
    static struct record_cursor kept;
    struct store_position position = {find_topic(world, topic).id, partition, offset};
    struct dead_letter letter;
    uint32_t headers;
    if (loader.store != NULL)
        record_loader_done(&loader);
    record_loader_init(&loader, world->groups.store, &world->groups.mailbox, NULL, NULL);
    expect_fine(record_loader_load(&loader, &position, ret_record));
    kept = loader.cursor;
    ret_record->headers = kept.headers;
    expect(dead_letter_read(ret_record, &letter, &headers));
    return letter;
}
