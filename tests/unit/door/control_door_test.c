/* Tests the control socket over streams in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/control_door.h"

#include <stdio.h>

#include "store/store_memory.h"
#include "support/loop_simulated.h"
#include "support/stream_memory.h"
#include "support/test.h"
#include "support/test_append.h"

struct fixture {
    struct loop_simulated simulated;
    struct store *store;
    struct store_topic topic;
    struct control_door control;
    struct stream_memory *client;
    struct stream *producer;
    char producer_key[16];
    enum err producer_err;
    struct control_task task; /* of the operation "slow" */
    unsigned went_on;
    unsigned closed;
};

static void on_task_goes_on(struct control_task *task)
{
    struct fixture *fixture = LIST_OWNER(task, struct fixture, task);
    fixture->went_on++;
    task->sink.finish(task->sink.owner, ERR_NONE, "");
}

static void on_task_closed(struct control_task *task)
{
    LIST_OWNER(task, struct fixture, task)->closed++;
}

static enum err begin_operation(void *owner,
                                struct span request,
                                const struct control_sink *sink,
                                struct why *why,
                                struct control_task **ret_task)
{
    static const struct control_task_ops ops = {on_task_goes_on, on_task_closed};
    struct fixture *fixture = owner;
    if (span_equal_text(request, "{\"op\":\"quick\"}")) {
        (void)sink->write(sink->owner, span_from_text("{\"n\":1}\n"));
        sink->finish(sink->owner, ERR_NONE, "");
        return ERR_NONE;
    }
    if (span_equal_text(request, "{\"op\":\"bad\"}"))
        return why_set(why, ERR_BAD_INPUT, "so it is");
    if (!span_equal_text(request, "{\"op\":\"slow\"}"))
        return ERR_NOT_FOUND;
    fixture->task = (struct control_task){&ops, *sink};
    *ret_task = &fixture->task;
    return ERR_NONE;
}

static bool on_producer_bytes(void *owner, struct span bytes)
{
    struct fixture *fixture = owner;
    expect_fine(stream_write(fixture->producer, bytes)); /* an echo shows that it came here */
    return true;
}

static void on_producer_event(void *owner)
{
    (void)owner;
}

static void on_producer_closed(void *owner, enum err err)
{
    (void)owner;
    (void)err;
}

static enum err
take_producer(void *owner, struct stream *stream, struct span topic, struct span key, bool has_key)
{
    static const struct stream_events events = {on_producer_bytes, on_producer_event, on_producer_event,
                                                on_producer_closed};
    struct fixture *fixture = owner;
    if (fixture->producer_err != ERR_NONE)
        return fixture->producer_err;
    expect_span_is(topic, "t");
    snprintf(fixture->producer_key, sizeof(fixture->producer_key), "%s%.*s", has_key ? "" : "none",
             (int)key.len, (const char *)key.data);
    fixture->producer = stream;
    stream->events = &events;
    stream->owner = fixture;
    return ERR_NONE;
}

static void begin(struct fixture *fixture, uint64_t seed)
{
    *fixture = (struct fixture){.client = NULL};
    loop_simulated_init(&fixture->simulated, seed);
    fixture->store = store_memory_new(&fixture->simulated.clock.clock);
    expect_fine(
        fixture->store->ops->topic_open(fixture->store, span_from_text("t"), 2, true, &fixture->topic));
    struct control_options options = {.take_producer = take_producer,
                                      .owner = fixture,
                                      .operations = {begin_operation, "quick slow", fixture}};
    control_door_init(&fixture->control, &fixture->simulated.loop, "control", fixture->store, options);
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
    store_memory_free(fixture->store);
    loop_simulated_done(&fixture->simulated);
}

static void expect_answer(struct fixture *fixture, const char *request, const char *answer)
{
    stream_memory_forget(fixture->client);
    stream_memory_send_text(fixture->client, request);
    loop_simulated_settle(&fixture->simulated);
    expect_span_is(stream_memory_received(fixture->client), answer);
}

TEST(topics_are_listed_with_their_extents)
{
    struct fixture fixture;
    begin(&fixture, 1);
    expect_answer(&fixture, "{\"op\":\"topics\"}\n",
                  "{\"topic\":\"t\",\"partitions\":[{\"start\":0,\"end\":0,\"bytes\":0},"
                  "{\"start\":0,\"end\":0,\"bytes\":0}]}\n{\"ok\":true}\n");
    end(&fixture);
}

TEST(thousand_topics_are_listed_to_a_peer_that_reads_late)
{
    struct fixture fixture;
    begin(&fixture, 2);
    for (unsigned i = 0; i < 999; i++) {
        char name[16];
        struct store_topic topic;
        snprintf(name, sizeof(name), "t%u", i);
        expect_fine(fixture.store->ops->topic_open(fixture.store, span_from_text(name), 64, true, &topic));
    }
    stream_memory_stall(fixture.client, true);
    stream_memory_send_text(fixture.client, "{\"op\":\"topics\"}\n{\"op\":\"topics\"}\n");
    stream_memory_end(fixture.client);
    loop_simulated_settle(&fixture.simulated);
    expect(fixture.client->queue.len <= 2 * STREAM_WRITE_QUEUE_MAX);
    stream_memory_stall(fixture.client, false);
    loop_simulated_settle(&fixture.simulated);
    expect(fixture.client->is_closed);
    struct span received = stream_memory_received(fixture.client);
    unsigned lines = 0;
    for (size_t at; (at = span_find(received, '\n')) < received.len; received = span_after(received, at + 1))
        lines++;
    expect_equal_u64(lines, 2 * 1001);
    end(&fixture);
}

TEST(status_tells_the_state_and_why)
{
    struct fixture fixture;
    begin(&fixture, 3);
    store_memory_set_state(fixture.store, STORE_BROKEN);
    clock_fake_advance(&fixture.simulated.clock, 61 * CLOCK_NS_PER_S);
    stream_memory_send_text(fixture.client, "{\"op\":\"status\"}\n");
    loop_simulated_settle(&fixture.simulated);
    struct span answer = stream_memory_received(fixture.client);
    expect(span_starts_with(answer, "{\"ok\":true,\"version\":\"" WAYBILL_VERSION
                                    "\",\"state\":\"broken\",\"why\":\"the test says so\",\"uptime_s\":61,"
                                    "\"metrics\":{\"waybill_connections_open\":"));
    end(&fixture);
}

TEST(mistakes_are_answered_and_the_connection_goes_on)
{
    struct fixture fixture;
    begin(&fixture, 4);
    expect_answer(&fixture, "nonsense\n",
                  "{\"ok\":false,\"code\":\"BAD_INPUT\",\"text\":\"not a JSON object (byte 1)\"}\n");
    expect_answer(&fixture, "{\"op\":\"tail\",\"topic\":\"absent\"}\n",
                  "{\"ok\":false,\"code\":\"UNKNOWN_TOPIC\",\"text\":\"no such topic\"}\n");
    stream_memory_forget(fixture.client);
    stream_memory_send_text(fixture.client, "{\"op\":\"metrics\"}\n");
    loop_simulated_settle(&fixture.simulated);
    expect(span_starts_with(stream_memory_received(fixture.client), "{\"ok\":true,\"metrics\":{"));
    end(&fixture);
}

TEST(request_without_an_end_is_refused_when_it_is_too_long)
{
    static char request[20 * 1024];
    struct fixture fixture;
    begin(&fixture, 5);
    memset(request, ' ', sizeof(request) - 1);
    expect_answer(
        &fixture, request,
        "{\"ok\":false,\"code\":\"TOO_LARGE\",\"text\":\"a request is at most 16384 bytes long\"}\n");
    expect(fixture.client->is_closed);
    end(&fixture);
}

TEST(tail_carries_the_records_and_closes)
{
    struct fixture fixture;
    begin(&fixture, 6);
    test_append_store(fixture.store, &fixture.topic, 1, (struct test_records){.key = "k", .value = "v"});
    expect_answer(&fixture, "{\"op\":\"tail\",\"topic\":\"t\",\"from\":\"start\"}\n{\"op\":\"status\"}\n",
                  "{\"ok\":true}\n1:0|k|1700000000123|v\n{\"ok\":true}\n");
    expect(fixture.client->is_closed);
    end(&fixture);
}

TEST(tail_of_a_half_closed_client_ends_with_the_records)
{
    struct fixture fixture;
    begin(&fixture, 7);
    test_append_store(fixture.store, &fixture.topic, 1, (struct test_records){.key = "k", .value = "v"});
    stream_memory_send_text(fixture.client,
                            "{\"op\":\"tail\",\"topic\":\"t\",\"from\":\"1:0\",\"encoding\":\"base64\"}\n");
    stream_memory_end(fixture.client);
    loop_simulated_settle(&fixture.simulated);
    expect_span_is(stream_memory_received(fixture.client),
                   "{\"ok\":true}\n1:0|aw==|1700000000123|dg==\n{\"ok\":true}\n");
    expect(fixture.client->is_closed);
    end(&fixture);
}

TEST(following_tail_shows_new_records_until_the_client_ends)
{
    struct fixture fixture;
    begin(&fixture, 8);
    expect_answer(&fixture, "{\"op\":\"tail\",\"topic\":\"t\",\"follow\":true}\n", "{\"ok\":true}\n");
    test_append_store(fixture.store, &fixture.topic, 0, (struct test_records){.value = "new"});
    expect_answer(&fixture, "", "0:0||1700000000123|new\n");
    stream_memory_forget(fixture.client);
    stream_memory_end(fixture.client);
    loop_simulated_settle(&fixture.simulated);
    expect_span_is(stream_memory_received(fixture.client), "{\"ok\":true}\n");
    expect(fixture.client->is_closed);
    end(&fixture);
}

TEST(send_makes_the_connection_a_producer)
{
    struct fixture fixture;
    begin(&fixture, 9);
    expect_answer(&fixture, "{\"op\":\"send\",\"topic\":\"t\",\"key\":\"k\"}\n", "{\"ok\":true}\n");
    expect_equal_text(fixture.producer_key, "k");
    expect_equal_u64(fixture.control.door.connection_count, 0);
    expect_answer(&fixture, "HELLO 1\n", "HELLO 1\n");
    end(&fixture);
}

TEST(send_that_cannot_be_taken_or_does_not_wait_is_refused)
{
    struct fixture fixture;
    begin(&fixture, 10);
    fixture.producer_err = ERR_TOO_MANY;
    expect_answer(&fixture, "{\"op\":\"send\",\"topic\":\"t\"}\n",
                  "{\"ok\":false,\"code\":\"TOO_MANY\",\"text\":\"more than the limit allows\"}\n");
    fixture.producer_err = ERR_NONE;
    fixture.client->chunk_max = 1024 * 1024;
    stream_memory_forget(fixture.client);
    stream_memory_send_text(fixture.client, "{\"op\":\"send\",\"topic\":\"t\"}\nHELLO 1\n");
    loop_simulated_settle(&fixture.simulated);
    /* Cut into pieces, the request may come alone: then what follows is the producer's. */
    struct span received = stream_memory_received(fixture.client);
    expect(span_starts_with(received, "{\"ok\":false,\"code\":\"PROTOCOL\"") ||
           span_starts_with(received, "{\"ok\":true}\nHELLO"));
    end(&fixture);
}

static void on_door_drained(void *owner)
{
    *(bool *)owner = true;
}

TEST(drain_ends_a_following_tail)
{
    struct fixture fixture;
    begin(&fixture, 11);
    bool is_drained = false;
    expect_answer(&fixture, "{\"op\":\"tail\",\"topic\":\"t\",\"follow\":true}\n", "{\"ok\":true}\n");
    stream_memory_forget(fixture.client);
    door_drain(&fixture.control.door, on_door_drained, &is_drained);
    loop_simulated_settle(&fixture.simulated);
    expect(is_drained);
    expect_span_is(stream_memory_received(fixture.client), "{\"ok\":true}\n");
    end(&fixture);
}

TEST(drain_in_the_middle_of_a_tail_is_no_end_of_the_topic)
{
    struct fixture fixture;
    begin(&fixture, 12);
    bool is_drained = false;
    test_append_store(fixture.store, &fixture.topic, 0, (struct test_records){.value = "v"});
    store_memory_set_slow_reads(fixture.store, true);
    store_memory_hold(fixture.store, true);
    expect_answer(&fixture, "{\"op\":\"tail\",\"topic\":\"t\",\"from\":\"start\"}\n", "{\"ok\":true}\n");
    stream_memory_forget(fixture.client);
    door_drain(&fixture.control.door, on_door_drained, &is_drained);
    store_memory_hold(fixture.store, false);
    loop_simulated_settle(&fixture.simulated);
    expect(is_drained);
    expect_span_is(
        stream_memory_received(fixture.client),
        "{\"ok\":false,\"code\":\"DRAINING\",\"text\":\"partition 0 offset 0: the program is stopping\"}\n");
    end(&fixture);
}

TEST(operations_of_other_rooms_answer_at_once_or_later_and_hold_up_what_follows)
{
    struct fixture fixture;
    begin(&fixture, 13);
    expect_answer(&fixture, "{\"op\":\"quick\"}\n{\"op\":\"bad\"}\n",
                  "{\"n\":1}\n{\"ok\":true}\n{\"ok\":false,\"code\":\"BAD_INPUT\",\"text\":\"so it is\"}\n");
    expect_answer(
        &fixture, "{\"op\":\"tale\"}\n",
        "{\"ok\":false,\"code\":\"BAD_INPUT\",\"text\":\"op is tale, but should be: topics status metrics "
        "tail send quick slow\"}\n");
    expect_answer(&fixture, "{\"op\":\"slow\"}\n{\"op\":\"quick\"}\n", "");
    stream_memory_end(fixture.client);
    loop_simulated_settle(&fixture.simulated);
    expect(!fixture.client->is_closed);
    (void)fixture.task.sink.write(fixture.task.sink.owner, span_from_text("{\"n\":2}\n"));
    fixture.task.sink.finish(fixture.task.sink.owner, ERR_NOT_FOUND, "gone");
    loop_simulated_settle(&fixture.simulated);
    expect_span_is(
        stream_memory_received(fixture.client),
        "{\"n\":2}\n{\"ok\":false,\"code\":\"NOT_FOUND\",\"text\":\"gone\"}\n{\"n\":1}\n{\"ok\":true}\n");
    expect(fixture.client->is_closed);
    expect_equal_u64(fixture.closed, 0);
    end(&fixture);
}

TEST(task_waits_for_a_peer_that_does_not_read_and_is_closed_with_it)
{
    static uint8_t lines[STREAM_WRITE_QUEUE_MAX];
    struct fixture fixture;
    begin(&fixture, 14);
    memset(lines, '\n', sizeof lines);
    stream_memory_stall(fixture.client, true);
    expect_answer(&fixture, "{\"op\":\"slow\"}\n", "");
    struct control_sink *sink = &fixture.task.sink;
    while (sink->write(sink->owner, span_of(lines, sizeof lines)))
        ;
    stream_memory_stall(fixture.client, false);
    loop_simulated_settle(&fixture.simulated);
    expect_equal_u64(fixture.went_on, 1);
    expect_answer(&fixture, "{\"op\":\"slow\"}\n", "");
    stream_memory_cut(fixture.client);
    loop_simulated_settle(&fixture.simulated);
    expect_equal_u64(fixture.closed, 1);
    end(&fixture);
}

TEST_MAIN(operations_of_other_rooms_answer_at_once_or_later_and_hold_up_what_follows,
          task_waits_for_a_peer_that_does_not_read_and_is_closed_with_it,
          topics_are_listed_with_their_extents,
          thousand_topics_are_listed_to_a_peer_that_reads_late,
          status_tells_the_state_and_why,
          mistakes_are_answered_and_the_connection_goes_on,
          request_without_an_end_is_refused_when_it_is_too_long,
          tail_carries_the_records_and_closes,
          tail_of_a_half_closed_client_ends_with_the_records,
          following_tail_shows_new_records_until_the_client_ends,
          send_makes_the_connection_a_producer,
          send_that_cannot_be_taken_or_does_not_wait_is_refused,
          drain_ends_a_following_tail,
          drain_in_the_middle_of_a_tail_is_no_end_of_the_topic)
