/* Tests the subscribe port, plain streams: over a store and streams in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/subscribe_door.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/metric.h"
#include "door/line_writer.h"
#include "store/store_memory.h"
#include "support/loop_simulated.h"
#include "support/stream_memory.h"
#include "support/test.h"
#include "support/test_append.h"

struct fixture {
    struct loop_simulated simulated;
    struct store *store;
    struct store_topic topic; /* "t", three partitions */
    struct subscribe_door subscribe;
};

static void begin(struct fixture *fixture, uint64_t seed)
{
    struct subscribe_options options = {.auto_create = true, .lease_ns = 60 * CLOCK_NS_PER_S};
    *fixture = (struct fixture){.store = NULL};
    loop_simulated_init(&fixture->simulated, seed);
    fixture->store = store_memory_new(&fixture->simulated.clock.clock);
    expect_fine(
        fixture->store->ops->topic_open(fixture->store, span_from_text("t"), 3, true, &fixture->topic));
    subscribe_door_init(&fixture->subscribe, &fixture->simulated.loop, "subscribe", fixture->store, options);
}

static void end(struct fixture *fixture)
{
    door_cut(&fixture->subscribe.door);
    loop_simulated_settle(&fixture->simulated);
    subscribe_door_done(&fixture->subscribe);
    store_memory_free(fixture->store);
    expect_equal_u64(fixture->simulated.loop.queued_bytes, 0);
    loop_simulated_done(&fixture->simulated);
}

static struct stream_memory *connect(struct fixture *fixture)
{
    struct stream_memory *peer = stream_memory_new(&fixture->simulated);
    door_take_stream(&fixture->subscribe.door, &peer->stream);
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

static void store_one(struct fixture *fixture, uint32_t partition, const char *value)
{
    test_append_store(fixture->store, &fixture->topic, partition, (struct test_records){.value = value});
}

TEST(subscriber_gets_what_is_stored_from_now_on)
{
    struct fixture fixture;
    begin(&fixture, 1);
    store_one(&fixture, 0, "before");
    struct stream_memory *peer = connect(&fixture);
    say(&fixture, peer, "SUBSCRIBE t\r\n");
    expect_said(&fixture, peer, "");
    store_one(&fixture, 1, "after");
    expect_said(&fixture, peer, "1:0||1700000000123|after\n");
    disconnect(&fixture, peer);
    end(&fixture);
}

TEST(subscriber_from_the_start_gets_all_and_goes_on)
{
    struct fixture fixture;
    begin(&fixture, 2);
    store_one(&fixture, 0, "a");
    store_one(&fixture, 0, "b");
    struct stream_memory *peer = connect(&fixture);
    say(&fixture, peer, "SUBSCRIBE t FROM_START\n");
    expect_said(&fixture, peer, "0:0||1700000000123|a\n0:1||1700000000123|b\n");
    store_one(&fixture, 0, "c");
    expect_said(&fixture, peer, "0:2||1700000000123|c\n");
    disconnect(&fixture, peer);
    end(&fixture);
}

TEST(offset_holds_for_every_partition_and_a_place_for_one)
{
    struct fixture fixture;
    begin(&fixture, 3);
    for (uint32_t partition = 0; partition < 2; partition++) {
        store_one(&fixture, partition, "a");
        store_one(&fixture, partition, "b");
    }
    struct stream_memory *peer = connect(&fixture);
    say(&fixture, peer, "SUBSCRIBE t FROM 1:1 ENCODING base64\n");
    expect_said(&fixture, peer, "1:1||1700000000123|Yg==\n");
    store_one(&fixture, 0, "c");
    expect_said(&fixture, peer, "");
    disconnect(&fixture, peer);
    peer = connect(&fixture);
    say(&fixture, peer, "SUBSCRIBE t FROM 2\n");
    expect_said(&fixture, peer, "0:2||1700000000123|c\n");
    disconnect(&fixture, peer);
    end(&fixture);
}

TEST(topic_that_is_not_there_is_made_unless_its_name_is_closed)
{
    struct fixture fixture;
    begin(&fixture, 4);
    struct stream_memory *peer = connect(&fixture);
    struct store_topic topic;
    say(&fixture, peer, "SUBSCRIBE new.dlq\nSUBSCRIBE a/b\nSUBSCRIBE new\n");
    expect_said(
        &fixture, peer,
        "ERR UNKNOWN_TOPIC no such topic, and none is created\nERR BAD_NAME not a legal topic name\n");
    expect_fine(fixture.store->ops->topic_open(fixture.store, span_from_text("new"), 0, false, &topic));
    fixture.topic = topic;
    store_one(&fixture, 0, "first");
    expect_said(&fixture, peer, "0:0||1700000000123|first\n");
    disconnect(&fixture, peer);
    end(&fixture);
}

TEST(mistakes_are_answered_and_the_connection_goes_on)
{
    struct fixture fixture;
    begin(&fixture, 5);
    struct stream_memory *peer = connect(&fixture);
    say(&fixture, peer,
        "SUBSCRIBE t FROM 3:0\nGET_ACK\n\nDONE 1\nDONE 2-1\nSUBSCRIBE t\nSUBSCRIBE t\nDONE 0:1\n");
    expect_said(&fixture, peer,
                "ERR BAD_PARTITION no such partition\n"
                "ERR BAD_REQUEST not a request\n"
                "ERR BAD_REQUEST not a request\n"
                "ERR NOT_OPEN 1 no such record is open on this connection\n"
                "ERR BAD_RANGE not an ascending range of at most 1000000 numbers\n"
                "ERR SUBSCRIBED a connection has one subscription\n"
                "ERR NOT_OPEN 0:1 no such record is open on this connection\n");
    store_one(&fixture, 0, "x");
    expect_said(&fixture, peer, "0:0||1700000000123|x\n");
    disconnect(&fixture, peer);
    end(&fixture);
}

TEST(greeting_is_answered_only_as_the_first_line)
{
    struct fixture fixture;
    begin(&fixture, 6);
    struct stream_memory *peer = connect(&fixture);
    say(&fixture, peer, "HELLO 1 colour=red\nHELLO 1\n");
    expect_said(&fixture, peer, "READY\nERR BAD_REQUEST not a request\n");
    disconnect(&fixture, peer);
    peer = connect(&fixture);
    say(&fixture, peer, "HELLO 2\nSUBSCRIBE t\n");
    expect_said(&fixture, peer, "ERR BAD_VERSION only version 1 is spoken\n");
    expect(peer->is_closed);
    disconnect(&fixture, peer);
    end(&fixture);
}

TEST(gap_is_told_to_who_has_greeted_and_counted_for_all)
{
    struct fixture fixture;
    begin(&fixture, 7);
    test_append_store(fixture.store, &fixture.topic, 0, (struct test_records){.value = "a", .count = 5});
    store_memory_expire(fixture.store, fixture.topic.id, 0, 3);
    int64_t gaps = metric_get(METRIC_GAPS);
    struct stream_memory *peer = connect(&fixture);
    say(&fixture, peer, "HELLO 1\nSUBSCRIBE t FROM 0:1\n");
    expect_said(&fixture, peer, "READY\nGAP t 0 1-2\n0:3||1700000000123|a\n0:4||1700000000123|a\n");
    struct stream_memory *other = connect(&fixture);
    say(&fixture, other, "SUBSCRIBE t FROM 0:1\n");
    expect_said(&fixture, other, "0:3||1700000000123|a\n0:4||1700000000123|a\n");
    expect_equal_i64(metric_get(METRIC_GAPS) - gaps, 2);
    disconnect(&fixture, peer);
    disconnect(&fixture, other);
    end(&fixture);
}

TEST(subscriber_that_half_closes_goes_on_receiving)
{
    struct fixture fixture;
    begin(&fixture, 8);
    struct stream_memory *peer = connect(&fixture);
    stream_memory_send_text(peer, "SUBSCRIBE t\n");
    stream_memory_end(peer);
    expect_said(&fixture, peer, "");
    store_one(&fixture, 0, "x");
    expect_said(&fixture, peer, "0:0||1700000000123|x\n");
    expect(!peer->is_closed);
    disconnect(&fixture, peer);
    end(&fixture);
}

TEST(peer_that_ends_without_a_subscription_gets_its_answers)
{
    struct fixture fixture;
    begin(&fixture, 9);
    struct stream_memory *peer = connect(&fixture);
    stream_memory_send_text(peer, "DONE 1\nDONE 2");
    stream_memory_end(peer);
    expect_said(&fixture, peer, "ERR NOT_OPEN 1 no such record is open on this connection\n");
    expect(peer->is_closed);
    disconnect(&fixture, peer);
    end(&fixture);
}

TEST(command_that_is_too_long_is_passed_over_whole)
{
    static char line[3 * LINE_WRITER_PIECE];
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct fixture fixture;
        begin(&fixture, seed);
        struct stream_memory *peer = connect(&fixture);
        memset(line, 'x', sizeof line - 2);
        line[sizeof line - 2] = '\n';
        stream_memory_send_text(peer, "DONE 1\n");
        stream_memory_send_text(peer, line);
        say(&fixture, peer, "DONE 2\n");
        expect_said(&fixture, peer,
                    "ERR NOT_OPEN 1 no such record is open on this connection\n"
                    "ERR TOO_LONG longer than the limit\n"
                    "ERR NOT_OPEN 2 no such record is open on this connection\n");
        disconnect(&fixture, peer);
        end(&fixture);
    }
}

TEST(stranger_is_cut_without_a_word)
{
    struct fixture fixture;
    begin(&fixture, 10);
    struct stream_memory *peer = connect(&fixture);
    say(&fixture, peer, "GET / HTTP/1.1\r\n\r\n");
    expect_said(&fixture, peer, "");
    expect(peer->is_closed);
    disconnect(&fixture, peer);
    end(&fixture);
}

/* Everything that was stored for a value of `len` bytes. */
static void store_large(struct fixture *fixture, size_t len, uint32_t count)
{
    char *value = malloc(len + 1);
    if (value == NULL)
        test_fail("no memory");
    memset(value, 'v', len);
    value[len] = '\0';
    for (uint32_t i = 0; i < count; i++)
        store_one(fixture, 0, value);
    free(value);
}

TEST(subscriber_that_never_reads_stops_nobody_and_holds_little)
{
    struct fixture fixture;
    begin(&fixture, 11);
    struct stream_memory *stalled[2 * READ_POOL_SEATS];
    store_large(&fixture, 100000, 20);
    for (unsigned i = 0; i < 2 * READ_POOL_SEATS; i++) {
        stalled[i] = connect(&fixture);
        stream_memory_stall(stalled[i], true);
        say(&fixture, stalled[i], "SUBSCRIBE t FROM_START\n");
    }
    struct stream_memory *peer = connect(&fixture);
    say(&fixture, peer, "SUBSCRIBE t FROM_START\n");
    loop_simulated_settle(&fixture.simulated);
    expect_equal_u64(stream_memory_received(peer).len, 20 * 100000 + 10 * 20 + 10 * 21);
    expect(fixture.simulated.loop.queued_bytes < 2 * LINE_WRITER_HELD_MAX);
    expect(fixture.subscribe.shared.pool.sitting_count <= READ_POOL_SEATS);
    for (unsigned i = 0; i < 2 * READ_POOL_SEATS; i++) {
        stream_memory_stall(stalled[i], false);
        loop_simulated_settle(&fixture.simulated);
        expect_equal_span(stream_memory_received(stalled[i]), stream_memory_received(peer));
        disconnect(&fixture, stalled[i]);
    }
    disconnect(&fixture, peer);
    end(&fixture);
}

TEST(more_streams_than_buffers_all_come_to_the_end)
{
    enum { STREAMS = 3 * READ_POOL_SEATS };
    struct fixture fixture;
    struct stream_memory *peers[STREAMS];
    begin(&fixture, 15);
    store_memory_set_slow_reads(fixture.store, true);
    store_large(&fixture, 300000, 5);
    for (unsigned i = 0; i < STREAMS; i++) {
        peers[i] = connect(&fixture);
        stream_memory_send_text(peers[i], "SUBSCRIBE t FROM_START\n");
    }
    loop_simulated_settle(&fixture.simulated);
    for (unsigned i = 0; i < STREAMS; i++) {
        expect_equal_u64(stream_memory_received(peers[i]).len, 5 * (300000 + 20));
        disconnect(&fixture, peers[i]);
    }
    end(&fixture);
}

TEST(peer_that_does_not_read_answers_to_nonsense_waits_and_is_cut_in_the_end)
{
    static char nonsense[LOOP_READ_SIZE];
    struct fixture fixture;
    begin(&fixture, 12);
    memset(nonsense, '\n', sizeof nonsense - 1);
    struct stream_memory *peer = connect(&fixture);
    struct stream_memory *stalled = connect(&fixture);
    stream_memory_stall(stalled, true);
    stream_memory_send_text(stalled, nonsense);
    say(&fixture, peer, nonsense);
    expect_equal_u64(stream_memory_received(peer).len,
                     (sizeof nonsense - 1) * strlen("ERR BAD_REQUEST not a request\n"));
    expect(stalled->queue.len < 2 * STREAM_WRITE_QUEUE_MAX);
    expect(!stalled->is_closed);
    loop_simulated_pass(&fixture.simulated, 61 * CLOCK_NS_PER_S);
    expect(stalled->is_closed);
    disconnect(&fixture, stalled);
    disconnect(&fixture, peer);
    end(&fixture);
}

TEST(drain_ends_streams_at_once_and_says_why_to_who_has_greeted)
{
    struct fixture fixture;
    begin(&fixture, 13);
    store_large(&fixture, 100000, 20);
    struct stream_memory *plain = connect(&fixture);
    struct stream_memory *greeted = connect(&fixture);
    struct stream_memory *stalled = connect(&fixture);
    stream_memory_stall(stalled, true);
    say(&fixture, plain, "SUBSCRIBE t\n");
    say(&fixture, greeted, "HELLO 1\nSUBSCRIBE t\n");
    say(&fixture, stalled, "SUBSCRIBE t FROM_START\n");
    door_drain(&fixture.subscribe.door, NULL, NULL);
    expect_said(&fixture, plain, "");
    expect_said(&fixture, greeted, "READY\nERR DRAINING the program is stopping\n");
    expect(plain->is_closed && greeted->is_closed && stalled->is_closed);
    expect_equal_u64(fixture.subscribe.door.connection_count, 0);
    disconnect(&fixture, plain);
    disconnect(&fixture, greeted);
    disconnect(&fixture, stalled);
    end(&fixture);
}

TEST(subscribers_are_counted_while_they_are_there)
{
    struct fixture fixture;
    begin(&fixture, 14);
    int64_t before = metric_get(METRIC_SUBSCRIBERS);
    int64_t given = metric_get(METRIC_RECORDS_GIVEN);
    struct stream_memory *peer = connect(&fixture);
    say(&fixture, peer, "SUBSCRIBE t\n");
    store_one(&fixture, 0, "x");
    loop_simulated_settle(&fixture.simulated);
    expect_equal_i64(metric_get(METRIC_SUBSCRIBERS) - before, 1);
    expect_equal_i64(metric_get(METRIC_RECORDS_GIVEN) - given, 1);
    disconnect(&fixture, peer);
    expect_equal_i64(metric_get(METRIC_SUBSCRIBERS) - before, 0);
    end(&fixture);
}

TEST_MAIN(subscriber_gets_what_is_stored_from_now_on,
          subscriber_from_the_start_gets_all_and_goes_on,
          offset_holds_for_every_partition_and_a_place_for_one,
          topic_that_is_not_there_is_made_unless_its_name_is_closed,
          mistakes_are_answered_and_the_connection_goes_on,
          greeting_is_answered_only_as_the_first_line,
          gap_is_told_to_who_has_greeted_and_counted_for_all,
          subscriber_that_half_closes_goes_on_receiving,
          peer_that_ends_without_a_subscription_gets_its_answers,
          command_that_is_too_long_is_passed_over_whole,
          stranger_is_cut_without_a_word,
          subscriber_that_never_reads_stops_nobody_and_holds_little,
          more_streams_than_buffers_all_come_to_the_end,
          peer_that_does_not_read_answers_to_nonsense_waits_and_is_cut_in_the_end,
          drain_ends_streams_at_once_and_says_why_to_who_has_greeted,
          subscribers_are_counted_while_they_are_there)
