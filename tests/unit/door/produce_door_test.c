/* Tests the produce door over streams and a store in memory: both modes, however bytes are cut, and everything in the way. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/produce_door.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "store/store_memory.h"
#include "support/loop_simulated.h"
#include "support/page.h"
#include "support/stream_memory.h"
#include "support/test.h"

struct fixture {
    struct loop_simulated simulated;
    struct store *store;
    struct produce_settings settings;
    struct append_gate gate;
    struct produce_door produce;
    struct stream_memory *client;
};

static struct stream_memory *connect(struct fixture *fixture)
{
    struct stream_memory *client = stream_memory_new(&fixture->simulated);
    door_take_stream(&fixture->produce.door, &client->stream);
    return client;
}

static void begin(struct fixture *fixture, uint64_t seed, struct produce_settings settings)
{
    *fixture = (struct fixture){.settings = settings};
    loop_simulated_init(&fixture->simulated, seed);
    fixture->store = store_memory_new(&fixture->simulated.clock.clock);
    append_gate_init(&fixture->gate, fixture->store, &fixture->simulated.loop);
    expect_fine(
        produce_door_init(&fixture->produce, &fixture->settings, &fixture->gate, "produce test", NULL));
    fixture->client = connect(fixture);
}

static void settle(struct fixture *fixture)
{
    loop_simulated_settle(&fixture->simulated);
}

static void leave(struct fixture *fixture, struct stream_memory *client)
{
    if (!client->is_closed)
        stream_memory_cut(client);
    settle(fixture);
    stream_memory_free(client);
}

static void end(struct fixture *fixture)
{
    store_memory_hold(fixture->store, false);
    (void)store_memory_finish(fixture->store, UINT32_MAX);
    leave(fixture, fixture->client);
    settle(fixture);
    expect_equal_u64(fixture->gate.inflight_bytes, 0);
    expect_equal_u64(fixture->gate.kept_bytes, 0);
    produce_door_done(&fixture->produce);
    append_gate_done(&fixture->gate);
    store_memory_free(fixture->store);
    loop_simulated_done(&fixture->simulated);
}

static void send(struct fixture *fixture, const char *text)
{
    stream_memory_send_text(fixture->client, text);
    settle(fixture);
}

static void expect_received(struct fixture *fixture, const char *text)
{
    expect_span_is(stream_memory_received(fixture->client), text);
    stream_memory_forget(fixture->client);
}

static uint64_t stored(struct fixture *fixture, const char *topic)
{
    struct store_topic found;
    struct store_extent extent;
    if (fixture->store->ops->topic_open(fixture->store, span_from_text(topic), 0, false, &found) != ERR_NONE)
        return 0;
    expect_fine(fixture->store->ops->extent(fixture->store, found.id, 0, &extent));
    return extent.end;
}

static bool has(struct fixture *fixture, uint64_t number)
{
    bool has;
    expect_fine(fixture->store->ops->sequence_has(fixture->store, fixture->produce.shared.batcher.sequence,
                                                  number, &has));
    return has;
}

TEST(plain_lines_are_stored_and_nothing_comes_back)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct fixture fixture;
        begin(&fixture, seed, PRODUCE_SETTINGS_DEFAULT);
        fixture.client->chunk_max = seed % 2 == 0 ? 3 : 1000;
        send(&fixture, "orders|1|1|first\r\norders|1|2|second\n\norders|1|3|\xff\xfe\nnothing\n");
        expect_equal_u64(stored(&fixture, "orders"), 3);
        expect_equal_u64(stored(&fixture, "unrouted.dlq"), 1);
        expect(has(&fixture, 1) && has(&fixture, 3) && !has(&fixture, 4));
        expect_received(&fixture, "");
        end(&fixture);
    }
}

TEST(a_half_closed_client_is_closed_when_everything_is_synced)
{
    struct fixture fixture;
    begin(&fixture, 1, PRODUCE_SETTINGS_DEFAULT);
    store_memory_hold(fixture.store, true);
    stream_memory_send_text(fixture.client, "a|1|1|x\na|1|2|without an end");
    stream_memory_end(fixture.client);
    settle(&fixture);
    expect(!fixture.client->is_closed);
    store_memory_hold(fixture.store, false);
    (void)store_memory_finish(fixture.store, UINT32_MAX);
    settle(&fixture);
    expect(fixture.client->is_closed);
    expect_equal_u64(stored(&fixture, "a"), 2);
    end(&fixture);
}

TEST(acknowledged_lines_settle_in_order_and_only_when_synced)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct fixture fixture;
        begin(&fixture, seed, PRODUCE_SETTINGS_DEFAULT);
        fixture.client->chunk_max = seed % 2 == 0 ? 4 : 1000;
        send(&fixture, "HELLO 1 producer=till-7\n");
        expect_received(&fixture, "READY window=10000 max_line=1048576 last=0\n");
        store_memory_hold(fixture.store, true);
        send(&fixture, "a|1|1|x\na|1|2|y\n");
        expect_received(&fixture, "");
        store_memory_hold(fixture.store, false);
        (void)store_memory_finish(fixture.store, UINT32_MAX);
        settle(&fixture);
        struct span answer = stream_memory_received(fixture.client);
        expect(span_equal_text(answer, "ACK 2 2\n") || span_equal_text(answer, "ACK 1 1\nACK 2 2\n"));
        stream_memory_forget(fixture.client);
        send(&fixture, "\n");
        expect_received(&fixture, "ERR 3 EMPTY final an empty line is no message\n");
        stream_memory_send_text(fixture.client, "a|1|9|z\na|1|10|torn");
        stream_memory_end(fixture.client);
        settle(&fixture);
        expect_received(&fixture, "ACK 4 9\nERR 5 UNFINISHED final the last line has no end\n");
        expect(fixture.client->is_closed);
        expect(!has(&fixture, 10));
        end(&fixture);
    }
}

/* The first dialogue of the page about acknowledged mode: what it sends brings what it shows. */
TEST(the_example_of_the_page_plays_as_printed)
{
    struct fixture fixture;
    begin(&fixture, 1, PRODUCE_SETTINGS_DEFAULT);
    char *page = page_read("docs/protocols/line.md");
    char *line = strstr(page, "\n> HELLO");
    expect_not_null(line);
    for (line = strtok(line, "\n"); *line == '<' || *line == '>'; line = strtok(NULL, "\n")) {
        if (*line == '>') {
            stream_memory_send_text(fixture.client, line + 2);
            stream_memory_send_text(fixture.client, "\n");
            continue;
        }
        char answer[128];
        settle(&fixture);
        (void)snprintf(answer, sizeof answer, "%s\n", line + 2);
        expect_received(&fixture, answer);
    }
    free(page);
    end(&fixture);
}

TEST(a_returning_producer_is_told_its_last_number)
{
    struct fixture fixture;
    begin(&fixture, 1, PRODUCE_SETTINGS_DEFAULT);
    send(&fixture, "HELLO 1 producer=p\na|1|41|x\na|1|12|y\n");
    struct stream_memory *again = connect(&fixture);
    stream_memory_send_text(again, "HELLO 1 producer=p\n");
    settle(&fixture);
    expect_span_is(stream_memory_received(again), "READY window=10000 max_line=1048576 last=41\n");
    leave(&fixture, again);
    end(&fixture);
}

TEST(bad_greetings_are_answered_and_closed)
{
    struct fixture fixture;
    begin(&fixture, 1, PRODUCE_SETTINGS_DEFAULT);
    send(&fixture, "HELLO 2\na|1|1|not read\n");
    expect_received(&fixture, "ERR 0 BAD_VERSION final only version 1 is spoken\n");
    expect(fixture.client->is_closed);
    expect_equal_u64(stored(&fixture, "a"), 0);
    end(&fixture);
}

TEST(a_greeting_is_data_where_the_door_says_so)
{
    struct fixture fixture;
    struct produce_settings settings = PRODUCE_SETTINGS_DEFAULT;
    settings.hello = false;
    begin(&fixture, 1, settings);
    send(&fixture, "HELLO 1\n");
    expect_received(&fixture, "");
    expect_equal_u64(stored(&fixture, "unrouted.dlq"), 1);
    end(&fixture);
}

TEST(too_long_lines_are_parked_cut_or_refused_and_the_next_line_is_fine)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct fixture fixture;
        struct produce_settings settings = PRODUCE_SETTINGS_DEFAULT;
        settings.max_line = 20;
        begin(&fixture, seed, settings);
        fixture.client->chunk_max = seed % 2 == 0 ? 5 : 1000;
        struct stream_memory *acknowledged = connect(&fixture);
        static const char lines[] = "a|1|1|exactly 20 byt\r\n"
                                    "a|1|2|this one is longer than the limit by far\n"
                                    "a|1|3|fine\n";
        stream_memory_send_text(fixture.client, lines);
        stream_memory_send_text(acknowledged, "HELLO 1\n");
        stream_memory_send_text(acknowledged, lines);
        settle(&fixture);
        expect_equal_u64(stored(&fixture, "a"), 4);
        expect_equal_u64(stored(&fixture, "unrouted.dlq"), 1);
        struct span answer = stream_memory_received(acknowledged);
        struct span tail = span_from_text("ERR 2 TOO_LONG final longer than the limit\nACK 3 3\n");
        expect(answer.len > tail.len);
        expect_equal_span(span_after(answer, answer.len - tail.len), tail);
        leave(&fixture, acknowledged);
        end(&fixture);
    }
}

/* The line that has no room in an append is offered again to the next one. */
TEST(lines_that_fill_more_than_one_append_are_all_stored_where_they_belong)
{
    struct fixture fixture;
    char text[64 * 32];
    int len = 0;
    begin(&fixture, 1, PRODUCE_SETTINGS_DEFAULT);
    fixture.store->append_size_max = 2048;
    for (int i = 1; i <= 64; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, "orders|1|%d|body\n", i);
    send(&fixture, text);
    expect_equal_u64(stored(&fixture, "orders"), 64);
    expect_equal_u64(stored(&fixture, "unrouted.dlq"), 0);
    end(&fixture);
}

TEST(strangers_are_cut_and_nothing_of_them_is_stored)
{
    static const char *const speeches[] = {"\x16\x03\x01\x02", "POST /a HTTP/1.1\r\n\r\na|1|1|x\n"};
    for (size_t i = 0; i < 2; i++) {
        struct fixture fixture;
        begin(&fixture, 1, PRODUCE_SETTINGS_DEFAULT);
        send(&fixture, speeches[i]);
        expect(fixture.client->is_closed);
        expect_equal_u64(stored(&fixture, "a"), 0);
        expect_equal_u64(stored(&fixture, "unrouted.dlq"), 0);
        end(&fixture);
    }
}

TEST(no_more_than_a_window_of_lines_is_open)
{
    struct fixture fixture;
    struct produce_settings settings = PRODUCE_SETTINGS_DEFAULT;
    settings.window = 3;
    begin(&fixture, 1, settings);
    store_memory_hold(fixture.store, true);
    send(&fixture, "HELLO 1\na|1|1|x\na|1|2|x\na|1|3|x\na|1|4|x\na|1|5|x\na|1|6|x\na|1|7|x\n");
    stream_memory_forget(fixture.client);
    uint64_t open = 0;
    while (store_memory_waiting(fixture.store) > 0 && open < 10) {
        (void)store_memory_finish(fixture.store, UINT32_MAX);
        expect(stored(&fixture, "a") <= open + 3);
        settle(&fixture);
        open = stored(&fixture, "a");
    }
    expect_equal_u64(open, 7);
    struct span answer = stream_memory_received(fixture.client);
    expect_span_is(span_after(answer, answer.len - 8), "ACK 7 7\n");
    end(&fixture);
}

TEST(a_full_store_holds_everything_back_and_loses_nothing)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct fixture fixture;
        begin(&fixture, seed, PRODUCE_SETTINGS_DEFAULT);
        fixture.client->chunk_max = 50;
        store_memory_set_inflight_max(fixture.store, 500);
        store_memory_set_state(fixture.store, STORE_FULL);
        for (int i = 1; i <= 500; i++) {
            char line[64];
            (void)snprintf(line, sizeof line, "a|1|%d|body of the message\n", i);
            stream_memory_send_text(fixture.client, line);
        }
        settle(&fixture);
        expect_equal_u64(stored(&fixture, "a"), 0);
        expect(fixture.client->is_paused);
        expect(fixture.gate.inflight_bytes < 4096);
        store_memory_set_state(fixture.store, STORE_OPEN);
        settle(&fixture);
        expect_equal_u64(stored(&fixture, "a"), 500);
        end(&fixture);
    }
}

TEST(a_full_topic_holds_up_only_those_who_write_to_it_and_their_order_stays)
{
    struct fixture fixture;
    struct store_topic full;
    begin(&fixture, 1, PRODUCE_SETTINGS_DEFAULT);
    struct stream_memory *other = connect(&fixture);
    expect_fine(fixture.store->ops->topic_open(fixture.store, span_from_text("full"), 1, true, &full));
    store_memory_set_topic_full(fixture.store, full.id, true);
    send(&fixture, "full|1|1|a\n");
    send(&fixture, "free|1|2|b\n"); /* behind the other line of its connection */
    for (int i = 0; i < 20; i++) {
        stream_memory_send_text(other, "free|1|3|c\n");
        settle(&fixture);
    }
    expect_equal_u64(stored(&fixture, "full"), 0);
    expect_equal_u64(stored(&fixture, "free"), 20);
    expect(!has(&fixture, 1) && !has(&fixture, 2) && has(&fixture, 3));
    expect(fixture.gate.parked_bytes > 0);
    store_memory_set_topic_full(fixture.store, full.id, false);
    settle(&fixture);
    expect_equal_u64(stored(&fixture, "full"), 1);
    expect_equal_u64(stored(&fixture, "free"), 21);
    expect_equal_u64(fixture.gate.parked_bytes, 0);
    send(&fixture, "full|1|4|d\n");
    expect(has(&fixture, 4));
    leave(&fixture, other);
    end(&fixture);
}

TEST(a_store_that_breaks_while_a_topic_is_full_ends_what_waited)
{
    struct fixture fixture;
    struct store_topic full;
    begin(&fixture, 1, PRODUCE_SETTINGS_DEFAULT);
    expect_fine(fixture.store->ops->topic_open(fixture.store, span_from_text("full"), 1, true, &full));
    store_memory_set_topic_full(fixture.store, full.id, true);
    send(&fixture, "HELLO 1\nfull|1|1|a\n");
    stream_memory_forget(fixture.client);
    store_memory_set_state(fixture.store, STORE_BROKEN);
    settle(&fixture);
    expect(fixture.client->is_closed);
    expect_equal_u64(fixture.gate.parked_bytes, 0);
    end(&fixture);
}

TEST(everyone_who_waited_has_a_turn_though_others_have_nothing_to_send)
{
    enum { MANY = 60 };
    struct fixture fixture;
    struct stream_memory *clients[MANY];
    begin(&fixture, 1, PRODUCE_SETTINGS_DEFAULT);
    store_memory_set_inflight_max(fixture.store, 100);
    store_memory_set_state(fixture.store, STORE_FULL);
    for (int i = 0; i < MANY; i++) {
        clients[i] = connect(&fixture);
        stream_memory_send_text(clients[i], "a|1|1|x\n");
        settle(&fixture);
    }
    expect(clients[MANY - 1]->is_paused);
    store_memory_set_state(fixture.store, STORE_OPEN);
    settle(&fixture);
    for (int i = 0; i < MANY; i++)
        expect(!clients[i]->is_paused);
    expect_equal_u64(stored(&fixture, "a"), MANY);
    for (int i = 0; i < MANY; i++)
        leave(&fixture, clients[i]);
    end(&fixture);
}

TEST(a_busy_store_is_offered_appends_again_in_order)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct fixture fixture;
        begin(&fixture, seed, PRODUCE_SETTINGS_DEFAULT);
        struct stream_memory *other = connect(&fixture);
        store_memory_set_inflight_max(fixture.store, 300);
        store_memory_hold(fixture.store, true);
        fixture.client->chunk_max = other->chunk_max = 60;
        stream_memory_send_text(fixture.client, "HELLO 1\n");
        for (int i = 1; i <= 100; i++) {
            char line[64];
            (void)snprintf(line, sizeof line, "a|1|%d|body of the message\n", i);
            stream_memory_send_text(fixture.client, line);
            (void)snprintf(line, sizeof line, "b|1|%d|body of the message\n", i);
            stream_memory_send_text(other, line);
        }
        do
            settle(&fixture);
        while (store_memory_finish(fixture.store, 1) > 0);
        expect_equal_u64(stored(&fixture, "a"), 100);
        expect_equal_u64(stored(&fixture, "b"), 100);
        struct span answer = stream_memory_received(fixture.client);
        expect_span_is(span_after(answer, answer.len - 12), "ACK 100 100\n");
        leave(&fixture, other);
        end(&fixture);
    }
}

TEST(a_broken_store_is_told_and_the_connection_closes)
{
    struct fixture fixture;
    begin(&fixture, 1, PRODUCE_SETTINGS_DEFAULT);
    send(&fixture, "HELLO 1\na|1|1|x\n");
    stream_memory_forget(fixture.client);
    store_memory_set_state(fixture.store, STORE_BROKEN);
    send(&fixture, "a|1|2|x\n");
    expect_received(&fixture, "ERR 0 BROKEN final the log is broken after a failed write or sync\n");
    expect(fixture.client->is_closed);
    end(&fixture);
}

TEST(a_draining_door_answers_what_is_open_and_closes)
{
    struct fixture fixture;
    begin(&fixture, 1, PRODUCE_SETTINGS_DEFAULT);
    store_memory_hold(fixture.store, true);
    send(&fixture, "HELLO 1\na|1|1|x\n");
    stream_memory_forget(fixture.client);
    door_drain(&fixture.produce.door, NULL, NULL);
    settle(&fixture);
    expect_received(&fixture, "");
    store_memory_hold(fixture.store, false);
    (void)store_memory_finish(fixture.store, UINT32_MAX);
    settle(&fixture);
    expect_received(&fixture, "ACK 1 1\nERR 0 DRAINING retry the program is stopping\n");
    expect(fixture.client->is_closed);
    end(&fixture);
}

TEST(a_peer_that_does_not_read_its_answers_is_not_read_either)
{
    struct fixture fixture;
    struct produce_settings settings = PRODUCE_SETTINGS_DEFAULT;
    settings.otherwise = span_of(NULL, 0);
    begin(&fixture, 1, settings);
    stream_memory_stall(fixture.client, true);
    send(&fixture, "HELLO 1\n");
    for (int i = 0; i < 20000; i++)
        stream_memory_send_text(fixture.client, "no message\n");
    settle(&fixture);
    expect(!fixture.client->is_closed);
    expect(fixture.client->is_paused);
    expect(fixture.client->coming.len > 0 || fixture.gate.kept_bytes > 0);
    stream_memory_stall(fixture.client, false);
    stream_memory_end(fixture.client);
    settle(&fixture);
    expect(fixture.client->is_closed);
    struct span answer = stream_memory_received(fixture.client);
    static const char last[] = "ERR 20000 MISSING_FIELD final fewer fields than the door expects\n";
    expect_span_is(span_after(answer, answer.len - strlen(last)), last);
    end(&fixture);
}

TEST(a_client_that_is_cut_loses_no_line_that_was_whole)
{
    struct fixture fixture;
    begin(&fixture, 1, PRODUCE_SETTINGS_DEFAULT);
    store_memory_hold(fixture.store, true);
    send(&fixture, "a|1|1|x\na|1|2|torn");
    stream_memory_cut(fixture.client);
    settle(&fixture);
    expect(fixture.client->is_closed);
    store_memory_hold(fixture.store, false);
    (void)store_memory_finish(fixture.store, UINT32_MAX);
    settle(&fixture);
    expect_equal_u64(stored(&fixture, "a"), 1);
    end(&fixture);
}

TEST(a_duplicate_is_acknowledged_only_after_the_first_is_synced)
{
    struct fixture fixture;
    struct produce_settings settings = PRODUCE_SETTINGS_DEFAULT;
    settings.drop_duplicates = true;
    begin(&fixture, 1, settings);
    struct stream_memory *other = connect(&fixture);
    store_memory_hold(fixture.store, true);
    send(&fixture, "a|1|1|x\n");
    stream_memory_send_text(other, "HELLO 1\na|1|1|x\n");
    settle(&fixture);
    expect_span_is(stream_memory_received(other), "READY window=10000 max_line=1048576\n");
    (void)store_memory_finish(fixture.store, UINT32_MAX);
    settle(&fixture);
    (void)store_memory_finish(fixture.store, UINT32_MAX);
    settle(&fixture);
    expect_span_is(stream_memory_received(other), "READY window=10000 max_line=1048576\nACK 1 1\n");
    expect_equal_u64(stored(&fixture, "a"), 1);
    leave(&fixture, other);
    end(&fixture);
}

TEST(stalled_holders_of_unfinished_lines_are_cut_when_their_budget_is_used_up)
{
    enum { HOLDERS = 40 };
    struct fixture fixture;
    struct stream_memory *holders[HOLDERS];
    static uint8_t part[900 * 1024];
    memset(part, 'x', sizeof part);
    begin(&fixture, 1, PRODUCE_SETTINGS_DEFAULT);
    for (int i = 0; i < HOLDERS; i++) {
        holders[i] = connect(&fixture);
        holders[i]->chunk_max = 256 * 1024;
        stream_memory_send(holders[i], span_of(part, sizeof part));
    }
    settle(&fixture);
    expect(append_gate_is_out_of_room(&fixture.gate));
    expect(fixture.gate.kept_bytes < 2 * GATE_KEPT_MAX);
    send(&fixture, "a|1|1|small lines go on\n");
    expect_equal_u64(stored(&fixture, "a"), 1);
    loop_simulated_pass(&fixture.simulated, 60 * CLOCK_NS_PER_S);
    expect(!append_gate_is_out_of_room(&fixture.gate));
    expect(!fixture.client->is_closed);
    for (int i = 0; i < HOLDERS; i++)
        leave(&fixture, holders[i]);
    end(&fixture);
}

TEST_MAIN(plain_lines_are_stored_and_nothing_comes_back,
          a_half_closed_client_is_closed_when_everything_is_synced,
          acknowledged_lines_settle_in_order_and_only_when_synced,
          the_example_of_the_page_plays_as_printed,
          a_returning_producer_is_told_its_last_number,
          bad_greetings_are_answered_and_closed,
          a_greeting_is_data_where_the_door_says_so,
          too_long_lines_are_parked_cut_or_refused_and_the_next_line_is_fine,
          lines_that_fill_more_than_one_append_are_all_stored_where_they_belong,
          strangers_are_cut_and_nothing_of_them_is_stored,
          no_more_than_a_window_of_lines_is_open,
          a_full_store_holds_everything_back_and_loses_nothing,
          a_full_topic_holds_up_only_those_who_write_to_it_and_their_order_stays,
          a_store_that_breaks_while_a_topic_is_full_ends_what_waited,
          everyone_who_waited_has_a_turn_though_others_have_nothing_to_send,
          a_busy_store_is_offered_appends_again_in_order,
          a_broken_store_is_told_and_the_connection_closes,
          a_draining_door_answers_what_is_open_and_closes,
          a_peer_that_does_not_read_its_answers_is_not_read_either,
          a_client_that_is_cut_loses_no_line_that_was_whole,
          a_duplicate_is_acknowledged_only_after_the_first_is_synced,
          stalled_holders_of_unfinished_lines_are_cut_when_their_budget_is_used_up)
