/* Tests the operation `groups` of the control socket. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/group_desk.h"

#include <stdio.h>

#include "door/control_door.h"
#include "door/group_home.h"
#include "store/store_memory.h"
#include "support/loop_simulated.h"
#include "support/stream_memory.h"
#include "support/test.h"
#include "support/test_append.h"

struct fixture {
    struct loop_simulated simulated;
    struct store *store;
    struct store_topic topic;
    struct group_home home;
    struct group_desk desk;
    struct control_door control;
    struct stream_memory *client;
};

static void begin(struct fixture *fixture, uint64_t seed)
{
    struct groups_settings settings = {.seed = seed};
    *fixture = (struct fixture){.client = NULL};
    loop_simulated_init(&fixture->simulated, seed);
    struct loop *loop = &fixture->simulated.loop;
    fixture->simulated.clock.wall_ns = 1795334400123 * CLOCK_NS_PER_MS;
    struct store *store = store_memory_new(&fixture->simulated.clock.clock);
    uint32_t sequence;
    fixture->store = store;
    expect_fine(store->ops->topic_open(store, span_from_text("orders"), 2, true, &fixture->topic));
    expect_fine(store->ops->sequence_open(store, span_from_text("default"), &sequence));
    expect_fine(group_home_init(&fixture->home, store, loop, &settings));
    fixture->desk = (struct group_desk){store, loop, fixture->home.groups};
    control_door_init(&fixture->control, loop, "control", store,
                      (struct control_options){.operations = group_desk_operations(&fixture->desk)});
    fixture->client = stream_memory_new(&fixture->simulated);
    door_take_stream(&fixture->control.door, &fixture->client->stream);
}

static void end(struct fixture *fixture)
{
    if (!fixture->client->is_closed)
        stream_memory_cut(fixture->client);
    loop_simulated_settle(&fixture->simulated);
    stream_memory_free(fixture->client);
    control_door_done(&fixture->control);
    group_home_done(&fixture->home);
    store_memory_free(fixture->store);
    loop_simulated_done(&fixture->simulated);
}

static struct group *group_named(struct fixture *fixture, const char *name)
{
    struct group *group;
    expect_fine(groups_open(fixture->home.groups, span_from_text(name), &group));
    return group;
}

static void settle(struct fixture *fixture, const char *name, uint64_t offset, uint32_t count)
{
    struct group *group = group_named(fixture, name);
    struct store_settled settled = {.group = group_id(group),
                                    .topic = fixture->topic.id,
                                    .partition = 1,
                                    .offset = offset,
                                    .count = count,
                                    .outcome = STORE_OUTCOME_DONE};
    expect_fine(group_settle_unseen(group, &settled, 1, NULL, NULL, NULL));
    loop_simulated_settle(&fixture->simulated);
}

static void expect_answer(struct fixture *fixture, const char *request, const char *answer)
{
    stream_memory_forget(fixture->client);
    stream_memory_send_text(fixture->client, request);
    loop_simulated_settle(&fixture->simulated);
    expect_span_is(stream_memory_received(fixture->client), answer);
}

static void on_nothing(void *owner)
{
    (void)owner;
}

TEST(without_groups_the_answer_is_empty)
{
    struct fixture fixture;
    begin(&fixture, 1);
    expect_answer(&fixture, "{\"op\":\"groups\"}\n", "{\"ok\":true}\n");
    expect_answer(&fixture, "{\"op\":\"groups\",\"x\":1}\n",
                  "{\"ok\":false,\"code\":\"BAD_INPUT\",\"text\":\"\\\"x\\\" is not known\"}\n");
    end(&fixture);
}

TEST(group_says_how_far_it_is_in_each_partition_that_it_has_begun)
{
    struct fixture fixture;
    begin(&fixture, 2);
    test_append_store(fixture.store, &fixture.topic, 1,
                      (struct test_records){.value = "v", .seq = 1, .count = 10});
    settle(&fixture, "g", 0, 3);
    settle(&fixture, "g", 5, 2);
    expect_answer(&fixture, "{\"op\":\"groups\"}\n",
                  "{\"group\":\"g\",\"named\":false,\"done\":true,\"active_at\":1795334400123,"
                  "\"topic\":\"orders\",\"partition\":1,\"low\":3,\"end\":10,\"lag\":5,\"open\":0,"
                  "\"members\":0}\n{\"ok\":true}\n");
    end(&fixture);
}

TEST(members_and_what_they_hold_are_shown_and_a_group_that_did_nothing_yet_has_a_line_too)
{
    static const struct group_member_events events = {.on_ready = on_nothing};
    struct fixture fixture;
    begin(&fixture, 3);
    test_append_store(fixture.store, &fixture.topic, 1,
                      (struct test_records){.value = "v", .seq = 1, .count = 3});
    struct group_member_settings settings = {
        .topic = fixture.topic.id, .partition = 1, .window = 10, .by = span_from_text("me")};
    struct group_member *member;
    struct group_item item;
    expect_fine(group_join(group_named(&fixture, "g"), &settings, &events, &member));
    loop_simulated_settle(&fixture.simulated);
    expect_fine(group_member_next(member, &item));
    expect_fine(group_member_next(member, &item));
    (void)group_named(&fixture, "idle");
    loop_simulated_pass(&fixture.simulated, 7 * CLOCK_NS_PER_MS);
    stream_memory_send_text(fixture.client, "{\"op\":\"groups\"}\n");
    loop_simulated_settle(&fixture.simulated);
    struct span received = stream_memory_received(fixture.client);
    static const char shown[] =
        "\"low\":0,\"end\":3,\"lag\":3,\"open\":2,\"members\":1,\"oldest_open_ms\":7}\n"
        "{\"group\":\"idle\",\"named\":false,\"done\":false,\"active_at\":1795334400123}\n"
        "{\"ok\":true}\n";
    expect(received.len > sizeof shown);
    expect_span_is(span_after(received, received.len - (sizeof shown - 1)), shown);
    member = group_leave(member);
    end(&fixture);
}

TEST(very_many_partitions_are_told_in_pieces_to_a_peer_that_may_stall_or_leave)
{
    enum { GROUPS = 30, PARTITIONS = 1000 };
    struct fixture fixture;
    begin(&fixture, 4);
    struct store_topic wide;
    expect_fine(
        fixture.store->ops->topic_open(fixture.store, span_from_text("wide"), PARTITIONS, true, &wide));
    for (uint32_t i = 0; i < GROUPS; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "group-%u", i);
        struct group *group = group_named(&fixture, name);
        static struct store_settled settled[PARTITIONS];
        for (uint32_t partition = 0; partition < PARTITIONS; partition++)
            settled[partition] = (struct store_settled){.group = group_id(group),
                                                        .topic = wide.id,
                                                        .partition = partition,
                                                        .count = 1,
                                                        .outcome = STORE_OUTCOME_DONE};
        expect_fine(group_settle_unseen(group, settled, PARTITIONS, NULL, NULL, NULL));
        loop_simulated_settle(&fixture.simulated);
    }
    stream_memory_stall(fixture.client, true);
    stream_memory_send_text(fixture.client, "{\"op\":\"groups\"}\n");
    loop_simulated_settle(&fixture.simulated);
    expect(fixture.client->queue.len < 3 * STREAM_WRITE_QUEUE_MAX);
    stream_memory_stall(fixture.client, false);
    loop_simulated_settle(&fixture.simulated);
    struct span received = stream_memory_received(fixture.client);
    unsigned lines = 0;
    for (size_t at = 0; at < received.len; at++)
        lines += received.data[at] == '\n';
    expect_equal_u64(lines, GROUPS * PARTITIONS + 1);
    stream_memory_send_text(fixture.client, "{\"op\":\"groups\"}\n");
    for (unsigned turn = 0; turn < 10; turn++)
        (void)loop_simulated_turn(&fixture.simulated);
    end(&fixture);
}

TEST_MAIN(without_groups_the_answer_is_empty,
          group_says_how_far_it_is_in_each_partition_that_it_has_begun,
          members_and_what_they_hold_are_shown_and_a_group_that_did_nothing_yet_has_a_line_too,
          very_many_partitions_are_told_in_pieces_to_a_peer_that_may_stall_or_leave)
