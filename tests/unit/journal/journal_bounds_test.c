/* What clients and configuration may add to a checkpoint stays within its shares of a small segment. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/journal_bench.h"
#include "support/test.h"
#include "support/test_append.h"

enum { SEGMENT = 256 * 1024, VALUE_LEN = 3000, SEQUENCES = 64, POSITIONS = 64 };

struct fixture {
    struct journal_bench bench;
    struct store_topic topic;
    char value[VALUE_LEN + 1];
};

static void open_journal(struct fixture *fixture)
{
    journal_bench_open(&fixture->bench);
    struct store *store = fixture->bench.store;
    expect_fine(store->ops->topic_open(store, span_from_text("orders"), 1, true, &fixture->topic));
    for (uint32_t i = 0; i < SEQUENCES; i++) {
        char name[24];
        uint32_t index;
        (void)snprintf(name, sizeof name, "sequence-%u", i);
        expect_fine(store->ops->sequence_open(store, span_from_text(name), &index));
        expect_equal_u64(index, i);
    }
}

static void begin(struct fixture *fixture, uint32_t segment_size)
{
    *fixture = (struct fixture){0};
    memset(fixture->value, 'v', VALUE_LEN);
    journal_bench_init(&fixture->bench, 17);
    fixture->bench.settings.segment_size = segment_size;
    fixture->bench.settings.append_size_max = SEGMENT / 4;
    fixture->bench.settings.record_size_max = SEGMENT / 8;
    open_journal(fixture);
}

static void restart(struct fixture *fixture)
{
    journal_bench_close(&fixture->bench);
    open_journal(fixture);
}

static void finish(struct fixture *fixture)
{
    expect_equal_u64(journal_bench_complaints(&fixture->bench), 0);
    journal_bench_done(&fixture->bench);
}

static void store_one(struct fixture *fixture, uint32_t sequence, uint64_t number, const char *producer)
{
    struct store *store = fixture->bench.store;
    struct test_append *test = test_append_new(&fixture->bench.mailbox);
    test_append_add(test, &fixture->topic, 0, (struct test_records){.value = fixture->value, .seq = number});
    test->append.sequence = sequence;
    test->append.producer = span_from_text(producer);
    test->append.producer_last = number;
    expect_fine(store->ops->append(store, &test->append));
    journal_bench_settle(&fixture->bench);
    expect(test->is_done);
    expect_fine(test->append.ret_err);
    test = test_append_free(test);
}

/* As long as an id may be. */
static const char *producer_name(char name[STORE_PRODUCER_MAX + 1], uint32_t number)
{
    (void)snprintf(name, STORE_PRODUCER_MAX + 1, "%0*u", STORE_PRODUCER_MAX, number);
    return name;
}

TEST(producers_with_long_ids_never_outgrow_a_small_segment_and_the_latest_are_known)
{
    enum { PRODUCERS = 1200, RESTART_EVERY = 250, KNOWN = 100 };
    struct fixture fixture;
    char name[STORE_PRODUCER_MAX + 1];
    begin(&fixture, SEGMENT);
    for (uint32_t i = 1; i <= PRODUCERS; i++) {
        store_one(&fixture, 0, i, producer_name(name, i));
        if (i % RESTART_EVERY == 0)
            restart(&fixture);
    }
    restart(&fixture);
    struct store *store = fixture.bench.store;
    for (uint32_t i = PRODUCERS - KNOWN; i <= PRODUCERS; i++)
        expect_equal_u64(store->ops->producer_last(store, 0, span_from_text(producer_name(name, i))), i);
    expect_equal_u64(store->ops->producer_last(store, 0, span_from_text(producer_name(name, 1))), 0);
    finish(&fixture);
}

TEST(many_sequences_retire_segments_before_their_table_outgrows_a_checkpoint)
{
    enum { ROUNDS = 150 };
    struct fixture fixture;
    struct store_extent extent;
    begin(&fixture, SEGMENT);
    struct store *store = fixture.bench.store;
    for (uint64_t round = 0; round < ROUNDS; round++)
        for (uint32_t i = 0; i < SEQUENCES; i++)
            store_one(&fixture, i, 1 + round, "p");
    expect(store->ops->state(store, NULL) == STORE_OPEN);
    expect_fine(store->ops->extent(store, fixture.topic.id, 0, &extent));
    expect(extent.start > 0);
    expect(extent.end - extent.start > SEQUENCES * 4);
    restart(&fixture);
    finish(&fixture);
}

TEST(a_number_that_lies_in_more_places_than_are_looked_at_is_said_to_lie_in_too_many)
{
    enum { PLACES = 20, APART = 25 };
    struct fixture fixture;
    struct store_position positions[POSITIONS];
    uint32_t count;
    begin(&fixture, 16 * SEGMENT);
    struct store *store = fixture.bench.store;
    for (uint32_t i = 0; i < PLACES * APART; i++)
        store_one(&fixture, 0, i % APART == 0 ? 5 : 10 + i, "p");
    expect(store->ops->sequence_find(store, 0, 5, positions, POSITIONS, &count) == ERR_TOO_MANY);
    finish(&fixture);
}

/* An append that uses up the whole limit: one batch, the longest producer, runs and identities for what is left. */
struct largest {
    struct test_append *test;
    struct store_run *runs;
    uint8_t (*identities)[16];
};

static struct largest largest_append(struct fixture *fixture, uint32_t records, uint64_t *number)
{
    static char producer[STORE_PRODUCER_MAX + 1];
    struct largest largest = {.test = test_append_new(&fixture->bench.mailbox)};
    struct store_append *append = &largest.test->append;
    test_append_add(largest.test, &fixture->topic, 0,
                    (struct test_records){.value = fixture->value, .count = records});
    size_t max = fixture->bench.settings.append_size_max;
    append->producer = span_from_text(producer_name(producer, 0));
    append->producer_last = *number;
    uint32_t pairs = (uint32_t)((max - append->len - 2 * STORE_NUMBERS_SIZE - STORE_PRODUCER_MAX) / 32);
    pairs = pairs < STORE_RUNS_MAX ? pairs : STORE_RUNS_MAX;
    largest.runs = calloc(pairs, sizeof *largest.runs);
    largest.identities = calloc(pairs, sizeof *largest.identities);
    for (uint32_t i = 0; i < pairs; i++) {
        largest.runs[i] = (struct store_run){ *number += 2, 1};
        memcpy(largest.identities[i], number, sizeof *number);
    }
    append->runs = largest.runs;
    append->run_count = pairs;
    append->identities = (const uint8_t(*)[16])largest.identities;
    append->identity_count = pairs;
    expect(store_append_size(append) <= max && store_append_size(append) + 32 > max);
    return largest;
}

static void largest_done(struct largest *largest)
{
    expect(largest->test->is_done);
    expect_fine(largest->test->append.ret_err);
    largest->test = test_append_free(largest->test);
    free(largest->runs);
    free(largest->identities);
}

/* Names of full length: the journal's own frames, and entries of the checkpoint. How many found room. */
static uint32_t create_topics(struct store *store)
{
    uint32_t count = 0;
    enum err err = ERR_NONE;
    while (err == ERR_NONE) {
        char name[STORE_TOPIC_NAME_MAX + 1];
        struct store_topic topic;
        (void)snprintf(name, sizeof name, "%0*u", STORE_TOPIC_NAME_MAX, count);
        err = store->ops->topic_open(store, span_from_text(name), 1, true, &topic);
        count += err == ERR_NONE;
    }
    expect_err(err, ERR_TOO_MANY);
    return count;
}

static void create_sequences(struct store *store)
{
    enum err err = ERR_NONE;
    for (uint32_t i = 0; err == ERR_NONE; i++) {
        char name[201];
        uint32_t index;
        (void)snprintf(name, sizeof name, "%0200u", i);
        err = store->ops->sequence_open(store, span_from_text(name), &index);
    }
    expect_err(err, ERR_TOO_MANY);
}

/*
 * The active segment is filled to every level, so that the roll comes before, between and behind the own frames; the next
 * one begins with the longest checkpoint that producers, topics and sequences make.
 */
TEST(own_frames_and_the_largest_appends_fit_the_smallest_segment_behind_the_longest_checkpoint)
{
    enum { LEVELS = 64, PRODUCERS = 141, APPENDS = 3 };
    char name[STORE_PRODUCER_MAX + 1];
    for (uint32_t level = 0; level < LEVELS; level++) {
        struct fixture fixture = {0};
        uint64_t number = 1000;
        memset(fixture.value, 'v', VALUE_LEN);
        journal_bench_init(&fixture.bench, 17);
        fixture.bench.settings.segment_size = SEGMENT;
        fixture.bench.settings.append_size_max = SEGMENT / 4;
        fixture.bench.settings.record_size_max = SEGMENT / 8;
        journal_bench_open(&fixture.bench);
        struct store *store = fixture.bench.store;
        expect_fine(store->ops->topic_open(store, span_from_text("orders"), 1, true, &fixture.topic));
        create_sequences(store);
        for (uint32_t i = 1; i <= PRODUCERS + level; i++)
            store_one(&fixture, 0, i, producer_name(name, i));
        expect(create_topics(store) > 100);
        struct largest largest[APPENDS];
        for (uint32_t i = 0; i < APPENDS; i++) {
            largest[i] = largest_append(&fixture, i == 0 ? 19 : 1, &number); /* of bytes, or of numbers */
            expect_fine(store->ops->append(store, &largest[i].test->append));
        }
        journal_bench_settle(&fixture.bench);
        for (uint32_t i = 0; i < APPENDS; i++)
            largest_done(&largest[i]);
        journal_bench_close(&fixture.bench);
        journal_bench_open(&fixture.bench);
        finish(&fixture);
    }
}

TEST(numbers_that_make_an_append_exceed_its_limit_are_refused)
{
    struct fixture fixture;
    uint64_t number = 1000;
    begin(&fixture, SEGMENT);
    struct store *store = fixture.bench.store;
    struct largest largest = largest_append(&fixture, 1, &number);
    fixture.bench.settings.append_size_max -= 32;
    restart(&fixture);
    store = fixture.bench.store;
    expect_err(store->ops->append(store, &largest.test->append), ERR_TOO_LARGE);
    largest.test->append.run_count -= 2;
    expect_fine(store->ops->append(store, &largest.test->append));
    journal_bench_settle(&fixture.bench);
    largest_done(&largest);
    finish(&fixture);
}

TEST_MAIN(producers_with_long_ids_never_outgrow_a_small_segment_and_the_latest_are_known,
          many_sequences_retire_segments_before_their_table_outgrows_a_checkpoint,
          a_number_that_lies_in_more_places_than_are_looked_at_is_said_to_lie_in_too_many,
          own_frames_and_the_largest_appends_fit_the_smallest_segment_behind_the_longest_checkpoint,
          numbers_that_make_an_append_exceed_its_limit_are_refused)
