/* Tests that what consumers write down becomes outcomes, over a file system and a store in memory, through restarts and bad lines. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/processed_log.h"

#include <stdio.h>

#include "base/metric.h"
#include "door/group_home.h"
#include "store/store_memory.h"
#include "support/fs_memory.h"
#include "support/loop_simulated.h"
#include "support/test.h"
#include "support/test_append.h"

struct fixture {
    struct loop_simulated simulated;
    struct fs *fs;
    struct store *store;
    struct store_topic topic;
    struct processed_log_settings settings;
    struct group_home home;
    struct processed_log *log;
    uint32_t group;
};

static void start(struct fixture *fixture)
{
    struct groups_settings settings = {.span_max = STORE_SPAN_MAX, .open_max = 100000};
    struct loop *loop = &fixture->simulated.loop;
    expect_fine(group_home_init(&fixture->home, fixture->store, loop, &settings));
    expect_fine(processed_log_new(fixture->store, loop, fixture->home.groups, fixture->fs, &fixture->settings,
                                  &fixture->log));
}

static void stop(struct fixture *fixture)
{
    processed_log_stop(fixture->log);
    group_home_done(&fixture->home);
    fixture->log = processed_log_free(fixture->log);
}

static void begin_with(struct fixture *fixture, uint64_t seed, const char *topic_of_places)
{
    *fixture = (struct fixture){.fs = fs_memory_new()};
    loop_simulated_init(&fixture->simulated, seed);
    fixture->store = store_memory_new(&fixture->simulated.clock.clock);
    const struct store_ops *ops = fixture->store->ops;
    expect_fine(ops->topic_open(fixture->store, span_from_text("orders"), 3, true, &fixture->topic));
    fixture->settings = (struct processed_log_settings){
        .path = "dir/processed.log",
        .name = "processed.log",
        .group = span_from_text("processed_log"),
        .sequence_name = span_from_text("default"),
        .topic = span_from_text(topic_of_places),
    };
    expect_fine(
        ops->sequence_open(fixture->store, fixture->settings.sequence_name, &fixture->settings.sequence));
    expect_fine(
        fixture->store->outcomes->group_open(fixture->store, fixture->settings.group, true, &fixture->group));
    start(fixture);
}

static void begin(struct fixture *fixture, uint64_t seed)
{
    begin_with(fixture, seed, "");
}

static void end(struct fixture *fixture)
{
    stop(fixture);
    expect_equal_i64(metric_get(METRIC_PROCESSED_LOG_BEHIND), 0);
    loop_simulated_settle(&fixture->simulated);
    store_memory_free(fixture->store);
    fixture->fs = fs_memory_free(fixture->fs);
    loop_simulated_done(&fixture->simulated);
}

static void store_numbers(struct fixture *fixture, uint32_t partition, uint64_t from, uint32_t count)
{
    test_append_store(fixture->store, &fixture->topic, partition,
                      (struct test_records){.value = "v", .seq = from, .count = count});
}

static void append(struct fixture *fixture, const char *text)
{
    struct fs_file *file = NULL;
    struct fs_stat stat;
    expect_fine(fs_open(fixture->fs, "processed.log", FS_OPEN_WRITE | FS_OPEN_CREATE, &file));
    expect_fine(file->ops->stat(file, &stat));
    expect_fine(fs_pwrite(file, span_from_text(text), stat.size));
    file = fs_close(file);
}

static void append_and_settle(struct fixture *fixture, const char *text)
{
    append(fixture, text);
    processed_log_poke(fixture->log);
    loop_simulated_settle(&fixture->simulated);
}

static bool is_done(struct fixture *fixture, uint32_t partition, uint64_t offset)
{
    struct store_position position = {fixture->topic.id, partition, offset};
    return fixture->store->outcomes->outcome(fixture->store, fixture->group, position) == STORE_OUTCOME_DONE;
}

static uint64_t done_count(struct fixture *fixture, uint32_t partition, uint64_t to)
{
    uint64_t count = 0;
    for (uint64_t offset = 0; offset < to; offset++)
        count += is_done(fixture, partition, offset);
    return count;
}

static void expect_metric(enum metric metric, int64_t before, int64_t grown)
{
    expect_equal_i64(metric_get(metric) - before, grown);
}

TEST(whole_lines_mark_their_messages_and_torn_ones_do_not_yet)
{
    struct fixture fixture;
    begin(&fixture, 1);
    store_numbers(&fixture, 0, 10, 5);
    append_and_settle(&fixture, "10|k|1|body|2\n12\n1");
    expect(is_done(&fixture, 0, 0));
    expect(!is_done(&fixture, 0, 1));
    expect(is_done(&fixture, 0, 2));
    append_and_settle(&fixture, "4\n");
    expect(is_done(&fixture, 0, 4));
    expect_equal_u64(done_count(&fixture, 0, 5), 3);
    struct store_fate fate;
    expect_fine(fixture.store->outcomes->fate(fixture.store, fixture.group,
                                              (struct store_position){fixture.topic.id, 0, 0}, &fate));
    expect_equal_u64(fate.attempts, 1);
    expect_span_is(span_of(fate.by, fate.by_len), "processed.log");
    end(&fixture);
}

TEST(every_record_of_a_number_is_marked)
{
    struct fixture fixture;
    begin(&fixture, 2);
    store_numbers(&fixture, 0, 7, 1);
    store_numbers(&fixture, 2, 7, 1);
    append_and_settle(&fixture, "7\n");
    expect(is_done(&fixture, 0, 0) && is_done(&fixture, 2, 0));
    end(&fixture);
}

TEST(place_is_marked_in_the_door_s_topic_or_the_one_it_names)
{
    struct fixture fixture;
    int64_t refused = metric_get(METRIC_PROCESSED_LOG_REFUSED);
    int64_t unknown = metric_get(METRIC_PROCESSED_LOG_UNKNOWN);
    begin_with(&fixture, 3, "orders");
    store_numbers(&fixture, 1, 1, 3);
    append_and_settle(&fixture, "1:0|k\norders/1/2\nother/0/0\n9:0\n");
    expect(is_done(&fixture, 1, 0) && !is_done(&fixture, 1, 1) && is_done(&fixture, 1, 2));
    expect_metric(METRIC_PROCESSED_LOG_REFUSED, refused, 0);
    expect_metric(METRIC_PROCESSED_LOG_UNKNOWN, unknown, 2);
    end(&fixture);
    begin(&fixture, 4);
    store_numbers(&fixture, 1, 1, 3);
    append_and_settle(&fixture, "1:0\n");
    expect(!is_done(&fixture, 1, 0));
    expect_metric(METRIC_PROCESSED_LOG_UNKNOWN, unknown, 3);
    end(&fixture);
}

TEST(line_without_a_number_is_counted_and_holds_up_nothing)
{
    struct fixture fixture;
    int64_t lines = metric_get(METRIC_PROCESSED_LOG_LINES);
    int64_t refused = metric_get(METRIC_PROCESSED_LOG_REFUSED);
    begin(&fixture, 5);
    store_numbers(&fixture, 0, 1, 2);
    append_and_settle(&fixture, "what\n\n|1\n0|x\n2\n");
    expect(is_done(&fixture, 0, 1));
    expect_metric(METRIC_PROCESSED_LOG_REFUSED, refused, 3);
    expect_metric(METRIC_PROCESSED_LOG_LINES, lines, 4);
    end(&fixture);
}

TEST(message_that_is_stored_a_little_later_is_marked_and_others_do_not_wait_for_it)
{
    struct fixture fixture;
    int64_t unknown = metric_get(METRIC_PROCESSED_LOG_UNKNOWN);
    begin(&fixture, 6);
    store_numbers(&fixture, 0, 1, 1);
    append_and_settle(&fixture, "50\n1\n");
    expect(is_done(&fixture, 0, 0));
    loop_simulated_pass(&fixture.simulated, 2 * CLOCK_NS_PER_S);
    store_numbers(&fixture, 1, 50, 1);
    loop_simulated_pass(&fixture.simulated, CLOCK_NS_PER_S);
    expect(is_done(&fixture, 1, 0));
    expect_metric(METRIC_PROCESSED_LOG_UNKNOWN, unknown, 0);
    end(&fixture);
}

TEST(message_that_is_not_stored_in_time_is_counted_once)
{
    struct fixture fixture;
    int64_t unknown = metric_get(METRIC_PROCESSED_LOG_UNKNOWN);
    begin(&fixture, 7);
    append_and_settle(&fixture, "50\n");
    loop_simulated_pass(&fixture.simulated, 10 * CLOCK_NS_PER_S);
    expect_metric(METRIC_PROCESSED_LOG_UNKNOWN, unknown, 1);
    store_numbers(&fixture, 1, 50, 1);
    loop_simulated_pass(&fixture.simulated, 10 * CLOCK_NS_PER_S);
    expect(!is_done(&fixture, 1, 0));
    stop(&fixture);
    start(&fixture);
    loop_simulated_pass(&fixture.simulated, 10 * CLOCK_NS_PER_S);
    expect(!is_done(&fixture, 1, 0)); /* the position is behind it */
    expect_metric(METRIC_PROCESSED_LOG_UNKNOWN, unknown, 1);
    end(&fixture);
}

TEST(restart_asks_again_for_a_message_that_was_waited_for)
{
    struct fixture fixture;
    begin(&fixture, 8);
    store_numbers(&fixture, 0, 1, 2);
    append_and_settle(&fixture, "1\n50\n2\n");
    expect(is_done(&fixture, 0, 0) && is_done(&fixture, 0, 1));
    stop(&fixture);
    store_numbers(&fixture, 1, 50, 1);
    start(&fixture);
    loop_simulated_settle(&fixture.simulated);
    expect(is_done(&fixture, 1, 0));
    end(&fixture);
}

TEST(more_messages_that_are_not_stored_than_are_waited_for_are_given_up_in_their_order)
{
    struct fixture fixture;
    char line[16];
    int64_t unknown = metric_get(METRIC_PROCESSED_LOG_UNKNOWN);
    begin(&fixture, 9);
    for (unsigned i = 0; i < 2000; i++) {
        (void)snprintf(line, sizeof line, "%u\n", 1000 + i);
        append(&fixture, line);
    }
    append_and_settle(&fixture, "");
    expect(metric_get(METRIC_PROCESSED_LOG_UNKNOWN) - unknown >= 2000 - 1024);
    expect(metric_get(METRIC_PROCESSED_LOG_UNKNOWN) - unknown < 2000);
    store_numbers(&fixture, 0, 2999, 1);
    loop_simulated_pass(&fixture.simulated, CLOCK_NS_PER_S);
    expect(is_done(&fixture, 0, 0));
    loop_simulated_pass(&fixture.simulated, 10 * CLOCK_NS_PER_S);
    expect_metric(METRIC_PROCESSED_LOG_UNKNOWN, unknown, 1999);
    end(&fixture);
}

TEST(restart_goes_on_behind_what_is_settled)
{
    struct fixture fixture;
    int64_t lines = metric_get(METRIC_PROCESSED_LOG_LINES);
    begin(&fixture, 10);
    store_numbers(&fixture, 0, 1, 10);
    append_and_settle(&fixture, "1\n2\n");
    stop(&fixture);
    append(&fixture, "3\n");
    start(&fixture);
    loop_simulated_settle(&fixture.simulated);
    expect_equal_u64(done_count(&fixture, 0, 10), 3);
    expect_metric(METRIC_PROCESSED_LOG_LINES, lines, 3);
    end(&fixture);
}

TEST(stop_while_an_append_is_under_way_loses_nothing)
{
    struct fixture fixture;
    begin(&fixture, 11);
    store_numbers(&fixture, 0, 1, 10);
    store_memory_hold(fixture.store, true);
    append_and_settle(&fixture, "1\n2\n");
    append_and_settle(&fixture, "3\n");
    expect_equal_u64(done_count(&fixture, 0, 10), 0);
    store_memory_hold(fixture.store, false);
    stop(&fixture);
    expect_equal_u64(done_count(&fixture, 0, 10), 2);
    start(&fixture);
    loop_simulated_settle(&fixture.simulated);
    expect_equal_u64(done_count(&fixture, 0, 10), 3);
    end(&fixture);
}

TEST(broken_log_ends_the_reading_and_another_start_makes_up_for_it)
{
    struct fixture fixture;
    begin(&fixture, 12);
    store_numbers(&fixture, 0, 1, 10);
    store_memory_set_state(fixture.store, STORE_BROKEN);
    append_and_settle(&fixture, "1\n");
    append_and_settle(&fixture, "2\n");
    expect_equal_u64(done_count(&fixture, 0, 10), 0);
    stop(&fixture);
    store_memory_set_state(fixture.store, STORE_OPEN);
    start(&fixture);
    loop_simulated_settle(&fixture.simulated);
    expect_equal_u64(done_count(&fixture, 0, 10), 2);
    end(&fixture);
}

TEST(full_log_takes_outcomes_all_the_same)
{
    struct fixture fixture;
    begin(&fixture, 13);
    store_numbers(&fixture, 0, 1, 3);
    append_and_settle(&fixture, "1\n");
    store_memory_set_state(fixture.store, STORE_FULL);
    append_and_settle(&fixture, "2\n");
    store_memory_set_state(fixture.store, STORE_OPEN);
    loop_simulated_settle(&fixture.simulated);
    expect_equal_u64(done_count(&fixture, 0, 3), 2);
    end(&fixture);
}

TEST(file_is_looked_at_once_a_second_without_being_told)
{
    struct fixture fixture;
    begin(&fixture, 14);
    store_numbers(&fixture, 0, 1, 3);
    loop_simulated_settle(&fixture.simulated);
    append(&fixture, "1\n");
    loop_simulated_settle(&fixture.simulated);
    expect(!is_done(&fixture, 0, 0));
    loop_simulated_pass(&fixture.simulated, CLOCK_NS_PER_S);
    expect(is_done(&fixture, 0, 0));
    end(&fixture);
}

TEST(file_on_a_cold_disk_is_read_too)
{
    struct fixture fixture;
    begin(&fixture, 15);
    store_numbers(&fixture, 0, 1, 3);
    fs_memory_set_cold(fixture.fs, true);
    append_and_settle(&fixture, "1\n2\n3\n");
    loop_simulated_pass(&fixture.simulated, 100 * CLOCK_NS_PER_MS);
    expect_equal_u64(done_count(&fixture, 0, 3), 3);
    end(&fixture);
}

TEST(rotation_in_the_middle_loses_no_line)
{
    struct fixture fixture;
    begin(&fixture, 16);
    store_numbers(&fixture, 0, 1, 10);
    append_and_settle(&fixture, "1\n");
    append(&fixture, "2\n");
    expect_fine(fixture.fs->ops->rename(fixture.fs, "processed.log", "processed.log.1"));
    append_and_settle(&fixture, "3\n");
    expect_equal_u64(done_count(&fixture, 0, 10), 3);
    stop(&fixture);
    expect_fine(fixture.fs->ops->rename(fixture.fs, "processed.log.1", "processed.log.2"));
    expect_fine(fixture.fs->ops->rename(fixture.fs, "processed.log", "processed.log.1"));
    append(&fixture, "4\n");
    start(&fixture);
    loop_simulated_pass(&fixture.simulated, 30 * CLOCK_NS_PER_S);
    append_and_settle(&fixture, "5\n");
    expect_equal_u64(done_count(&fixture, 0, 10), 5);
    end(&fixture);
}

TEST(unreadable_file_is_tried_again)
{
    struct fixture fixture;
    begin(&fixture, 17);
    store_numbers(&fixture, 0, 1, 3);
    append(&fixture, "1\n");
    fs_memory_fail(fixture.fs, FS_MEMORY_OPEN, 1, ERR_ACCESS);
    processed_log_poke(fixture.log);
    loop_simulated_settle(&fixture.simulated);
    expect(fs_memory_has_failed(fixture.fs) && !is_done(&fixture, 0, 0));
    loop_simulated_pass(&fixture.simulated, 2 * CLOCK_NS_PER_S);
    expect(is_done(&fixture, 0, 0));
    end(&fixture);
}

/* All numbers in any order, with stops in between: every one is done in the end, and none that was not written. */
TEST(every_line_has_its_effect_whatever_happens_in_between)
{
    enum { NUMBERS = 3000 };
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct fixture fixture;
        begin(&fixture, seed);
        struct random *random = &fixture.simulated.random;
        static uint32_t order[NUMBERS];
        for (uint32_t i = 0; i < NUMBERS; i++) {
            uint32_t other = (uint32_t)random_below(random, i + 1);
            order[i] = order[other];
            order[other] = i + 1;
        }
        store_numbers(&fixture, 0, 1, NUMBERS);
        for (uint32_t i = 0; i < NUMBERS / 2; i++) {
            char line[40];
            (void)snprintf(line, sizeof line, "%u|k|%u|body\n", order[i], i);
            append(&fixture, line);
            uint64_t what = random_below(random, 400);
            if (what == 0) {
                stop(&fixture);
                start(&fixture);
            } else if (what == 1) {
                processed_log_poke(fixture.log);
                loop_simulated_settle(&fixture.simulated);
                expect_fine(fixture.fs->ops->rename(fixture.fs, "processed.log", "processed.log.1"));
                append(&fixture, "");
            } else if (what < 20) {
                processed_log_poke(fixture.log);
                (void)loop_simulated_turn(&fixture.simulated);
            }
        }
        loop_simulated_pass(&fixture.simulated, 2 * CLOCK_NS_PER_S);
        for (uint32_t i = 0; i < NUMBERS; i++)
            expect(is_done(&fixture, 0, order[i] - 1) == (i < NUMBERS / 2));
        end(&fixture);
    }
}

TEST_MAIN(whole_lines_mark_their_messages_and_torn_ones_do_not_yet,
          every_record_of_a_number_is_marked,
          place_is_marked_in_the_door_s_topic_or_the_one_it_names,
          line_without_a_number_is_counted_and_holds_up_nothing,
          message_that_is_stored_a_little_later_is_marked_and_others_do_not_wait_for_it,
          message_that_is_not_stored_in_time_is_counted_once,
          restart_asks_again_for_a_message_that_was_waited_for,
          more_messages_that_are_not_stored_than_are_waited_for_are_given_up_in_their_order,
          restart_goes_on_behind_what_is_settled,
          stop_while_an_append_is_under_way_loses_nothing,
          broken_log_ends_the_reading_and_another_start_makes_up_for_it,
          full_log_takes_outcomes_all_the_same,
          file_is_looked_at_once_a_second_without_being_told,
          file_on_a_cold_disk_is_read_too,
          rotation_in_the_middle_loses_no_line,
          unreadable_file_is_tried_again,
          every_line_has_its_effect_whatever_happens_in_between)
