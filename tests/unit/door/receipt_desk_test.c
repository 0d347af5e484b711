/* Tests the operation `receipt` of the control socket. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/receipt_desk.h"

#include "door/control_door.h"
#include "store/store_memory.h"
#include "support/loop_simulated.h"
#include "support/stream_memory.h"
#include "support/test.h"
#include "support/test_append.h"

struct fixture {
    struct loop_simulated simulated;
    struct store *store;
    struct store_topic topic;
    struct store_topic letters;
    struct receipts *receipts;
    struct receipt_desk desk;
    struct control_door control;
    struct stream_memory *client;
    uint32_t group;
};

static void begin(struct fixture *fixture, uint64_t seed)
{
    static const struct receipt_policy by_default = {.rules = NULL};
    *fixture = (struct fixture){.client = NULL};
    loop_simulated_init(&fixture->simulated, seed);
    struct loop *loop = &fixture->simulated.loop;
    fixture->simulated.clock.wall_ns = 1795334400123 * CLOCK_NS_PER_MS;
    struct store *store = store_memory_new(&fixture->simulated.clock.clock);
    uint32_t sequence;
    fixture->store = store;
    expect_fine(store->ops->topic_open(store, span_from_text("orders"), 2, true, &fixture->topic));
    expect_fine(store->ops->topic_open(store, span_from_text("orders.dlq"), 1, true, &fixture->letters));
    expect_fine(store->ops->sequence_open(store, span_from_text("default"), &sequence));
    expect_fine(store->outcomes->group_open(store, span_from_text("g"), true, &fixture->group));
    expect_fine(receipts_new(store, &by_default, &fixture->receipts));
    fixture->desk = (struct receipt_desk){store, loop, fixture->receipts};
    control_door_init(&fixture->control, loop, "control", store,
                      (struct control_options){.operations = receipt_desk_operations(&fixture->desk)});
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
    expect_null(receipts_free(fixture->receipts));
    store_memory_free(fixture->store);
    loop_simulated_done(&fixture->simulated);
}

static void store_number(struct fixture *fixture, uint32_t partition, uint64_t seq)
{
    test_append_store(fixture->store, &fixture->topic, partition,
                      (struct test_records){.value = "v", .seq = seq});
}

static void
settle(struct fixture *fixture, const struct store_topic *topic, uint64_t offset, enum store_outcome outcome)
{
    struct store_settled settled = {.group = fixture->group,
                                    .topic = topic->id,
                                    .offset = offset,
                                    .count = 1,
                                    .outcome = outcome,
                                    .attempts = 2,
                                    .by = span_from_text("me")};
    struct test_append *test = test_append_new(&fixture->simulated.loop.mailbox);
    if (outcome == STORE_OUTCOME_DEAD)
        test_append_add(test, &fixture->letters, 0, (struct test_records){.value = "dead"});
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

TEST(receipt_is_asked_for_by_number_or_by_place)
{
    struct fixture fixture;
    begin(&fixture, 1);
    store_number(&fixture, 0, 17);
    expect_answer(&fixture, "{\"op\":\"receipt\",\"seq\":17}\n",
                  "{\"id\":\"orders/0/0\",\"topic\":\"orders\",\"partition\":0,\"offset\":0,\"seq\":17,"
                  "\"state\":\"stored\",\"stored_at\":1795334400123,\"groups\":[]}\n{\"ok\":true}\n");
    settle(&fixture, &fixture.topic, 0, STORE_OUTCOME_DONE);
    expect_answer(&fixture, "{\"op\":\"receipt\",\"id\":\"orders/0/0\"}\n",
                  "{\"id\":\"orders/0/0\",\"topic\":\"orders\",\"partition\":0,\"offset\":0,"
                  "\"state\":\"processed\",\"groups\":[{\"group\":\"g\",\"state\":\"done\",\"attempts\":2,"
                  "\"at\":1795334400123,\"by\":\"me\",\"decides\":true}]}\n{\"ok\":true}\n");
    end(&fixture);
}

TEST(dead_letter_and_its_replay_are_told)
{
    struct fixture fixture;
    begin(&fixture, 2);
    store_number(&fixture, 0, 17);
    settle(&fixture, &fixture.topic, 0, STORE_OUTCOME_DEAD);
    expect_answer(
        &fixture, "{\"op\":\"receipt\",\"id\":\"orders/0/0\"}\n",
        "{\"id\":\"orders/0/0\",\"topic\":\"orders\",\"partition\":0,\"offset\":0,"
        "\"state\":\"dead_lettered\",\"groups\":[{\"group\":\"g\",\"state\":\"dead\",\"attempts\":2,"
        "\"at\":1795334400123,\"by\":\"me\",\"decides\":false}],"
        "\"dead_letter\":{\"group\":\"g\",\"id\":\"orders.dlq/0/0\"}}\n{\"ok\":true}\n");
    settle(&fixture, &fixture.letters, 0, STORE_OUTCOME_DONE);
    expect_answer(&fixture, "{\"op\":\"receipt\",\"id\":\"orders/0/0\"}\n",
                  "{\"id\":\"orders/0/0\",\"topic\":\"orders\",\"partition\":0,\"offset\":0,"
                  "\"state\":\"replayed\",\"groups\":[{\"group\":\"g\",\"state\":\"replayed\",\"attempts\":2,"
                  "\"at\":1795334400123,\"by\":\"me\",\"decides\":true}],"
                  "\"dead_letter\":{\"group\":\"g\",\"id\":\"orders.dlq/0/0\"},"
                  "\"replay\":{\"group\":\"g\",\"state\":\"replayed\",\"attempts\":2,\"at\":1795334400123,"
                  "\"by\":\"me\",\"decides\":true}}\n{\"ok\":true}\n");
    end(&fixture);
}

TEST(what_is_not_known_and_what_is_no_question_is_refused)
{
    static const struct {
        const char *request;
        const char *answer;
    } cases[] = {
        {"{\"op\":\"receipt\",\"seq\":99}\n",
         "{\"ok\":false,\"code\":\"NOT_FOUND\",\"text\":\"nothing is known of the number 99\"}\n"},
        {"{\"op\":\"receipt\",\"seq\":17,\"sequence\":\"x\"}\n",
         "{\"ok\":false,\"code\":\"NOT_FOUND\",\"text\":\"there is no sequence x\"}\n"},
        {"{\"op\":\"receipt\",\"id\":\"orders/0/1\"}\n",
         "{\"ok\":false,\"code\":\"NOT_FOUND\",\"text\":\"orders/0/1 is not stored\"}\n"},
        {"{\"op\":\"receipt\",\"id\":\"x/0/1\"}\n",
         "{\"ok\":false,\"code\":\"UNKNOWN_TOPIC\",\"text\":\"there is no topic x\"}\n"},
        {"{\"op\":\"receipt\"}\n",
         "{\"ok\":false,\"code\":\"BAD_INPUT\",\"text\":\"receipt takes either id, or "
         "seq and perhaps sequence\"}\n"},
        {"{\"op\":\"receipt\",\"id\":\"orders/0/0\",\"seq\":1}\n",
         "{\"ok\":false,\"code\":\"BAD_INPUT\",\"text\":\"receipt takes either id, or seq and perhaps "
         "sequence\"}\n"},
        {"{\"op\":\"receipt\",\"id\":\"orders\"}\n",
         "{\"ok\":false,\"code\":\"BAD_INPUT\",\"text\":\"id is orders, but should be: "
         "<topic>/<partition>/<offset>\"}\n"},
        {"{\"op\":\"receipt\",\"seq\":0}\n", "{\"ok\":false,\"code\":\"BAD_INPUT\",\"text\":\"seq is 0, but "
                                             "should be: a whole number above 0\"}\n"},
    };
    struct fixture fixture;
    begin(&fixture, 3);
    store_number(&fixture, 0, 17);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_answer(&fixture, cases[i].request, cases[i].answer);
    end(&fixture);
}

TEST(number_of_very_many_records_is_answered_in_pieces_and_whoever_leaves_takes_the_rest_along)
{
    struct fixture fixture;
    begin(&fixture, 4);
    for (unsigned i = 0; i < 300; i++)
        store_number(&fixture, i % 2, 5);
    stream_memory_send_text(fixture.client,
                            "{\"op\":\"receipt\",\"seq\":5}\n{\"op\":\"receipt\",\"seq\":6}\n");
    loop_simulated_settle(&fixture.simulated);
    struct span received = stream_memory_received(fixture.client);
    unsigned lines = 0;
    for (size_t at = 0; at < received.len; at++)
        lines += received.data[at] == '\n';
    expect_equal_u64(lines, RECEIPT_PLACES_MAX + 2);
    stream_memory_send_text(fixture.client, "{\"op\":\"receipt\",\"seq\":5}\n");
    for (unsigned turn = 0; turn < 8; turn++)
        (void)loop_simulated_turn(&fixture.simulated);
    end(&fixture);
}

TEST_MAIN(receipt_is_asked_for_by_number_or_by_place,
          dead_letter_and_its_replay_are_told,
          what_is_not_known_and_what_is_no_question_is_refused,
          number_of_very_many_records_is_answered_in_pieces_and_whoever_leaves_takes_the_rest_along)
