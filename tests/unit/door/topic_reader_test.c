/* Tests the reader of a topic over a store and a stream in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/topic_reader.h"

#include <stdio.h>

#include "base/metric.h"
#include "store/store_memory.h"
#include "support/loop_simulated.h"
#include "support/stream_memory.h"
#include "support/test.h"
#include "support/test_append.h"

struct fixture {
    struct loop_simulated simulated;
    struct store *store;
    struct store_topic topic;
    struct stream_memory *peer;
    struct read_pool pool;
    struct line_writer writer;
    struct topic_reader *reader;
    uint64_t gap_from;
    uint64_t gap_to;
    unsigned finished;
    enum err err;
    struct why why;
};

static bool on_bytes(void *owner, struct span bytes)
{
    (void)owner;
    (void)bytes;
    return true;
}

static void on_end(void *owner)
{
    (void)owner;
}

static void on_drained(void *owner)
{
    struct fixture *fixture = owner;
    if (line_writer_resume(&fixture->writer) != ERR_BUSY && fixture->reader != NULL)
        topic_reader_resume(fixture->reader);
}

static void on_closed(void *owner, enum err err)
{
    (void)owner;
    (void)err;
}

static void on_finished(void *owner, enum err err, const struct why *why)
{
    struct fixture *fixture = owner;
    fixture->finished++;
    fixture->err = err;
    fixture->why = *why;
    fixture->reader = topic_reader_close(fixture->reader);
}

static void begin(struct fixture *fixture, uint64_t seed, uint32_t partitions)
{
    static const struct stream_events events = {on_bytes, on_end, on_drained, on_closed};
    *fixture = (struct fixture){.peer = NULL};
    loop_simulated_init(&fixture->simulated, seed);
    fixture->store = store_memory_new(&fixture->simulated.clock.clock);
    expect_fine(fixture->store->ops->topic_open(fixture->store, span_from_text("t"), partitions, true,
                                                &fixture->topic));
    fixture->peer = stream_memory_new(&fixture->simulated);
    fixture->peer->stream.events = &events;
    fixture->peer->stream.owner = fixture;
    read_pool_init(&fixture->pool, &fixture->simulated.loop);
    line_writer_init(&fixture->writer, &fixture->peer->stream);
}

static void end(struct fixture *fixture)
{
    fixture->reader = topic_reader_close(fixture->reader);
    line_writer_done(&fixture->writer);
    stream_close(&fixture->peer->stream, false);
    loop_simulated_settle(&fixture->simulated);
    stream_memory_free(fixture->peer);
    read_pool_done(&fixture->pool);
    store_memory_free(fixture->store);
    loop_simulated_done(&fixture->simulated);
}

static void store_records(struct fixture *fixture, uint32_t partition, struct test_records records)
{
    test_append_store(fixture->store, &fixture->topic, partition, records);
}

static void on_gap(void *owner, uint32_t partition, uint64_t from, uint64_t to)
{
    struct fixture *fixture = owner;
    expect_equal_u64(partition, 0);
    fixture->gap_from = from;
    fixture->gap_to = to;
}

static enum err new_reader(struct fixture *fixture, const struct topic_reader_options *options)
{
    struct topic_reader_events events = {.on_finished = on_finished, .on_gap = on_gap, .owner = fixture};
    return topic_reader_new(options, fixture->store, &fixture->pool, &fixture->writer, events,
                            &fixture->reader);
}

static void start(struct fixture *fixture, struct topic_reader_options options)
{
    options.topic = fixture->topic;
    expect_fine(new_reader(fixture, &options));
    loop_simulated_settle(&fixture->simulated);
}

static void expect_received(struct fixture *fixture, const char *lines)
{
    loop_simulated_settle(&fixture->simulated);
    expect_span_is(stream_memory_received(fixture->peer), lines);
}

static const struct topic_reader_options from_start = {
    .from = TOPIC_READER_FROM_START,
    .partition = TOPIC_READER_ALL_PARTITIONS,
};

TEST(whole_topic_is_written_and_finished)
{
    struct fixture fixture;
    begin(&fixture, 1, 1);
    uint32_t sequence;
    expect_fine(fixture.store->ops->sequence_open(fixture.store, span_from_text("default"), &sequence));
    store_records(&fixture, 0, (struct test_records){.key = "k", .value = "a", .count = 2, .seq = 41});
    store_records(&fixture, 0, (struct test_records){.value = "b"});
    start(&fixture, from_start);
    expect_received(&fixture, "41|k|1700000000123|a\n42|k|1700000000123|a\n0:2||1700000000123|b\n");
    expect_equal_u64(fixture.finished, 1);
    expect_err(fixture.err, ERR_NONE);
    end(&fixture);
}

TEST(offset_in_the_middle_of_a_batch_begins_there_and_the_limit_ends_it)
{
    struct fixture fixture;
    begin(&fixture, 2, 1);
    store_records(&fixture, 0, (struct test_records){.value = "a", .count = 9});
    struct topic_reader_options options = {
        .from = TOPIC_READER_FROM_OFFSET, .offset = 4, .limit = 2, .follow = true};
    start(&fixture, options);
    expect_received(&fixture, "0:4||1700000000123|a\n0:5||1700000000123|a\n");
    expect_equal_u64(fixture.finished, 1);
    end(&fixture);
}

TEST(one_partition_is_read_alone_and_one_that_is_not_there_refused)
{
    struct fixture fixture;
    begin(&fixture, 3, 3);
    store_records(&fixture, 1, (struct test_records){.value = "one"});
    store_records(&fixture, 2, (struct test_records){.value = "two"});
    struct topic_reader_options options = {
        .from = TOPIC_READER_FROM_START, .partition = 2, .topic = fixture.topic};
    start(&fixture, options);
    expect_received(&fixture, "2:0||1700000000123|two\n");
    options.partition = 3;
    expect_err(new_reader(&fixture, &options), ERR_UNKNOWN_TOPIC);
    end(&fixture);
}

TEST(follower_waits_at_the_end_and_misses_nothing)
{
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct fixture fixture;
        begin(&fixture, seed, 2);
        store_memory_set_slow_reads(fixture.store, seed % 2 == 1);
        store_records(&fixture, 0, (struct test_records){.value = "before"});
        struct topic_reader_options options = {
            .from = TOPIC_READER_FROM_END, .partition = TOPIC_READER_ALL_PARTITIONS, .follow = true};
        start(&fixture, options);
        char expected[512] = "";
        size_t len = 0;
        for (unsigned i = 0; i < 10; i++) {
            store_records(&fixture, 1, (struct test_records){.value = "x"});
            len += (size_t)snprintf(expected + len, sizeof(expected) - len, "1:%u||1700000000123|x\n", i);
            for (uint64_t turn = 0; turn < seed % 4; turn++)
                loop_simulated_turn(&fixture.simulated);
        }
        expect_received(&fixture, expected);
        expect_equal_u64(fixture.finished, 0);
        end(&fixture);
    }
}

TEST(reader_without_follow_stops_where_the_end_was)
{
    struct fixture fixture;
    begin(&fixture, 4, 1);
    store_records(&fixture, 0, (struct test_records){.value = "a"});
    struct topic_reader_options options = from_start;
    options.topic = fixture.topic;
    expect_fine(new_reader(&fixture, &options));
    store_records(&fixture, 0, (struct test_records){.value = "later"});
    expect_received(&fixture, "0:0||1700000000123|a\n");
    expect_equal_u64(fixture.finished, 1);
    end(&fixture);
}

TEST(place_that_retention_passed_is_left_out_and_counted)
{
    struct fixture fixture;
    begin(&fixture, 5, 1);
    store_records(&fixture, 0, (struct test_records){.value = "a", .count = 5});
    store_memory_expire(fixture.store, fixture.topic.id, 0, 3);
    int64_t gaps = metric_get(METRIC_GAPS);
    struct topic_reader_options options = {.from = TOPIC_READER_FROM_OFFSET, .offset = 1};
    start(&fixture, options);
    expect_received(&fixture, "0:3||1700000000123|a\n0:4||1700000000123|a\n");
    expect_equal_i64(metric_get(METRIC_GAPS) - gaps, 1);
    expect_equal_u64(fixture.gap_from, 1);
    expect_equal_u64(fixture.gap_to, 3);
    end(&fixture);
}

TEST(batch_larger_than_the_buffer_is_made_room_for)
{
    static char value[900 * 1024];
    struct fixture fixture;
    begin(&fixture, 6, 1);
    memset(value, 'v', sizeof(value) - 1);
    store_records(&fixture, 0, (struct test_records){.value = value, .count = 2});
    start(&fixture, from_start);
    expect_equal_u64(fixture.finished, 1);
    expect_err(fixture.err, ERR_NONE);
    expect_equal_u64(stream_memory_received(fixture.peer).len,
                     2 * (strlen(value) + strlen("0:0||1700000000123|\n")));
    end(&fixture);
}

TEST(record_above_the_limit_of_records_is_read_as_it_was_stored)
{
    static char value[3 * 1024 * 1024];
    struct fixture fixture;
    begin(&fixture, 10, 1);
    memset(value, '\n', sizeof(value) - 1); /* escaped, the longest form of a line */
    store_records(&fixture, 0, (struct test_records){.value = value, .count = 2});
    fixture.store->record_size_max = 64 * 1024;
    start(&fixture, from_start);
    expect_equal_u64(fixture.finished, 1);
    expect_err(fixture.err, ERR_NONE);
    expect_equal_u64(stream_memory_received(fixture.peer).len,
                     2 * (2 * strlen(value) + strlen("0:0||1700000000123|\n")));
    end(&fixture);
}

TEST(reader_that_is_ended_finishes_behind_a_whole_line)
{
    static char value[600 * 1024];
    struct fixture fixture;
    begin(&fixture, 11, 1);
    memset(value, 'v', sizeof(value) - 1);
    store_records(&fixture, 0, (struct test_records){.value = value});
    store_records(&fixture, 0, (struct test_records){.value = value});
    stream_memory_stall(fixture.peer, true);
    start(&fixture, from_start);
    expect(fixture.peer->queue.len < strlen(value));
    topic_reader_end(fixture.reader, ERR_DRAINING);
    stream_memory_stall(fixture.peer, false);
    loop_simulated_settle(&fixture.simulated);
    expect_equal_u64(fixture.finished, 1);
    expect_err(fixture.err, ERR_DRAINING);
    expect_equal_text(fixture.why.text, "partition 0 offset 1: the program is stopping");
    struct span received = stream_memory_received(fixture.peer);
    expect_equal_u64(received.len, strlen(value) + strlen("0:0||1700000000123|\n"));
    expect_equal_u64(received.data[received.len - 1], '\n');
    end(&fixture);
}

TEST(stalled_peer_stops_the_reader_until_it_reads_again)
{
    struct fixture fixture;
    begin(&fixture, 7, 1);
    for (unsigned i = 0; i < 40; i++)
        store_records(&fixture, 0, (struct test_records){.value = "some bytes for a line", .count = 1000});
    stream_memory_stall(fixture.peer, true);
    start(&fixture, from_start);
    expect_equal_u64(fixture.finished, 0);
    expect(fixture.peer->queue.len <= 2 * STREAM_WRITE_QUEUE_MAX);
    stream_memory_stall(fixture.peer, false);
    loop_simulated_settle(&fixture.simulated);
    expect_equal_u64(fixture.finished, 1);
    struct span received = stream_memory_received(fixture.peer);
    unsigned lines = 0;
    char start_of_line[32];
    for (size_t at; (at = span_find(received, '\n')) < received.len;
         received = span_after(received, at + 1)) {
        snprintf(start_of_line, sizeof(start_of_line), "0:%u|", lines++);
        expect(span_starts_with(received, start_of_line));
    }
    expect_equal_u64(lines, 40000);
    end(&fixture);
}

TEST(reader_closed_while_the_store_owes_it_an_answer_is_freed_later)
{
    struct fixture fixture;
    begin(&fixture, 8, 1);
    store_records(&fixture, 0, (struct test_records){.value = "a"});
    store_memory_set_slow_reads(fixture.store, true);
    store_memory_hold(fixture.store, true);
    struct topic_reader_options options = from_start;
    options.follow = true;
    start(&fixture, options);
    expect_equal_u64(store_memory_waiting(fixture.store), 1);
    fixture.reader = topic_reader_close(fixture.reader);
    store_memory_hold(fixture.store, false);
    loop_simulated_settle(&fixture.simulated);
    expect_equal_u64(stream_memory_received(fixture.peer).len, 0);
    expect_equal_u64(fixture.finished, 0);
    end(&fixture);
}

TEST(stream_that_is_gone_finishes_the_reader)
{
    struct fixture fixture;
    begin(&fixture, 9, 1);
    store_records(&fixture, 0, (struct test_records){.value = "a"});
    stream_memory_cut(fixture.peer);
    start(&fixture, from_start);
    expect_err(fixture.err, ERR_CLOSED);
    end(&fixture);
}

TEST_MAIN(whole_topic_is_written_and_finished,
          offset_in_the_middle_of_a_batch_begins_there_and_the_limit_ends_it,
          one_partition_is_read_alone_and_one_that_is_not_there_refused,
          follower_waits_at_the_end_and_misses_nothing,
          reader_without_follow_stops_where_the_end_was,
          place_that_retention_passed_is_left_out_and_counted,
          batch_larger_than_the_buffer_is_made_room_for,
          record_above_the_limit_of_records_is_read_as_it_was_stored,
          reader_that_is_ended_finishes_behind_a_whole_line,
          stalled_peer_stops_the_reader_until_it_reads_again,
          reader_closed_while_the_store_owes_it_an_answer_is_freed_later,
          stream_that_is_gone_finishes_the_reader)
