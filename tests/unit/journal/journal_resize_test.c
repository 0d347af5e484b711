/* Other limits than yesterday's: what was stored stays readable, and what cannot go on is refused by name. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/metric.h"
#include "journal/journal_state.h"
#include "support/journal_bench.h"
#include "support/test.h"
#include "support/test_append.h"

enum { KIB = 1024, MIB = 1024 * KIB, READ_SIZE = 2 * MIB };

struct fixture {
    struct journal_bench bench;
    struct store_topic topic;
    char *value;
};

static void set_sizes(struct fixture *fixture, uint64_t segment, uint32_t append)
{
    fixture->bench.settings.segment_size = segment;
    fixture->bench.settings.append_size_max = append;
    fixture->bench.settings.record_size_max = append / 2;
}

static void find_topic(struct fixture *fixture)
{
    struct store *store = fixture->bench.store;
    expect_fine(store->ops->topic_open(store, span_from_text("orders"), 1, true, &fixture->topic));
}

static void begin(struct fixture *fixture, uint64_t segment, uint32_t append)
{
    uint32_t sequence;
    *fixture = (struct fixture){.value = NULL};
    journal_bench_init(&fixture->bench, 23);
    set_sizes(fixture, segment, append);
    journal_bench_open(&fixture->bench);
    find_topic(fixture);
    struct store *store = fixture->bench.store;
    expect_fine(store->ops->sequence_open(store, span_from_text("default"), &sequence));
}

static void restart(struct fixture *fixture)
{
    journal_bench_close(&fixture->bench);
    journal_bench_open(&fixture->bench);
    find_topic(fixture);
    journal_bench_settle(&fixture->bench);
}

static void finish(struct fixture *fixture)
{
    if (journal_bench_complaints(&fixture->bench) != 0)
        test_fail("damage: %s; broken: %s", fixture->bench.last_event[JOURNAL_EVENT_DAMAGE],
                  fixture->bench.last_event[JOURNAL_EVENT_BROKEN]);
    free(fixture->value);
    journal_bench_done(&fixture->bench);
}

static void store_one(struct fixture *fixture, uint64_t number, size_t len)
{
    struct store *store = fixture->bench.store;
    struct test_append *test = test_append_new(&fixture->bench.mailbox);
    fixture->value = realloc(fixture->value, len + 1);
    memset(fixture->value, 'a' + (int)(number % 26), len);
    fixture->value[len] = '\0';
    test_append_add(test, &fixture->topic, 0, (struct test_records){.value = fixture->value, .seq = number});
    expect_fine(store->ops->append(store, &test->append));
    journal_bench_settle(&fixture->bench);
    expect(test->is_done);
    expect_fine(test->append.ret_err);
    test = test_append_free(test);
}

/* From the first kept one on; a small buffer grows as the store says. */
static uint64_t count_records(struct fixture *fixture, uint64_t from)
{
    struct store *store = fixture->bench.store;
    struct store_read read = {
        .topic = fixture->topic.id, .offset = from, .buffer = malloc(READ_SIZE), .size = 4 * KIB};
    uint64_t count = 0;
    for (;;) {
        enum err err = store->ops->read(store, &read);
        if (err == ERR_TOO_LARGE && read.ret_len > read.size && read.ret_len <= READ_SIZE) {
            read.size = read.ret_len;
            continue;
        }
        expect_fine(err);
        if (read.ret_next_offset == read.offset)
            break;
        count += read.ret_next_offset - read.offset;
        read.offset = read.ret_next_offset;
    }
    free(read.buffer);
    return count;
}

/* Lets the scrubber pass over all sealed segments. */
static void scrub_all(struct fixture *fixture)
{
    for (int second = 0; second < 200; second++) {
        clock_fake_advance(&fixture->bench.clock, CLOCK_NS_PER_S);
        journal_bench_settle(&fixture->bench);
    }
}

static void remove_indexes(struct fixture *fixture)
{
    struct fs *fs = fixture->bench.fs;
    for (uint64_t number = 1; number < 30; number++) {
        char name[SEGMENT_NAME_SIZE];
        segment_name(name, number, ".index");
        (void)fs->ops->unlink(fs, name);
    }
}

TEST(smaller_segments_read_scrub_and_index_again_what_larger_ones_hold)
{
    enum { APPENDS = 20 };
    struct fixture fixture;
    struct store_position positions[8];
    uint32_t count;
    begin(&fixture, 4 * MIB, MIB);
    for (uint64_t i = 1; i <= APPENDS; i++)
        store_one(&fixture, i, 900 * KIB);
    set_sizes(&fixture, 256 * KIB, 64 * KIB);
    restart(&fixture);
    expect_equal_u64(count_records(&fixture, 0), APPENDS);
    for (uint64_t i = 1; i <= 100; i++)
        store_one(&fixture, APPENDS + i, 50 * KIB);
    scrub_all(&fixture);
    expect_equal_u64(count_records(&fixture, 0), APPENDS + 100);
    journal_bench_close(&fixture.bench);
    remove_indexes(&fixture);
    journal_bench_open(&fixture.bench);
    find_topic(&fixture);
    expect_equal_u64(count_records(&fixture, 0), APPENDS + 100);
    struct store *store = fixture.bench.store;
    expect_fine(store->ops->sequence_find(store, 0, 7, positions, 8, &count));
    expect_equal_u64(count, 1);
    expect_equal_u64(positions[0].offset, 6);
    finish(&fixture);
}

TEST(larger_segments_keep_what_smaller_ones_hold_below_the_ceiling)
{
    enum { APPENDS = 200 };
    struct fixture fixture;
    struct store_extent extent;
    begin(&fixture, 256 * KIB, 64 * KIB);
    fixture.bench.settings.size_max = 64 * MIB;
    restart(&fixture);
    for (uint64_t i = 1; i <= APPENDS; i++)
        store_one(&fixture, i, 60 * KIB);
    set_sizes(&fixture, 8 * MIB, 2 * MIB);
    restart(&fixture);
    scrub_all(&fixture);
    struct store *store = fixture.bench.store;
    expect_fine(store->ops->extent(store, fixture.topic.id, 0, &extent));
    expect_equal_u64(extent.start, 0);
    expect_equal_u64(count_records(&fixture, 0), APPENDS);
    finish(&fixture);
}

TEST(segments_too_small_for_the_topics_are_refused_by_name_and_the_size_that_is_named_opens)
{
    enum { TOPICS = 400 };
    struct fixture fixture;
    begin(&fixture, MIB, 256 * KIB);
    struct store *store = fixture.bench.store;
    for (unsigned i = 0; i < TOPICS; i++) {
        char name[24];
        struct store_topic topic;
        (void)snprintf(name, sizeof name, "topic-%u", i);
        expect_fine(store->ops->topic_open(store, span_from_text(name), 1, true, &topic));
    }
    store_one(&fixture, 1, 1000);
    set_sizes(&fixture, 256 * KIB, 64 * KIB);
    journal_bench_close(&fixture.bench);
    for (int tries = 0; tries < 2; tries++)
        expect_err(journal_bench_try_open(&fixture.bench), ERR_CONFIG);
    expect(strstr(fixture.bench.why.text, "log.segment_size: 256 KiB is too small") != NULL);
    expect(strstr(fixture.bench.why.text, "401 topics (401 partitions)") != NULL);
    const char *said = strstr(fixture.bench.why.text, "raise it to ");
    expect(said != NULL);
    set_sizes(&fixture, strtoull(said + strlen("raise it to "), NULL, 10) * KIB, 64 * KIB);
    journal_bench_open(&fixture.bench);
    find_topic(&fixture);
    expect_equal_u64(count_records(&fixture, 0), 1);
    for (uint64_t i = 2; i <= 100; i++)
        store_one(&fixture, i, 30 * KIB);
    finish(&fixture);
}

TEST(segments_too_small_to_list_those_that_are_kept_are_refused_and_nothing_is_retired)
{
    enum { APPENDS = 150 };
    struct fixture fixture;
    begin(&fixture, MIB, 256 * KIB);
    for (uint64_t i = 1; i <= 4 * APPENDS; i++)
        store_one(&fixture, i, 200 * KIB);
    set_sizes(&fixture, 256 * KIB, 64 * KIB);
    journal_bench_close(&fixture.bench);
    expect_err(journal_bench_try_open(&fixture.bench), ERR_CONFIG);
    expect(strstr(fixture.bench.why.text, "too small for the log that is there") != NULL);
    set_sizes(&fixture, MIB, 256 * KIB);
    journal_bench_open(&fixture.bench);
    find_topic(&fixture);
    expect_equal_u64(count_records(&fixture, 0), 4 * APPENDS);
    finish(&fixture);
}

TEST(topics_of_a_higher_limit_are_there_under_a_lower_one)
{
    enum { TOPICS = 1500 };
    struct fixture fixture;
    struct store_topic topic;
    begin(&fixture, 4 * MIB, MIB);
    fixture.bench.settings.topics_max = 2 * TOPICS;
    restart(&fixture);
    struct store *store = fixture.bench.store;
    for (unsigned i = 0; i < TOPICS; i++) {
        char name[24];
        (void)snprintf(name, sizeof name, "topic-%u", i);
        expect_fine(store->ops->topic_open(store, span_from_text(name), 1, true, &topic));
    }
    store_one(&fixture, 1, 1000);
    fixture.bench.settings.topics_max = 1;
    restart(&fixture);
    restart(&fixture);
    store = fixture.bench.store;
    expect_fine(store->ops->topic_open(store, span_from_text("topic-1499"), 1, false, &topic));
    expect_err(store->ops->topic_open(store, span_from_text("one-more"), 1, true, &topic), ERR_TOO_MANY);
    expect_equal_u64(count_records(&fixture, 0), 1);
    finish(&fixture);
}

TEST_MAIN(smaller_segments_read_scrub_and_index_again_what_larger_ones_hold,
          larger_segments_keep_what_smaller_ones_hold_below_the_ceiling,
          segments_too_small_for_the_topics_are_refused_by_name_and_the_size_that_is_named_opens,
          segments_too_small_to_list_those_that_are_kept_are_refused_and_nothing_is_retired,
          topics_of_a_higher_limit_are_there_under_a_lower_one)
