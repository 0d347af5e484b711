/* Tests the acks port over streams in memory: its answers, however requests are cut into pieces, and its limits. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/acks_door.h"

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
    struct acks_door acks;
    struct stream_memory *client;
};

static void begin_with(struct fixture *fixture, uint64_t seed, struct acks_options options)
{
    *fixture = (struct fixture){.client = NULL};
    loop_simulated_init(&fixture->simulated, seed);
    fixture->store = store_memory_new(&fixture->simulated.clock.clock);
    expect_fine(
        fixture->store->ops->topic_open(fixture->store, span_from_text("t"), 1, true, &fixture->topic));
    expect_fine(
        fixture->store->ops->sequence_open(fixture->store, span_from_text("default"), &options.sequence));
    acks_door_init(&fixture->acks, &fixture->simulated.loop, "acks test", fixture->store, options);
    fixture->client = stream_memory_new(&fixture->simulated);
    door_take_stream(&fixture->acks.questions.door, &fixture->client->stream);
}

static void begin(struct fixture *fixture, uint64_t seed)
{
    begin_with(fixture, seed, (struct acks_options){.is_kmq = false});
}

static void end(struct fixture *fixture)
{
    if (!fixture->client->is_closed)
        stream_memory_cut(fixture->client);
    loop_simulated_settle(&fixture->simulated);
    stream_memory_free(fixture->client);
    acks_door_done(&fixture->acks);
    expect_equal_u64(fixture->simulated.loop.queued_bytes, 0);
    store_memory_free(fixture->store);
    loop_simulated_done(&fixture->simulated);
}

static void store_numbers(struct fixture *fixture, uint64_t from, uint32_t count)
{
    test_append_store(fixture->store, &fixture->topic, 0,
                      (struct test_records){.value = "v", .seq = from, .count = count});
}

static void expect_answer(struct fixture *fixture, const char *request, const char *answer)
{
    stream_memory_forget(fixture->client);
    stream_memory_send_text(fixture->client, request);
    loop_simulated_settle(&fixture->simulated);
    expect_span_is(stream_memory_received(fixture->client), answer);
}

TEST(stored_number_is_acknowledged_and_another_is_pending)
{
    struct fixture fixture;
    begin(&fixture, 1);
    store_numbers(&fixture, 5, 3);
    expect_answer(&fixture, "GET_ACK 5\n", "ACK 5\n");
    expect_answer(&fixture, "GET_ACK 4\n", "PENDING 4\n");
    expect_answer(&fixture, " GET_ACK\t007 further words \r\n", "ACK 7\n");
    end(&fixture);
}

TEST(bare_request_is_answered_with_the_highest_number)
{
    struct fixture fixture;
    begin(&fixture, 2);
    expect_answer(&fixture, "GET_ACK\n", "ACK 0\n");
    store_numbers(&fixture, 5, 3);
    expect_answer(&fixture, "GET_ACK\n", "ACK 7\n");
    end(&fixture);
}

TEST(range_is_acknowledged_or_its_gaps_are_named)
{
    struct fixture fixture;
    begin(&fixture, 3);
    store_numbers(&fixture, 5, 3);
    store_numbers(&fixture, 9, 1);
    expect_answer(&fixture, "GET_ACK 5-7\n", "ACK 5-7\n");
    expect_answer(&fixture, "GET_ACK 1-20\n", "MISSING 1-4,8,10-20\n");
    expect_answer(&fixture, "GET_ACK 8-8\n", "MISSING 8\n");
    expect_answer(&fixture, "GET_ACK 9223372036854775807-9223372036854775807\n",
                  "MISSING 9223372036854775807\n");
    end(&fixture);
}

/* More runs than the door looks at in one go. */
TEST(range_with_very_many_gaps_ends_with_more)
{
    struct fixture fixture;
    begin(&fixture, 4);
    for (uint64_t number = 2; number < 40000; number += 2)
        store_numbers(&fixture, number, 1);
    stream_memory_send_text(fixture.client, "GET_ACK 1-39999\n");
    loop_simulated_settle(&fixture.simulated);
    struct span answer = stream_memory_received(fixture.client);
    expect(span_starts_with(answer, "MISSING 1,3,5,"));
    expect(answer.len <= 64 * 1024 + 6);
    expect_span_is(span_after(answer, answer.len - 6), " more\n");
    end(&fixture);
}

TEST(malformed_requests_are_answered_and_the_connection_goes_on)
{
    struct fixture fixture;
    begin(&fixture, 5);
    expect_answer(&fixture, "GET_ACK seventeen\n", "ERR BAD_REQUEST not a request\n");
    expect_answer(&fixture, "\n", "ERR BAD_REQUEST not a request\n");
    expect_answer(&fixture, "GET_ACK 5-4\n",
                  "ERR BAD_RANGE not an ascending range of at most 1000000 numbers\n");
    expect_answer(&fixture, "GET_ACK 1-1000001\n",
                  "ERR BAD_RANGE not an ascending range of at most 1000000 numbers\n");
    expect_answer(&fixture, "get_ack 1\n", "ERR BAD_REQUEST not a request\n");
    expect_answer(&fixture, "GET_ACK 1\n", "PENDING 1\n");
    end(&fixture);
}

TEST(over_long_request_is_refused_once_and_the_next_one_answered)
{
    static char request[300 * 1024];
    struct fixture fixture;
    begin(&fixture, 6);
    memset(request, 'x', sizeof(request) - 1);
    stream_memory_send_text(fixture.client, request);
    expect_answer(&fixture, "\nGET_ACK 1\n", "ERR TOO_LONG longer than the limit\nPENDING 1\n");
    request[1025] = '\n';
    request[1026] = '\0';
    expect_answer(&fixture, request, "ERR TOO_LONG longer than the limit\n");
    end(&fixture);
}

TEST(pipelined_requests_are_answered_in_order_however_they_are_cut)
{
    char requests[20 * 64];
    char answers[20 * 64];
    size_t requests_len = 0;
    size_t answers_len = 0;
    for (unsigned i = 1; i <= 20; i++) {
        requests_len += (size_t)sprintf(requests + requests_len, "GET_ACK %u\n", i * 7);
        answers_len += (size_t)sprintf(answers + answers_len, "%s %u\n", i <= 10 ? "ACK" : "PENDING", i * 7);
    }
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct fixture fixture;
        begin(&fixture, seed);
        fixture.client->chunk_max = 1 + seed;
        store_numbers(&fixture, 1, 70);
        expect_answer(&fixture, requests, answers);
        end(&fixture);
    }
}

/* More than one turn's worth: the rest waits its turn, and another client is answered in between. */
TEST(very_many_questions_in_one_go_do_not_hold_up_another_client)
{
    enum { QUESTIONS = 20000 };
    struct fixture fixture;
    begin(&fixture, 17);
    store_numbers(&fixture, 1, 1);
    struct stream_memory *other = stream_memory_new(&fixture.simulated);
    door_take_stream(&fixture.acks.questions.door, &other->stream);
    for (unsigned i = 0; i < QUESTIONS; i++)
        stream_memory_send_text(fixture.client, i == QUESTIONS - 1 ? "GET_ACK 2" : "GET_ACK 1\n");
    stream_memory_end(fixture.client);
    stream_memory_send_text(other, "GET_ACK 3\n");
    bool was_between = false;
    while (loop_simulated_turn(&fixture.simulated))
        was_between = was_between || (stream_memory_received(other).len > 0 && !fixture.client->is_closed);
    expect(was_between);
    expect(fixture.client->is_closed);
    struct span received = stream_memory_received(fixture.client);
    expect_equal_u64(received.len, (QUESTIONS - 1) * 6 + 10);
    expect_span_is(span_after(received, received.len - 16), "ACK 1\nPENDING 2\n");
    expect_span_is(stream_memory_received(other), "PENDING 3\n");
    stream_memory_cut(other);
    loop_simulated_settle(&fixture.simulated);
    stream_memory_free(other);
    end(&fixture);
}

TEST(half_closed_client_gets_all_answers_also_to_a_last_line_without_its_end)
{
    struct fixture fixture;
    begin(&fixture, 7);
    stream_memory_send_text(fixture.client, "GET_ACK 1\nGET_ACK 2");
    stream_memory_end(fixture.client);
    loop_simulated_settle(&fixture.simulated);
    expect_span_is(stream_memory_received(fixture.client), "PENDING 1\nPENDING 2\n");
    expect(fixture.client->is_closed);
    end(&fixture);
}

/* Sends `count` requests whose answers are as long as can be. */
static void ask_at_length(struct fixture *fixture, unsigned count)
{
    for (uint64_t number = 2; number < 40000; number += 2)
        store_numbers(fixture, number, 1);
    for (unsigned i = 0; i < count; i++)
        stream_memory_send_text(fixture->client, "GET_ACK 1-39999\n");
}

TEST(client_that_stalls_gets_every_answer_once_it_reads_again)
{
    enum { REQUESTS = 50 };
    struct fixture fixture;
    begin(&fixture, 8);
    stream_memory_stall(fixture.client, true);
    ask_at_length(&fixture, REQUESTS);
    stream_memory_end(fixture.client);
    loop_simulated_settle(&fixture.simulated);
    expect(fixture.client->queue.len <= 2 * STREAM_WRITE_QUEUE_MAX);
    expect(!fixture.client->is_closed);
    stream_memory_stall(fixture.client, false);
    loop_simulated_settle(&fixture.simulated);
    expect(fixture.client->is_closed);
    struct span received = stream_memory_received(fixture.client);
    unsigned answers = 0;
    for (size_t at; (at = span_find(received, '\n')) < received.len; received = span_after(received, at + 1))
        answers++;
    expect_equal_u64(answers, REQUESTS);
    end(&fixture);
}

TEST(client_that_never_reads_is_cut_in_the_end)
{
    struct fixture fixture;
    begin(&fixture, 9);
    stream_memory_stall(fixture.client, true);
    ask_at_length(&fixture, 50);
    loop_simulated_pass(&fixture.simulated, 59 * CLOCK_NS_PER_S);
    expect(!fixture.client->is_closed);
    loop_simulated_pass(&fixture.simulated, 2 * CLOCK_NS_PER_S);
    expect(fixture.client->is_closed);
    end(&fixture);
}

TEST(kmq_mode_answers_one_request_and_closes)
{
    struct fixture fixture;
    begin_with(&fixture, 10, (struct acks_options){.is_kmq = true});
    stream_memory_send_text(fixture.client, "GET_ACK 1\nGET_ACK 2\n");
    loop_simulated_settle(&fixture.simulated);
    expect_span_is(stream_memory_received(fixture.client), "PENDING 1\n");
    expect(fixture.client->is_closed);
    end(&fixture);
}

TEST(kmq_mode_is_silent_on_a_malformed_request)
{
    struct fixture fixture;
    begin_with(&fixture, 11, (struct acks_options){.is_kmq = true});
    stream_memory_send_text(fixture.client, "GET_ACK x\n");
    loop_simulated_settle(&fixture.simulated);
    expect_equal_u64(stream_memory_received(fixture.client).len, 0);
    expect(fixture.client->is_closed);
    end(&fixture);
}

static void store_keyed(struct fixture *fixture, const char *key, uint64_t from, uint32_t count)
{
    test_append_store(fixture->store, &fixture->topic, 0,
                      (struct test_records){.key = key, .value = "v", .seq = from, .count = count});
}

TEST(number_with_a_key_is_acknowledged_when_a_record_has_both)
{
    struct fixture fixture;
    begin_with(&fixture, 14, (struct acks_options){.has_keys = true});
    store_keyed(&fixture, "a", 1, 5);
    store_keyed(&fixture, "b", 4, 5);
    expect_answer(&fixture, "GET_ACK 5 a\nGET_ACK 6 a\nGET_ACK 6 b\nGET_ACK 6\nGET_ACK 9 b\nGET_ACK 1 c\n",
                  "ACK 5\nPENDING 6\nACK 6\nACK 6\nPENDING 9\nPENDING 1\n");
    expect_answer(&fixture, "GET_ACK 1-5 a\n", "ERR BAD_REQUEST not a request\n");
    end(&fixture);
}

TEST(keyed_answers_keep_their_order_though_reads_are_slow)
{
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct fixture fixture;
        begin_with(&fixture, seed, (struct acks_options){.has_keys = true});
        fixture.client->chunk_max = 1 + seed * 3;
        store_keyed(&fixture, "a", 1, 3);
        store_memory_set_slow_reads(fixture.store, true);
        stream_memory_send_text(fixture.client, "GET_ACK 1 a\nGET_ACK 7\nGET_ACK 3 b\nGET_ACK\nGET_ACK 2 a");
        stream_memory_end(fixture.client);
        loop_simulated_settle(&fixture.simulated);
        expect_span_is(stream_memory_received(fixture.client), "ACK 1\nPENDING 7\nPENDING 3\nACK 3\nACK 2\n");
        expect(fixture.client->is_closed);
        end(&fixture);
    }
}

TEST(connection_may_end_while_the_store_looks_for_its_key)
{
    struct fixture fixture;
    begin_with(&fixture, 15, (struct acks_options){.has_keys = true});
    store_keyed(&fixture, "a", 1, 3);
    store_memory_set_slow_reads(fixture.store, true);
    store_memory_hold(fixture.store, true);
    expect_answer(&fixture, "GET_ACK 1 a\n", "");
    expect_equal_u64(store_memory_waiting(fixture.store), 1);
    stream_memory_cut(fixture.client);
    loop_simulated_settle(&fixture.simulated);
    store_memory_hold(fixture.store, false);
    loop_simulated_settle(&fixture.simulated);
    end(&fixture);
}

TEST(number_with_very_many_batches_cannot_be_looked_up_by_key)
{
    struct fixture fixture;
    begin_with(&fixture, 16, (struct acks_options){.has_keys = true});
    for (unsigned i = 0; i < 257; i++)
        store_keyed(&fixture, "a", 1, 1);
    expect_answer(&fixture, "GET_ACK 1 b\n", "ERR UNAVAILABLE the answer cannot be read now\n");
    end(&fixture);
}

TEST(tls_and_http_on_the_plain_port_end_the_connection_however_slowly_they_come)
{
    static const char *const speeches[] = {"\x16\x03\x01\x02\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"};
    for (unsigned i = 0; i < 2; i++) {
        for (size_t chunk_max = 1; chunk_max < 40; chunk_max += 13) {
            struct fixture fixture;
            begin(&fixture, 12 + chunk_max);
            fixture.client->chunk_max = chunk_max;
            stream_memory_send_text(fixture.client, speeches[i]);
            loop_simulated_settle(&fixture.simulated);
            expect(fixture.client->is_closed);
            expect_equal_u64(stream_memory_received(fixture.client).len, 0);
            end(&fixture);
        }
    }
}

static void on_drained(void *owner)
{
    *(bool *)owner = true;
}

TEST(drain_answers_whole_requests_and_leaves_a_torn_one)
{
    struct fixture fixture;
    begin(&fixture, 13);
    bool is_drained = false;
    stream_memory_send_text(fixture.client, "GET_ACK 1\nGET_ACK 2");
    loop_simulated_settle(&fixture.simulated);
    door_drain(&fixture.acks.questions.door, on_drained, &is_drained);
    loop_simulated_settle(&fixture.simulated);
    expect_span_is(stream_memory_received(fixture.client), "PENDING 1\n");
    expect(is_drained);
    end(&fixture);
}

TEST_MAIN(stored_number_is_acknowledged_and_another_is_pending,
          bare_request_is_answered_with_the_highest_number,
          range_is_acknowledged_or_its_gaps_are_named,
          range_with_very_many_gaps_ends_with_more,
          malformed_requests_are_answered_and_the_connection_goes_on,
          over_long_request_is_refused_once_and_the_next_one_answered,
          pipelined_requests_are_answered_in_order_however_they_are_cut,
          very_many_questions_in_one_go_do_not_hold_up_another_client,
          half_closed_client_gets_all_answers_also_to_a_last_line_without_its_end,
          client_that_stalls_gets_every_answer_once_it_reads_again,
          client_that_never_reads_is_cut_in_the_end,
          kmq_mode_answers_one_request_and_closes,
          kmq_mode_is_silent_on_a_malformed_request,
          number_with_a_key_is_acknowledged_when_a_record_has_both,
          keyed_answers_keep_their_order_though_reads_are_slow,
          connection_may_end_while_the_store_looks_for_its_key,
          number_with_very_many_batches_cannot_be_looked_up_by_key,
          tls_and_http_on_the_plain_port_end_the_connection_however_slowly_they_come,
          drain_answers_whole_requests_and_leaves_a_torn_one)
