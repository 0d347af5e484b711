/* Tests the status port over streams in memory: one number, ranges, receipts, keys, KMQ's mode. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/status_door.h"

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
    struct receipts *receipts;
    struct status_door status;
    struct stream_memory *client;
    uint32_t group;
};

static struct stream_memory *connect(struct fixture *fixture)
{
    struct stream_memory *client = stream_memory_new(&fixture->simulated);
    door_take_stream(&fixture->status.questions.door, &client->stream);
    return client;
}

static void begin_with(struct fixture *fixture, uint64_t seed, struct status_options options)
{
    static const struct receipt_policy by_default = {.rules = NULL};
    *fixture = (struct fixture){.client = NULL};
    loop_simulated_init(&fixture->simulated, seed);
    fixture->simulated.clock.wall_ns = 1795334400123 * CLOCK_NS_PER_MS;
    struct store *store = store_memory_new(&fixture->simulated.clock.clock);
    fixture->store = store;
    expect_fine(store->ops->topic_open(store, span_from_text("orders"), 2, true, &fixture->topic));
    expect_fine(store->ops->sequence_open(store, span_from_text("default"), &options.sequence));
    expect_fine(store->outcomes->group_open(store, span_from_text("g"), true, &fixture->group));
    expect_fine(receipts_new(store, &by_default, &fixture->receipts));
    status_door_init(&fixture->status, &fixture->simulated.loop, "status test", store, fixture->receipts,
                     options);
    fixture->client = connect(fixture);
}

static void begin(struct fixture *fixture, uint64_t seed)
{
    begin_with(fixture, seed, (struct status_options){.is_kmq = false});
}

static void leave(struct fixture *fixture, struct stream_memory *client)
{
    if (!client->is_closed)
        stream_memory_cut(client);
    loop_simulated_settle(&fixture->simulated);
    stream_memory_free(client);
}

static void end(struct fixture *fixture)
{
    leave(fixture, fixture->client);
    status_door_done(&fixture->status);
    expect_equal_u64(fixture->simulated.loop.queued_bytes, 0);
    expect_null(receipts_free(fixture->receipts));
    store_memory_free(fixture->store);
    loop_simulated_done(&fixture->simulated);
}

static void
store_numbers(struct fixture *fixture, const char *key, uint32_t partition, uint64_t from, uint32_t count)
{
    test_append_store(fixture->store, &fixture->topic, partition,
                      (struct test_records){.key = key, .value = "v", .seq = from, .count = count});
}

static void settle(struct fixture *fixture, uint32_t partition, uint64_t offset, uint32_t count)
{
    struct store_settled settled = {.group = fixture->group,
                                    .topic = fixture->topic.id,
                                    .partition = partition,
                                    .offset = offset,
                                    .count = count,
                                    .outcome = STORE_OUTCOME_DONE,
                                    .attempts = 2,
                                    .status = 204,
                                    .by = span_from_text("127.0.0.1:5 \"x\"")};
    struct test_append *test = test_append_new(&fixture->simulated.loop.mailbox);
    test->append.settled = &settled;
    test->append.settled_count = 1;
    expect_fine(fixture->store->ops->append(fixture->store, &test->append));
    loop_simulated_settle(&fixture->simulated);
    expect(test->is_done);
    test_append_free(test);
}

static void expect_answer(struct fixture *fixture, const char *request, const char *answer)
{
    stream_memory_forget(fixture->client);
    stream_memory_send_text(fixture->client, request);
    loop_simulated_settle(&fixture->simulated);
    expect_span_is(stream_memory_received(fixture->client), answer);
}

TEST(number_is_pending_until_it_is_processed)
{
    struct fixture fixture;
    begin(&fixture, 1);
    expect_answer(&fixture, "GET_STATUS 17\n", "PENDING\n");
    store_numbers(&fixture, "k", 0, 17, 2);
    expect_answer(&fixture, "GET_STATUS 17\n", "PENDING\n");
    settle(&fixture, 0, 0, 1);
    expect_answer(&fixture, " GET_STATUS\t017 further words\r\nGET_STATUS 18\n", "PROCESSED\nPENDING\n");
    end(&fixture);
}

TEST(range_is_processed_or_its_pending_numbers_are_named)
{
    struct fixture fixture;
    begin(&fixture, 2);
    store_numbers(&fixture, "k", 0, 5, 10);
    settle(&fixture, 0, 0, 3);
    settle(&fixture, 0, 4, 1);
    expect_answer(&fixture, "GET_STATUS 5-7\n", "PROCESSED\n");
    expect_answer(&fixture, "GET_STATUS 1-9\n", "PENDING 1-4,8\n");
    expect_answer(&fixture, "GET_STATUS 9-1000000\n", "PENDING 10-1000000\n");
    expect_answer(&fixture, "GET_STATUS 9223372036854775807-9223372036854775807\n",
                  "PENDING 9223372036854775807\n");
    expect_answer(&fixture, "GET_STATUS 9-5\n",
                  "ERR BAD_RANGE not an ascending range of at most 1000000 numbers\n");
    end(&fixture);
}

/* The same question, answered number by number. */
static void expect_like_one_by_one(struct fixture *fixture, uint64_t from, uint64_t to)
{
    char expected[4096];
    char request[64];
    size_t len = 0;
    for (uint64_t number = from; number <= to; number++) {
        bool is_processed;
        uint64_t first = number;
        for (; number <= to; number++) {
            expect_fine(receipts_is_processed(fixture->receipts, 0, number, &is_processed));
            if (is_processed)
                break;
        }
        if (number == first)
            continue;
        const char *before = len == 0 ? "PENDING " : ",";
        len += (size_t)snprintf(expected + len, sizeof expected - len, "%s%llu", before,
                                (unsigned long long)first);
        if (first < number - 1)
            len += (size_t)snprintf(expected + len, sizeof expected - len, "-%llu",
                                    (unsigned long long)(number - 1));
    }
    (void)snprintf(expected + len, sizeof expected - len, "%s\n", len == 0 ? "PROCESSED" : "");
    (void)snprintf(request, sizeof request, "GET_STATUS %llu-%llu\n", (unsigned long long)from,
                   (unsigned long long)to);
    expect_answer(fixture, request, expected);
}

TEST(range_says_the_same_as_its_numbers_one_by_one)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct fixture fixture;
        begin(&fixture, seed);
        struct random *random = &fixture.simulated.random;
        uint64_t offset[2] = {0, 0};
        for (unsigned i = 0; i < 30; i++) {
            uint32_t partition = (uint32_t)random_below(random, 2);
            uint32_t count = (uint32_t)(1 + random_below(random, 90));
            store_numbers(&fixture, "k", partition, 1 + random_below(random, 3000), count);
            if (random_below(random, 4) > 0)
                settle(&fixture, partition, offset[partition], 1 + (uint32_t)random_below(random, count));
            offset[partition] += count;
        }
        for (unsigned i = 0; i < 20; i++) {
            uint64_t from = 1 + random_below(random, 3000);
            expect_like_one_by_one(&fixture, from, from + random_below(random, 2500));
        }
        end(&fixture);
    }
}

TEST(range_with_very_many_pending_numbers_ends_with_more)
{
    struct fixture fixture;
    begin(&fixture, 4);
    store_numbers(&fixture, "k", 0, 1, 40000);
    for (uint64_t offset = 0; offset < 40000; offset += 2)
        settle(&fixture, 0, offset, 1);
    stream_memory_send_text(fixture.client, "GET_STATUS 1-40000\nGET_STATUS 1\n");
    loop_simulated_settle(&fixture.simulated);
    struct span answer = stream_memory_received(fixture.client);
    expect(span_starts_with(answer, "PENDING 2,4,6,"));
    expect(answer.len <= 64 * 1024 + 16);
    expect_span_is(span_after(answer, answer.len - 16), " more\nPROCESSED\n");
    end(&fixture);
}

TEST(long_range_does_not_hold_up_another_client_nor_lose_its_place)
{
    struct fixture fixture;
    begin(&fixture, 5);
    store_numbers(&fixture, "k", 0, 1, 30000);
    settle(&fixture, 0, 0, 30000);
    struct stream_memory *other = connect(&fixture);
    stream_memory_send_text(fixture.client,
                            "GET_STATUS 40000\nGET_STATUS 1-30000\nGET_STATUS 1-30001\nGET_STATUS 40000");
    stream_memory_end(fixture.client);
    bool was_between = false;
    for (unsigned turn = 0; loop_simulated_turn(&fixture.simulated); turn++) {
        if (turn == 5)
            stream_memory_send_text(other, "GET_STATUS 1\n");
        was_between = was_between || (stream_memory_received(other).len > 0 && !fixture.client->is_closed);
    }
    expect(was_between);
    expect_span_is(stream_memory_received(other), "PROCESSED\n");
    expect_span_is(stream_memory_received(fixture.client), "PENDING\nPROCESSED\nPENDING 30001\nPENDING\n");
    expect(fixture.client->is_closed);
    leave(&fixture, other);
    end(&fixture);
}

TEST(connection_may_end_in_the_middle_of_a_range)
{
    struct fixture fixture;
    begin(&fixture, 6);
    store_numbers(&fixture, "k", 0, 1, 30000);
    stream_memory_send_text(fixture.client, "GET_STATUS 1-30000\nGET_STATUS 1\n");
    for (unsigned turn = 0; turn < 5; turn++)
        (void)loop_simulated_turn(&fixture.simulated);
    end(&fixture);
}

TEST(client_that_stalls_within_a_range_gets_all_of_it_later)
{
    enum { RANGES = 12 };
    struct fixture fixture;
    begin(&fixture, 7);
    store_numbers(&fixture, "k", 0, 1, 20000);
    for (uint64_t offset = 0; offset < 20000; offset += 2)
        settle(&fixture, 0, offset, 1);
    stream_memory_stall(fixture.client, true);
    for (unsigned i = 0; i < RANGES; i++)
        stream_memory_send_text(fixture.client, "GET_STATUS 1-20000\n");
    stream_memory_end(fixture.client);
    loop_simulated_settle(&fixture.simulated);
    expect(!fixture.client->is_closed);
    expect(fixture.client->queue.len <= 2 * STREAM_WRITE_QUEUE_MAX);
    stream_memory_stall(fixture.client, false);
    loop_simulated_settle(&fixture.simulated);
    expect(fixture.client->is_closed);
    struct span received = stream_memory_received(fixture.client);
    size_t len = received.len / RANGES;
    for (unsigned i = 0; i < RANGES; i++) {
        expect_equal_span(span_of(received.data + i * len, len), span_of(received.data, len));
        expect_equal_u64(received.data[(i + 1) * len - 1], '\n');
    }
    end(&fixture);
}

TEST(receipt_says_where_a_record_stands_and_what_became_of_it)
{
    struct fixture fixture;
    begin(&fixture, 8);
    store_numbers(&fixture, "k", 1, 17, 2);
    expect_answer(&fixture, "GET_RECEIPT 17\n",
                  "seq=17 topic=orders partition=1 offset=0 state=stored attempts=0 at=1795334400123\n");
    settle(&fixture, 1, 0, 1);
    expect_answer(&fixture, "GET_RECEIPT 17 word\n",
                  "seq=17 topic=orders partition=1 offset=0 state=processed group.g=done attempts=2 "
                  "at=1795334400123 status=204 by=\"127.0.0.1:5 \\\"x\\\"\"\n");
    expect_answer(&fixture, "GET_RECEIPT 18\n",
                  "seq=18 topic=orders partition=1 offset=1 state=stored group.g=open attempts=0 at=0\n");
    expect_answer(&fixture, "GET_RECEIPT 19\n", "seq=19 state=unknown\n");
    store_memory_expire(fixture.store, fixture.topic.id, 1, 2);
    expect_answer(&fixture, "GET_RECEIPT 18\n",
                  "seq=18 topic=orders partition=1 offset=1 state=expired record=expired group.g=open "
                  "attempts=0 at=0\n");
    end(&fixture);
}

TEST(number_of_several_records_has_a_line_for_each_and_the_last_one_shows)
{
    struct fixture fixture;
    begin(&fixture, 9);
    for (unsigned i = 0; i < 3; i++)
        store_numbers(&fixture, "k", i % 2, 17, 1);
    expect_answer(&fixture, "GET_RECEIPT 17\nGET_STATUS 17\n",
                  "seq=17 topic=orders partition=0 offset=0 state=stored attempts=0 at=1795334400123 more=2\n"
                  "seq=17 topic=orders partition=1 offset=0 state=stored attempts=0 at=1795334400123 more=1\n"
                  "seq=17 topic=orders partition=0 offset=1 state=stored attempts=0 at=1795334400123\n"
                  "PENDING\n");
    for (unsigned i = 0; i < 70; i++)
        store_numbers(&fixture, "k", 0, 18, 1);
    stream_memory_forget(fixture.client);
    stream_memory_send_text(fixture.client, "GET_RECEIPT 18\n");
    loop_simulated_settle(&fixture.simulated);
    struct span received = stream_memory_received(fixture.client);
    unsigned lines = 0;
    for (size_t at = 0; at < received.len; at++)
        lines += received.data[at] == '\n';
    expect_equal_u64(lines, 64);
    expect_span_is(span_after(received, received.len - 13), " omitted=yes\n");
    end(&fixture);
}

TEST(place_stands_for_a_number_with_its_topic_or_the_door_s)
{
    struct fixture fixture;
    begin_with(&fixture, 10, (struct status_options){.topic = span_from_text("orders")});
    store_numbers(&fixture, "k", 1, 17, 2);
    settle(&fixture, 1, 0, 1);
    expect_answer(&fixture, "GET_STATUS 1:0\nGET_STATUS orders/1/0\nGET_STATUS 1:1\nGET_STATUS x/1/0\n",
                  "PROCESSED\nPROCESSED\nPENDING\nPENDING\n");
    expect_answer(&fixture, "GET_RECEIPT 1:1\n",
                  "seq=1:1 topic=orders partition=1 offset=1 state=stored group.g=open attempts=0 at=0\n");
    expect_answer(&fixture, "GET_RECEIPT orders/1/2\nGET_RECEIPT x/1/0\n",
                  "seq=orders/1/2 state=unknown\nseq=x/1/0 state=unknown\n");
    end(&fixture);
}

TEST(place_without_a_topic_is_no_request_when_the_door_names_none)
{
    struct fixture fixture;
    begin(&fixture, 11);
    expect_answer(&fixture, "GET_STATUS 1:0\n", "ERR BAD_REQUEST not a request\n");
    expect_answer(&fixture, "GET_ACK 1\n", "ERR BAD_REQUEST not a request\n");
    expect_answer(&fixture, "GET_STATUS\n", "ERR BAD_REQUEST not a request\n");
    end(&fixture);
}

TEST(number_with_a_key_is_processed_when_the_records_of_that_key_are)
{
    struct fixture fixture;
    begin_with(&fixture, 12, (struct status_options){.has_keys = true});
    store_numbers(&fixture, "a", 0, 17, 1);
    store_numbers(&fixture, "b", 1, 17, 1);
    settle(&fixture, 0, 0, 1);
    expect_answer(&fixture,
                  "GET_STATUS 17\nGET_STATUS 17 a\nGET_STATUS 17 b\nGET_STATUS 17 c\nGET_STATUS 18 a\n",
                  "PENDING\nPROCESSED\nPENDING\nPENDING\nPENDING\n");
    expect_answer(&fixture, "GET_RECEIPT 17 b\nGET_RECEIPT 17 c\nGET_STATUS 1-2 a\nGET_STATUS 17 a",
                  "seq=17 topic=orders partition=1 offset=0 state=stored group.g=open attempts=0 at=0\n"
                  "seq=17 state=unknown\nERR BAD_REQUEST not a request\n");
    stream_memory_end(fixture.client);
    loop_simulated_settle(&fixture.simulated);
    expect(fixture.client->is_closed);
    end(&fixture);
}

TEST(key_s_records_are_all_found_within_one_batch)
{
    struct fixture fixture;
    begin_with(&fixture, 13, (struct status_options){.has_keys = true});
    store_memory_set_slow_reads(fixture.store, true);
    store_numbers(&fixture, "a", 0, 17, 1);
    store_numbers(&fixture, "a", 0, 17, 1);
    settle(&fixture, 0, 0, 1);
    expect_answer(&fixture, "GET_STATUS 17 a\n", "PENDING\n");
    settle(&fixture, 0, 1, 1);
    expect_answer(&fixture, "GET_STATUS 17 a\n", "PROCESSED\n");
    end(&fixture);
}

static void expect_kmq(const char *request, const char *answer)
{
    struct fixture fixture;
    begin_with(&fixture, 14, (struct status_options){.is_kmq = true});
    store_numbers(&fixture, "k", 0, 17, 2);
    settle(&fixture, 0, 0, 1);
    stream_memory_send_text(fixture.client, request);
    loop_simulated_settle(&fixture.simulated);
    expect_span_is(stream_memory_received(fixture.client), answer);
    expect(fixture.client->is_closed);
    end(&fixture);
}

TEST(kmq_mode_answers_one_request_with_one_of_two_words_and_closes)
{
    expect_kmq("GET_STATUS 17\nGET_STATUS 17\n", "PROCESSED\n");
    expect_kmq(" GET_STATUS  0017 x y\r\n", "PROCESSED\n");
    expect_kmq("GET_STATUS 18\n", "PENDING\n");
    expect_kmq("GET_STATUS 99\n", "PENDING\n");
    expect_kmq("GET_STATUS 17-17\n", "PROCESSED\n");
    expect_kmq("GET_STATUS 10-17\n", "PENDING\n");
}

TEST(kmq_mode_is_silent_on_a_malformed_request)
{
    expect_kmq("GET_STATUS\n", "");
    expect_kmq("GET_STATUS x\n", "");
    expect_kmq("get_status 17\n", "");
    expect_kmq("GET_RECEIPT 17\n", "");
    expect_kmq("\nGET_STATUS 17\n", "");
}

TEST_MAIN(number_is_pending_until_it_is_processed,
          range_is_processed_or_its_pending_numbers_are_named,
          range_says_the_same_as_its_numbers_one_by_one,
          range_with_very_many_pending_numbers_ends_with_more,
          long_range_does_not_hold_up_another_client_nor_lose_its_place,
          connection_may_end_in_the_middle_of_a_range,
          client_that_stalls_within_a_range_gets_all_of_it_later,
          receipt_says_where_a_record_stands_and_what_became_of_it,
          number_of_several_records_has_a_line_for_each_and_the_last_one_shows,
          place_stands_for_a_number_with_its_topic_or_the_door_s,
          place_without_a_topic_is_no_request_when_the_door_names_none,
          number_with_a_key_is_processed_when_the_records_of_that_key_are,
          key_s_records_are_all_found_within_one_batch,
          kmq_mode_answers_one_request_with_one_of_two_words_and_closes,
          kmq_mode_is_silent_on_a_malformed_request)
