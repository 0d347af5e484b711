/* Tests the subscribe port, members of groups: over a store and streams in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/metric.h"
#include "door/group_home.h"
#include "door/line_writer.h"
#include "door/subscribe_door.h"
#include "store/store_memory.h"
#include "support/loop_simulated.h"
#include "support/stream_memory.h"
#include "support/test.h"
#include "support/test_append.h"

struct fixture {
    struct loop_simulated simulated;
    struct store *store;
    struct group_home home;
    struct store_topic topic; /* "t", one partition */
    struct subscribe_door subscribe;
    struct parking *parking;
};

static void begin(struct fixture *fixture, uint64_t seed)
{
    *fixture = (struct fixture){.store = NULL};
    loop_simulated_init(&fixture->simulated, seed);
    fixture->store = store_memory_new(&fixture->simulated.clock.clock);
    expect_fine(
        fixture->store->ops->topic_open(fixture->store, span_from_text("t"), 1, true, &fixture->topic));
    uint32_t sequence;
    expect_fine(fixture->store->ops->sequence_open(fixture->store, span_from_text("default"), &sequence));
    struct groups_settings settings = {.seed = 1};
    expect_fine(group_home_init(&fixture->home, fixture->store, &fixture->simulated.loop, &settings));
    expect_fine(parking_new(fixture->store, &fixture->simulated.loop.mailbox, fixture->simulated.loop.clock,
                            NULL, NULL, &fixture->parking));
    struct subscribe_options options = {.groups = fixture->home.groups,
                                        .parking = fixture->parking,
                                        .auto_create = true,
                                        .lease_ns = 60 * CLOCK_NS_PER_S};
    subscribe_door_init(&fixture->subscribe, &fixture->simulated.loop, "subscribe", fixture->store, options);
}

static void end(struct fixture *fixture)
{
    door_cut(&fixture->subscribe.door);
    loop_simulated_settle(&fixture->simulated);
    expect_equal_u64(fixture->subscribe.door.connection_count, 0);
    subscribe_door_done(&fixture->subscribe);
    fixture->parking = parking_free(fixture->parking);
    group_home_done(&fixture->home);
    (void)mailbox_deliver(&fixture->simulated.loop.mailbox);
    store_memory_free(fixture->store);
    expect_equal_u64(fixture->simulated.loop.queued_bytes, 0);
    loop_simulated_done(&fixture->simulated);
}

static struct stream_memory *connect(struct fixture *fixture, const char *words)
{
    struct stream_memory *peer = stream_memory_new(&fixture->simulated);
    door_take_stream(&fixture->subscribe.door, &peer->stream);
    stream_memory_send_text(peer, words);
    loop_simulated_settle(&fixture->simulated);
    return peer;
}

static void disconnect(struct fixture *fixture, struct stream_memory *peer)
{
    if (!peer->is_closed)
        stream_memory_cut(peer);
    loop_simulated_settle(&fixture->simulated);
    stream_memory_free(peer);
}

static void say(struct fixture *fixture, struct stream_memory *peer, const char *text)
{
    stream_memory_send_text(peer, text);
    loop_simulated_settle(&fixture->simulated);
}

static void expect_said(struct fixture *fixture, struct stream_memory *peer, const char *text)
{
    loop_simulated_settle(&fixture->simulated);
    expect_span_is(stream_memory_received(peer), text);
    stream_memory_forget(peer);
}

static void store_keyed(struct fixture *fixture, const char *key, uint64_t seq, uint32_t count)
{
    test_append_store(fixture->store, &fixture->topic, 0,
                      (struct test_records){.key = key, .value = "v", .seq = seq, .count = count});
    loop_simulated_settle(&fixture->simulated);
}

static enum store_outcome outcome_of(struct fixture *fixture, uint64_t offset)
{
    uint32_t group;
    struct store_position position = {fixture->topic.id, 0, offset};
    if (fixture->store->outcomes->group_open(fixture->store, span_from_text("g"), false, &group) != ERR_NONE)
        return STORE_OUTCOME_OPEN;
    return fixture->store->outcomes->outcome(fixture->store, group, position);
}

/* Lines of records with numbers from..to. */
static const char *lines(uint64_t from, uint64_t to, const char *key)
{
    static char text[64 * 1024];
    size_t len = 0;
    text[0] = '\0';
    for (uint64_t seq = from; seq <= to; seq++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%llu|%s|1700000000123|v\n",
                                (unsigned long long)seq, key);
    return text;
}

TEST(member_gets_all_from_the_start_and_done_is_silent_and_synced)
{
    struct fixture fixture;
    begin(&fixture, 1);
    store_keyed(&fixture, "k", 100, 3);
    struct stream_memory *peer = connect(&fixture, "SUBSCRIBE t GROUP g\n");
    expect_said(&fixture, peer, lines(100, 102, "k"));
    say(&fixture, peer, "DONE 101\nDONE 102\n");
    expect_said(&fixture, peer, "");
    expect(outcome_of(&fixture, 0) == STORE_OUTCOME_OPEN);
    expect(outcome_of(&fixture, 1) == STORE_OUTCOME_DONE);
    expect(outcome_of(&fixture, 2) == STORE_OUTCOME_DONE);
    disconnect(&fixture, peer);
    peer = connect(&fixture, "SUBSCRIBE t GROUP g FROM_END\n");
    expect_said(&fixture, peer, lines(100, 100, "k"));
    disconnect(&fixture, peer);
    end(&fixture);
}

TEST(what_was_not_given_and_what_is_done_twice_is_an_error)
{
    struct fixture fixture;
    begin(&fixture, 2);
    store_keyed(&fixture, "k", 100, 3);
    struct stream_memory *peer = connect(&fixture, "SUBSCRIBE t GROUP g\n");
    stream_memory_forget(peer);
    say(&fixture, peer,
        "DONE 99\nDONE 100\nDONE 100\nRETRY 100\nFAIL 100 x\nDONE 0:0\nDONE 90-101\nDONE 0:2\n");
    expect_said(&fixture, peer,
                "ERR NOT_OPEN 99 no such record is open on this connection\n"
                "ERR NOT_OPEN 100 no such record is open on this connection\n"
                "ERR NOT_OPEN 100 no such record is open on this connection\n"
                "ERR NOT_OPEN 100 no such record is open on this connection\n"
                "ERR NOT_OPEN 0:0 no such record is open on this connection\n");
    for (uint64_t offset = 0; offset < 3; offset++)
        expect(outcome_of(&fixture, offset) == STORE_OUTCOME_DONE);
    disconnect(&fixture, peer);
    end(&fixture);
}

TEST(window_bounds_what_is_open)
{
    struct fixture fixture;
    begin(&fixture, 3);
    store_keyed(&fixture, "k", 100, 5);
    struct stream_memory *peer = connect(&fixture, "SUBSCRIBE t GROUP g WINDOW 2\n");
    expect_said(&fixture, peer, lines(100, 101, "k"));
    say(&fixture, peer, "DONE 101\n");
    expect_said(&fixture, peer, lines(102, 102, "k"));
    say(&fixture, peer, "DONE 100-102\n");
    expect_said(&fixture, peer, lines(103, 104, "k"));
    disconnect(&fixture, peer);
    end(&fixture);
}

TEST(records_of_one_that_goes_come_to_the_other)
{
    struct fixture fixture;
    begin(&fixture, 4);
    int64_t returned = metric_get(METRIC_RECORDS_RETURNED);
    int64_t open = metric_get(METRIC_RECORDS_OPEN);
    struct stream_memory *first = connect(&fixture, "SUBSCRIBE t GROUP g\n");
    store_keyed(&fixture, "k", 100, 100);
    expect_said(&fixture, first, lines(100, 199, "k"));
    expect_equal_i64(metric_get(METRIC_RECORDS_OPEN) - open, 100);
    struct stream_memory *second = connect(&fixture, "SUBSCRIBE t GROUP g\n");
    expect_said(&fixture, second, "");
    say(&fixture, first, "DONE 105\n");
    disconnect(&fixture, first);
    char expected[8 * 1024];
    int len = snprintf(expected, sizeof expected, "%s", lines(100, 104, "k"));
    (void)snprintf(expected + len, sizeof expected - (size_t)len, "%s", lines(106, 199, "k"));
    expect_said(&fixture, second, expected);
    expect_equal_i64(metric_get(METRIC_RECORDS_RETURNED) - returned, 99);
    expect_equal_i64(metric_get(METRIC_RECORDS_OPEN) - open, 99);
    disconnect(&fixture, second);
    expect_equal_i64(metric_get(METRIC_RECORDS_OPEN) - open, 0);
    end(&fixture);
}

TEST(lease_that_is_over_returns_records_and_any_line_begins_it_anew)
{
    struct fixture fixture;
    begin(&fixture, 5);
    store_keyed(&fixture, "k", 100, 2);
    struct stream_memory *peer = connect(&fixture, "SUBSCRIBE t GROUP g\n");
    expect_said(&fixture, peer, lines(100, 101, "k"));
    loop_simulated_pass(&fixture.simulated, 50 * CLOCK_NS_PER_S);
    say(&fixture, peer, "DONE 1\n");
    stream_memory_forget(peer);
    loop_simulated_pass(&fixture.simulated, 50 * CLOCK_NS_PER_S);
    say(&fixture, peer, "DONE 100\n"); /* still its own */
    expect_said(&fixture, peer, "");
    loop_simulated_pass(&fixture.simulated, 61 * CLOCK_NS_PER_S);
    expect(!peer->is_closed);
    expect_said(&fixture, peer, "");
    say(&fixture, peer, "DONE 101\n");
    char expected[256];
    (void)snprintf(expected, sizeof expected,
                   "ERR NOT_OPEN 101 no such record is open on this connection\n%s", lines(101, 101, "k"));
    expect_said(&fixture, peer, expected);
    disconnect(&fixture, peer);
    end(&fixture);
}

TEST(member_that_half_closes_gives_its_records_back_at_once)
{
    struct fixture fixture;
    begin(&fixture, 6);
    struct stream_memory *peer = connect(&fixture, "SUBSCRIBE t GROUP g\n");
    store_keyed(&fixture, "k", 100, 2);
    expect_said(&fixture, peer, lines(100, 101, "k"));
    stream_memory_end(peer);
    loop_simulated_settle(&fixture.simulated);
    expect(peer->is_closed);
    disconnect(&fixture, peer);
    peer = connect(&fixture, "SUBSCRIBE t GROUP g\n");
    expect_said(&fixture, peer, lines(100, 101, "k"));
    disconnect(&fixture, peer);
    end(&fixture);
}

TEST(member_that_half_closes_is_closed_when_what_it_settled_is_synced)
{
    struct fixture fixture;
    begin(&fixture, 7);
    store_keyed(&fixture, "k", 100, 5);
    struct stream_memory *peer = connect(&fixture, "SUBSCRIBE t GROUP g\n");
    stream_memory_forget(peer);
    store_memory_hold(fixture.store, true);
    say(&fixture, peer, "DONE 100-102\n");
    stream_memory_end(peer);
    loop_simulated_settle(&fixture.simulated);
    expect(!peer->is_closed);
    store_memory_hold(fixture.store, false);
    store_memory_finish(fixture.store, 100);
    loop_simulated_settle(&fixture.simulated);
    expect(peer->is_closed);
    expect_err(peer->close_err, ERR_NONE);
    expect(outcome_of(&fixture, 2) == STORE_OUTCOME_DONE);
    expect(outcome_of(&fixture, 3) == STORE_OUTCOME_OPEN);
    disconnect(&fixture, peer);
    end(&fixture);
}

TEST(connection_that_breaks_while_its_outcomes_are_under_way_lives_until_they_are_synced)
{
    struct fixture fixture;
    begin(&fixture, 8);
    store_keyed(&fixture, "k", 100, 5);
    struct stream_memory *peer = connect(&fixture, "SUBSCRIBE t GROUP g\n");
    store_memory_hold(fixture.store, true);
    say(&fixture, peer, "DONE 100-102\n");
    stream_memory_end(peer);
    loop_simulated_settle(&fixture.simulated);
    disconnect(&fixture, peer);
    expect_equal_u64(fixture.subscribe.door.connection_count, 1);
    store_memory_hold(fixture.store, false);
    store_memory_finish(fixture.store, 100);
    loop_simulated_settle(&fixture.simulated);
    expect_equal_u64(fixture.subscribe.door.connection_count, 0);
    end(&fixture);
}

static uint64_t letters_of(struct fixture *fixture)
{
    struct store_topic letters;
    struct store_extent extent;
    struct store *store = fixture->store;
    if (store->ops->topic_open(store, span_from_text("t.dlq"), 0, false, &letters) != ERR_NONE)
        return 0;
    expect_fine(store->ops->extent(store, letters.id, 0, &extent));
    return extent.end;
}

TEST(fail_is_parked_and_waited_for)
{
    struct fixture fixture;
    begin(&fixture, 9);
    store_keyed(&fixture, "k", 100, 2);
    struct stream_memory *peer = connect(&fixture, "SUBSCRIBE t GROUP g\n");
    stream_memory_forget(peer);
    store_memory_hold(fixture.store, true);
    say(&fixture, peer, "FAIL 100 no such customer\nDONE 100\n");
    expect_said(&fixture, peer, "ERR NOT_OPEN 100 no such record is open on this connection\n");
    stream_memory_end(peer);
    loop_simulated_settle(&fixture.simulated);
    expect(!peer->is_closed);
    store_memory_hold(fixture.store, false);
    store_memory_finish(fixture.store, 100);
    loop_simulated_settle(&fixture.simulated);
    expect(peer->is_closed);
    expect(outcome_of(&fixture, 0) == STORE_OUTCOME_DEAD);
    expect_equal_u64(letters_of(&fixture), 1);
    disconnect(&fixture, peer);
    end(&fixture);
}

TEST(what_cannot_be_parked_is_given_again)
{
    struct fixture fixture;
    begin(&fixture, 16);
    store_memory_set_topics_max(fixture.store, 1);
    store_keyed(&fixture, "k", 100, 2);
    struct stream_memory *peer = connect(&fixture, "SUBSCRIBE t GROUP g\n");
    stream_memory_forget(peer);
    say(&fixture, peer, "FAIL 100 no such customer\n");
    expect_said(&fixture, peer, lines(100, 100, "k"));
    expect(outcome_of(&fixture, 0) == STORE_OUTCOME_OPEN);
    disconnect(&fixture, peer);
    end(&fixture);
}

TEST(retry_comes_again_after_its_delay_and_before_later_records_of_its_key)
{
    struct fixture fixture;
    begin(&fixture, 10);
    store_keyed(&fixture, "k", 100, 1);
    struct stream_memory *peer = connect(&fixture, "SUBSCRIBE t GROUP g WINDOW 1\n");
    stream_memory_forget(peer);
    say(&fixture, peer, "RETRY 100 5s\n");
    store_keyed(&fixture, "k", 101, 1);
    store_keyed(&fixture, "other", 200, 1);
    expect_said(&fixture, peer, lines(200, 200, "other"));
    say(&fixture, peer, "DONE 200\n");
    expect_said(&fixture, peer, "");
    loop_simulated_pass(&fixture.simulated, 5 * CLOCK_NS_PER_S);
    expect_said(&fixture, peer, lines(100, 100, "k"));
    say(&fixture, peer, "DONE 100\n");
    expect_said(&fixture, peer, lines(101, 101, "k"));
    disconnect(&fixture, peer);
    end(&fixture);
}

TEST(two_members_name_different_topics)
{
    struct fixture fixture;
    begin(&fixture, 11);
    store_keyed(&fixture, "k", 100, 1);
    struct stream_memory *one = connect(&fixture, "SUBSCRIBE t GROUP g\n");
    struct stream_memory *two = connect(&fixture, "SUBSCRIBE u GROUP g\n");
    expect_said(&fixture, one, lines(100, 100, "k"));
    expect_said(&fixture, two, "");
    say(&fixture, two, "DONE 100\n");
    expect_said(&fixture, two, "ERR NOT_OPEN 100 no such record is open on this connection\n");
    disconnect(&fixture, one);
    expect_said(&fixture, two, "");
    disconnect(&fixture, two);
    end(&fixture);
}

TEST(member_that_never_reads_holds_its_window_and_others_go_on)
{
    enum { RECORDS = 200 };
    static char value[20001];
    struct fixture fixture;
    begin(&fixture, 12);
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    struct stream_memory *stalled = connect(&fixture, "SUBSCRIBE t GROUP g\n");
    struct stream_memory *other = connect(&fixture, "SUBSCRIBE t GROUP other\n");
    stream_memory_stall(stalled, true);
    for (uint32_t i = 0; i < RECORDS; i++)
        test_append_store(fixture.store, &fixture.topic, 0,
                          (struct test_records){.value = value, .seq = 1000 + i, .count = 1});
    loop_simulated_settle(&fixture.simulated);
    expect_equal_u64(stream_memory_received(other).len,
                     RECORDS * strlen("1000||1700000000123|\n") + RECORDS * 20000);
    expect(stalled->queue.len < 2 * STREAM_WRITE_QUEUE_MAX);
    stream_memory_stall(stalled, false);
    loop_simulated_settle(&fixture.simulated);
    expect_equal_span(stream_memory_received(stalled), stream_memory_received(other));
    disconnect(&fixture, stalled);
    disconnect(&fixture, other);
    end(&fixture);
}

TEST(gap_of_a_group_is_told_to_who_has_greeted)
{
    struct fixture fixture;
    begin(&fixture, 13);
    store_keyed(&fixture, "k", 100, 5);
    store_memory_expire(fixture.store, fixture.topic.id, 0, 3);
    struct stream_memory *peer = connect(&fixture, "HELLO 1\nSUBSCRIBE t GROUP g FROM 1\n");
    loop_simulated_settle(&fixture.simulated);
    struct span received = stream_memory_received(peer);
    expect(memmem(received.data, received.len, "GAP t 0 1-2\n", 12) != NULL);
    expect(memmem(received.data, received.len, "103|k|", 6) != NULL);
    disconnect(&fixture, peer);
    end(&fixture);
}

TEST(illegal_groups_windows_and_partitions_are_refused)
{
    struct fixture fixture;
    begin(&fixture, 14);
    struct stream_memory *peer =
        connect(&fixture, "SUBSCRIBE t GROUP a/b\nSUBSCRIBE t GROUP g FROM 1:0\nSUBSCRIBE t GROUP g\n");
    expect_said(&fixture, peer,
                "ERR BAD_GROUP not a legal group name\nERR BAD_PARTITION no such partition\n");
    store_keyed(&fixture, "k", 100, 1);
    expect_said(&fixture, peer, lines(100, 100, "k"));
    disconnect(&fixture, peer);
    end(&fixture);
}

TEST(drain_lets_members_go_without_their_open_records)
{
    struct fixture fixture;
    begin(&fixture, 15);
    store_keyed(&fixture, "k", 100, 5);
    struct stream_memory *peer = connect(&fixture, "HELLO 1\nSUBSCRIBE t GROUP g\n");
    stream_memory_forget(peer);
    say(&fixture, peer, "DONE 100\n");
    door_drain(&fixture.subscribe.door, NULL, NULL);
    expect_said(&fixture, peer, "ERR DRAINING the program is stopping\n");
    expect(peer->is_closed);
    expect(outcome_of(&fixture, 0) == STORE_OUTCOME_DONE);
    disconnect(&fixture, peer);
    end(&fixture);
}

/* --- Random schedules --------------------------------------------------------------------------- */

enum { MEMBERS = 3, RECORDS_MAX = 400, KEYS = 5 };

struct consumer {
    struct stream_memory *peer;
    size_t parsed;
    uint64_t open[RECORDS_MAX];
    uint32_t open_count;
};

struct world {
    struct fixture fixture;
    struct consumer consumers[MEMBERS];
    uint64_t stored;
    bool is_done[RECORDS_MAX + 1]; /* somebody has said so */
    uint64_t last_of_key[KEYS];    /* given first: later ones of a key must not come before */
};

static void go(struct world *world, struct consumer *consumer)
{
    if (consumer->peer == NULL)
        return;
    disconnect(&world->fixture, consumer->peer);
    *consumer = (struct consumer){.peer = NULL};
}

static void read_lines(struct world *world, struct consumer *consumer)
{
    struct span rest = span_after(stream_memory_received(consumer->peer), consumer->parsed);
    for (size_t end; (end = span_find(rest, '\n')) < rest.len; rest = span_after(rest, end + 1)) {
        uint64_t seq;
        expect(span_to_u64(span_of(rest.data, span_find(rest, '|')), &seq));
        expect(seq >= 1 && seq <= world->stored);
        if (seq > world->last_of_key[seq % KEYS]) {
            uint64_t next = world->last_of_key[seq % KEYS] == 0 ? (seq % KEYS == 0 ? KEYS : seq % KEYS)
                                                                : world->last_of_key[seq % KEYS] + KEYS;
            expect_equal_u64(seq, next); /* the first time in the order of its key */
            world->last_of_key[seq % KEYS] = seq;
        }
        consumer->open[consumer->open_count++] = seq;
        consumer->parsed += end + 1;
    }
}

static void settle_one(struct world *world, struct consumer *consumer)
{
    if (consumer->open_count == 0)
        return;
    char text[64];
    uint32_t which = (uint32_t)random_below(&world->fixture.simulated.random, consumer->open_count);
    uint64_t seq = consumer->open[which];
    consumer->open[which] = consumer->open[--consumer->open_count];
    bool is_retry = random_below(&world->fixture.simulated.random, 10) == 0;
    (void)snprintf(text, sizeof text, is_retry ? "RETRY %llu 1s\n" : "DONE %llu\n", (unsigned long long)seq);
    stream_memory_send_text(consumer->peer, text);
    world->is_done[seq] |= !is_retry;
}

static void step(struct world *world)
{
    struct random *random = &world->fixture.simulated.random;
    struct consumer *consumer = &world->consumers[random_below(random, MEMBERS)];
    uint64_t what = random_below(random, 20);
    if (consumer->peer == NULL) {
        consumer->peer = connect(&world->fixture, "SUBSCRIBE t GROUP g WINDOW 7\n");
    } else if (what == 0) {
        go(world, consumer);
    } else if (what < 4 && world->stored < RECORDS_MAX) {
        char key[2] = {(char)('a' + (world->stored + 1) % KEYS), '\0'};
        store_keyed(&world->fixture, key, world->stored + 1, 1);
        world->stored++;
    } else if (what < 6) {
        loop_simulated_pass(&world->fixture.simulated, CLOCK_NS_PER_S);
    } else {
        settle_one(world, consumer);
        loop_simulated_turn(&world->fixture.simulated);
    }
    if (consumer->peer != NULL)
        read_lines(world, consumer);
}

TEST(nothing_is_lost_and_keys_keep_their_order_whoever_comes_and_goes)
{
    for (uint64_t seed = 100; seed < 130; seed++) {
        static struct world world;
        world = (struct world){.stored = 0};
        begin(&world.fixture, seed);
        for (unsigned i = 0; i < 1500; i++)
            step(&world);
        for (unsigned i = 0; i < MEMBERS; i++)
            go(&world, &world.consumers[i]);
        loop_simulated_pass(&world.fixture.simulated, 2 * CLOCK_NS_PER_S);
        struct stream_memory *last = connect(&world.fixture, "SUBSCRIBE t GROUP g WINDOW 1000\n");
        bool came[RECORDS_MAX + 1] = {false};
        struct span rest = stream_memory_received(last);
        for (size_t end; (end = span_find(rest, '\n')) < rest.len; rest = span_after(rest, end + 1)) {
            uint64_t seq;
            expect(span_to_u64(span_of(rest.data, span_find(rest, '|')), &seq));
            came[seq] = true;
        }
        for (uint64_t seq = 1; seq <= world.stored; seq++)
            expect(came[seq] || world.is_done[seq]); /* what nobody was done with comes again */
        disconnect(&world.fixture, last);
        end(&world.fixture);
    }
}

TEST_MAIN(member_gets_all_from_the_start_and_done_is_silent_and_synced,
          what_was_not_given_and_what_is_done_twice_is_an_error,
          window_bounds_what_is_open,
          records_of_one_that_goes_come_to_the_other,
          lease_that_is_over_returns_records_and_any_line_begins_it_anew,
          member_that_half_closes_gives_its_records_back_at_once,
          member_that_half_closes_is_closed_when_what_it_settled_is_synced,
          connection_that_breaks_while_its_outcomes_are_under_way_lives_until_they_are_synced,
          fail_is_parked_and_waited_for,
          what_cannot_be_parked_is_given_again,
          retry_comes_again_after_its_delay_and_before_later_records_of_its_key,
          two_members_name_different_topics,
          member_that_never_reads_holds_its_window_and_others_go_on,
          gap_of_a_group_is_told_to_who_has_greeted,
          illegal_groups_windows_and_partitions_are_refused,
          drain_lets_members_go_without_their_open_records,
          nothing_is_lost_and_keys_keep_their_order_whoever_comes_and_goes)
