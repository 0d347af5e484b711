/* Groups through the store's face: outcomes, seeks and notes become true with their append, and stay so over restarts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/metric.h"
#include "support/journal_bench.h"
#include "support/test.h"
#include "support/test_append.h"

struct fixture {
    struct journal_bench bench;
    const struct outcomes_ops *ops;
    struct store_topic topic;
    uint32_t group;
};

static void open_names(struct fixture *fixture)
{
    struct store *store = fixture->bench.store;
    fixture->ops = store->outcomes;
    expect_fine(store->ops->topic_open(store, span_from_text("orders"), 2, true, &fixture->topic));
    expect_fine(fixture->ops->group_open(store, span_from_text("billing"), true, &fixture->group));
}

static void store_records(struct fixture *fixture, uint32_t partition, uint32_t count)
{
    struct test_append *test = test_append_new(&fixture->bench.mailbox);
    test_append_add(test, &fixture->topic, partition, (struct test_records){.value = "v", .count = count});
    expect_fine(fixture->bench.store->ops->append(fixture->bench.store, &test->append));
    journal_bench_settle(&fixture->bench);
    expect(test->is_done && test->append.ret_err == ERR_NONE);
    test_append_free(test);
}

static void begin(struct fixture *fixture)
{
    *fixture = (struct fixture){0};
    journal_bench_init(&fixture->bench, 7);
    journal_bench_open(&fixture->bench);
    open_names(fixture);
    store_records(fixture, 0, 500);
    store_records(fixture, 1, 500);
}

static void restart(struct fixture *fixture, bool is_killed)
{
    if (is_killed)
        journal_bench_kill(&fixture->bench);
    else
        journal_bench_close(&fixture->bench);
    journal_bench_open(&fixture->bench);
    uint32_t before = fixture->group;
    open_names(fixture);
    expect_equal_u64(fixture->group, before);
}

static void finish(struct fixture *fixture)
{
    expect_equal_u64(journal_bench_complaints(&fixture->bench), 0);
    journal_bench_done(&fixture->bench);
}

static struct store_settled
settled_of(const struct fixture *fixture, uint64_t offset, uint32_t count, enum store_outcome outcome)
{
    return (struct store_settled){
        .group = fixture->group,
        .topic = fixture->topic.id,
        .count = count,
        .offset = offset,
        .outcome = outcome,
        .attempts = 2,
        .status = 200,
        .by = span_from_text("127.0.0.1:4711"),
        .dead_part = UINT32_MAX,
    };
}

/* What the append ends with. */
static enum err commit(struct fixture *fixture, struct test_append *take_test)
{
    struct store *store = fixture->bench.store;
    enum err err = store->ops->append(store, &take_test->append);
    if (err == ERR_NONE) {
        expect(journal_bench_step(&fixture->bench));
        expect(take_test->is_done);
        err = take_test->append.ret_err;
    }
    test_append_free(take_test);
    return err;
}

static enum err settle(struct fixture *fixture, const struct store_settled *settled, uint32_t count)
{
    struct test_append *test = test_append_new(&fixture->bench.mailbox);
    test->append.settled = settled;
    test->append.settled_count = count;
    return commit(fixture, test);
}

static enum err settle_one(struct fixture *fixture, uint64_t offset, uint32_t count)
{
    struct store_settled settled = settled_of(fixture, offset, count, STORE_OUTCOME_DONE);
    return settle(fixture, &settled, 1);
}

static enum err seek(struct fixture *fixture, uint32_t partition, uint64_t offset)
{
    struct store_seek seek = {fixture->group, fixture->topic.id, partition, offset};
    struct test_append *test = test_append_new(&fixture->bench.mailbox);
    test->append.seeks = &seek;
    test->append.seek_count = 1;
    return commit(fixture, test);
}

static enum err put_note(struct fixture *fixture, const char *key, const char *value)
{
    struct store_note note = {.key = span_from_text(key)};
    if (value != NULL)
        note.value = span_from_text(value);
    struct test_append *test = test_append_new(&fixture->bench.mailbox);
    test->append.notes = &note;
    test->append.note_count = 1;
    return commit(fixture, test);
}

static struct store_progress progress_of(struct fixture *fixture, uint32_t partition)
{
    struct store_progress progress;
    expect_fine(fixture->ops->progress(fixture->bench.store, fixture->group, fixture->topic.id, partition,
                                       &progress));
    return progress;
}

static void expect_progress(struct fixture *fixture, uint64_t low, uint64_t end, uint64_t above)
{
    struct store_progress progress = progress_of(fixture, 0);
    expect(progress.has_begun);
    expect_equal_u64(progress.low, low);
    expect_equal_u64(progress.end, end);
    expect_equal_u64(progress.settled_above, above);
}

static enum store_outcome outcome_at(struct fixture *fixture, uint64_t offset)
{
    struct store_position position = {fixture->topic.id, 0, offset};
    return fixture->ops->outcome(fixture->bench.store, fixture->group, position);
}

/* So many appends that the segment is full and the next one begins with a checkpoint. */
static void roll(struct fixture *fixture)
{
    uint64_t first = metric_get(METRIC_SEGMENTS) > 0 ? (uint64_t)metric_get(METRIC_SEGMENTS) : 0;
    while ((uint64_t)metric_get(METRIC_SEGMENTS) < first + 1)
        store_records(fixture, 1, 100);
}

TEST(outcomes_are_true_when_they_are_synced_and_not_before)
{
    struct fixture fixture;
    begin(&fixture);
    expect(!progress_of(&fixture, 0).has_begun);
    struct store_settled settled = settled_of(&fixture, 10, 5, STORE_OUTCOME_DONE);
    struct test_append *test = test_append_new(&fixture.bench.mailbox);
    test->append.settled = &settled;
    test->append.settled_count = 1;
    expect_fine(fixture.bench.store->ops->append(fixture.bench.store, &test->append));
    expect(!progress_of(&fixture, 0).has_begun);
    expect(outcome_at(&fixture, 12) == STORE_OUTCOME_OPEN);
    expect(journal_bench_step(&fixture.bench));
    expect(test->is_done && test->append.ret_err == ERR_NONE);
    test_append_free(test);
    expect_progress(&fixture, 0, 15, 5);
    expect(outcome_at(&fixture, 12) == STORE_OUTCOME_DONE);
    expect(outcome_at(&fixture, 15) == STORE_OUTCOME_OPEN);
    expect_fine(settle_one(&fixture, 0, 10));
    expect_progress(&fixture, 15, 15, 0);
    finish(&fixture);
}

TEST(progress_and_notes_survive_kills_stops_and_segments)
{
    struct fixture fixture;
    begin(&fixture);
    expect_fine(settle_one(&fixture, 0, 3));
    expect_fine(settle_one(&fixture, 7, 2));
    expect_fine(settle_one(&fixture, 100, 300));
    expect_fine(put_note(&fixture, "watch/a", "position 17"));
    expect_fine(put_note(&fixture, "watch/b", ""));
    expect_fine(put_note(&fixture, "other", "x"));
    expect_fine(put_note(&fixture, "watch/a", "position 18"));
    expect_fine(put_note(&fixture, "other", NULL));
    for (int i = 0; i < 4; i++) {
        expect_progress(&fixture, 3, 400, 302);
        uint64_t from;
        uint64_t to;
        struct store_position position = {fixture.topic.id, 0, 4};
        expect_fine(fixture.ops->unsettled(fixture.bench.store, fixture.group, position, &from, &to));
        expect(from == 4 && to == 7);
        position.offset = 350;
        expect_fine(fixture.ops->unsettled(fixture.bench.store, fixture.group, position, &from, &to));
        expect(from == 400 && to == UINT64_MAX);
        struct buffer value;
        buffer_init(&value, 100);
        expect_fine(fixture.ops->note(fixture.bench.store, span_from_text("watch/a"), &value));
        expect(span_equal_text(buffer_span(&value), "position 18"));
        expect(fixture.ops->note(fixture.bench.store, span_from_text("other"), &value) == ERR_NOT_FOUND);
        buffer_done(&value);
        if (i == 1)
            roll(&fixture);
        restart(&fixture, i % 2 == 0);
    }
    struct store_progress progress;
    uint32_t position = 0;
    expect(fixture.ops->progress_next(fixture.bench.store, fixture.group, &position, &progress));
    expect_equal_u64(progress.settled_above, 302);
    expect(!fixture.ops->progress_next(fixture.bench.store, fixture.group, &position, &progress));
    finish(&fixture);
}

TEST(notes_are_walked_by_prefix_in_order)
{
    struct fixture fixture;
    begin(&fixture);
    const char *keys[] = {"b", "a/2", "a/1", "a", "a/10", "ab"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        expect_fine(put_note(&fixture, keys[i], keys[i]));
    const char *expected[] = {"a/1", "a/10", "a/2"};
    struct buffer key;
    struct buffer value;
    buffer_init(&key, STORE_NOTE_KEY_MAX);
    buffer_init(&value, 1000);
    for (size_t i = 0; i < 3; i++) {
        buffer_clear(&value);
        expect_fine(fixture.ops->note_next(fixture.bench.store, span_from_text("a/"), buffer_span(&key), &key,
                                           &value));
        expect(span_equal_text(buffer_span(&key), expected[i]));
        expect(span_equal_text(buffer_span(&value), expected[i]));
    }
    expect(fixture.ops->note_next(fixture.bench.store, span_from_text("a/"), buffer_span(&key), &key,
                                  &value) == ERR_NOT_FOUND);
    buffer_done(&key);
    buffer_done(&value);
    finish(&fixture);
}

TEST(a_seek_skips_forward_and_opens_again_backward)
{
    struct fixture fixture;
    begin(&fixture);
    expect_fine(seek(&fixture, 0, 200));
    expect_progress(&fixture, 200, 200, 0);
    expect_fine(settle_one(&fixture, 200, 100));
    expect_progress(&fixture, 300, 300, 0);
    expect_fine(seek(&fixture, 0, 250));
    expect_progress(&fixture, 250, 250, 0);
    expect(outcome_at(&fixture, 250) == STORE_OUTCOME_OPEN);
    expect(outcome_at(&fixture, 249) == STORE_OUTCOME_DONE);
    expect(outcome_at(&fixture, 10) == STORE_OUTCOME_SKIPPED);
    restart(&fixture, true);
    expect_progress(&fixture, 250, 250, 0);
    expect(outcome_at(&fixture, 10) == STORE_OUTCOME_SKIPPED);
    expect(seek(&fixture, 0, 501) == ERR_BAD_INPUT);
    finish(&fixture);
}

/* One append: a dead letter for each of three records, their outcomes, and a note. */
static void bury(struct fixture *fixture, const struct store_topic *graves, uint64_t offset)
{
    struct store_settled settled[2] = {settled_of(fixture, offset, 2, STORE_OUTCOME_DEAD),
                                       settled_of(fixture, offset + 5, 1, STORE_OUTCOME_DEAD)};
    struct store_note note = {.key = span_from_text("buried"), .value = span_from_text("3")};
    settled[0].dead_part = settled[1].dead_part = 0;
    settled[1].dead_record = 2;
    struct test_append *test = test_append_new(&fixture->bench.mailbox);
    test_append_add(test, graves, 0, (struct test_records){.value = "dead", .count = 3});
    test->append.settled = settled;
    test->append.settled_count = 2;
    test->append.notes = &note;
    test->append.note_count = 1;
    expect_fine(commit(fixture, test));
}

static struct store_fate fate_at(struct fixture *fixture, uint64_t offset)
{
    struct store_fate fate;
    struct store_position position = {fixture->topic.id, 0, offset};
    expect_fine(fixture->ops->fate(fixture->bench.store, fixture->group, position, &fate));
    return fate;
}

static void
expect_buried(struct fixture *fixture, const struct store_topic *graves, uint64_t offset, uint64_t dead)
{
    struct store_fate fate = fate_at(fixture, offset);
    expect(fate.outcome == STORE_OUTCOME_DEAD && fate.attempts == 2 && fate.status == 200);
    expect(span_equal_text(span_of(fate.by, fate.by_len), "127.0.0.1:4711"));
    expect(fate.dead_is_known && fate.dead.topic == graves->id && fate.dead.partition == 0);
    expect_equal_u64(fate.dead.offset, dead);
    expect(outcome_at(fixture, offset) == STORE_OUTCOME_DEAD);
}

TEST(fates_are_known_from_memory_from_index_files_and_from_indexes_made_again)
{
    struct fixture fixture;
    struct store_topic graves;
    begin(&fixture);
    expect_fine(fixture.bench.store->ops->topic_open(fixture.bench.store, span_from_text("orders.dlq"), 1,
                                                     true, &graves));
    int64_t buried_ns = clock_wall_ns(&fixture.bench.clock.clock);
    bury(&fixture, &graves, 10);
    clock_fake_advance(&fixture.bench.clock, 5 * CLOCK_NS_PER_S);
    expect_fine(settle_one(&fixture, 12, 3)); /* between the two */
    expect_fine(settle_one(&fixture, 0, 30)); /* those that have one keep it */
    for (int i = 0; i < 6; i++) {
        expect_buried(&fixture, &graves, 10, 0);
        expect_buried(&fixture, &graves, 11, 1);
        expect_buried(&fixture, &graves, 15, 2);
        expect(fate_at(&fixture, 12).outcome == STORE_OUTCOME_DONE);
        expect(outcome_at(&fixture, 13) == STORE_OUTCOME_DONE);
        expect_equal_i64(fate_at(&fixture, 10).at_ns / CLOCK_NS_PER_S, buried_ns / CLOCK_NS_PER_S);
        expect(fate_at(&fixture, 30).outcome == STORE_OUTCOME_OPEN);
        expect_progress(&fixture, 30, 30, 0);
        if (i == 1 || i == 3)
            roll(&fixture);
        if (i == 4) { /* the index of the first segment is lost */
            journal_bench_kill(&fixture.bench);
            expect_fine(fixture.bench.fs->ops->unlink(fixture.bench.fs, "0000000000000001.index"));
            journal_bench_open(&fixture.bench);
            open_names(&fixture);
        } else {
            restart(&fixture, i % 2 == 0);
        }
    }
    finish(&fixture);
}

static void store_numbers(struct fixture *fixture, uint64_t from)
{
    static const uint16_t places[] = {0, 1, 1, 0, 1};
    struct test_append *test = test_append_new(&fixture->bench.mailbox);
    test_append_add(test, &fixture->topic, 0, (struct test_records){.value = "a", .count = 2});
    test_append_add(test, &fixture->topic, 1, (struct test_records){.value = "b", .count = 3});
    test->runs[0] = (struct store_run){from, 2};
    test->runs[1] = (struct store_run){0, 1};
    test->runs[2] = (struct store_run){from + 7, 2};
    test->append.run_count = 3;
    test->append.places = places;
    test->append.place_count = 5;
    expect_fine(commit(fixture, test));
}

static void
expect_place(struct fixture *fixture, uint64_t number, uint32_t partition, uint64_t offset, bool is_expired)
{
    struct store_place place = {0};
    uint32_t count;
    bool has_unplaced;
    expect_fine(fixture->ops->places(fixture->bench.store, (struct store_number){0, number}, &place, 1,
                                     &count, &has_unplaced));
    expect(count == 1 && !has_unplaced);
    expect_equal_u64(place.position.topic, fixture->topic.id);
    expect_equal_u64(place.position.partition, partition);
    expect_equal_u64(place.position.offset, offset);
    expect(place.stored_ns > 0 && place.is_expired == is_expired);
}

TEST(places_are_known_from_memory_from_index_files_and_when_the_records_are_gone)
{
    struct fixture fixture;
    uint32_t sequence;
    begin(&fixture);
    expect_fine(fixture.bench.store->ops->sequence_open(fixture.bench.store, span_from_text("s"), &sequence));
    store_numbers(&fixture, 100); /* 100 a, 101 b, - b, 107 a, 108 b */
    for (int i = 0; i < 4; i++) {
        bool is_expired = i == 3;
        expect_place(&fixture, 100, 0, 500, is_expired);
        expect_place(&fixture, 101, 1, 500, is_expired);
        expect_place(&fixture, 107, 0, 501, is_expired);
        expect_place(&fixture, 108, 1, 502, is_expired);
        uint32_t count;
        bool has_unplaced;
        struct store_place place;
        expect_fine(fixture.ops->places(fixture.bench.store, (struct store_number){0, 102}, &place, 1, &count,
                                        &has_unplaced));
        expect(count == 0 && !has_unplaced);
        if (i == 1)
            roll(&fixture);
        if (i == 2) { /* the first segment goes, its index stays */
            journal_bench_close(&fixture.bench);
            fixture.bench.settings.defaults.retention_age_ns = 3600 * CLOCK_NS_PER_S;
            journal_bench_open(&fixture.bench);
            open_names(&fixture);
            roll(&fixture);
            clock_fake_advance(&fixture.bench.clock, 2 * 3600 * CLOCK_NS_PER_S);
            journal_bench_rest(&fixture.bench);
        } else {
            restart(&fixture, true);
        }
    }
    store_numbers(&fixture, 100);
    struct store_place places[2];
    uint32_t count;
    bool has_unplaced;
    expect_fine(fixture.ops->places(fixture.bench.store, (struct store_number){0, 100}, places, 2, &count,
                                    &has_unplaced));
    expect(count == 2 && places[0].is_expired && !places[1].is_expired);
    expect(fixture.ops->places(fixture.bench.store, (struct store_number){0, 100}, places, 1, &count,
                               &has_unplaced) == ERR_TOO_MANY);
    expect(count == 1 && places[0].is_expired);
    finish(&fixture);
}

TEST(what_retention_takes_before_a_group_comes_to_it_is_expired)
{
    struct fixture fixture;
    begin(&fixture);
    expect_fine(settle_one(&fixture, 0, 5));
    expect_fine(settle_one(&fixture, 7, 1));
    roll(&fixture);
    journal_bench_close(&fixture.bench);
    fixture.bench.settings.defaults.retention_age_ns = 3600 * CLOCK_NS_PER_S;
    journal_bench_open(&fixture.bench);
    open_names(&fixture);
    clock_fake_advance(&fixture.bench.clock, 2 * 3600 * CLOCK_NS_PER_S);
    journal_bench_rest(&fixture.bench);
    for (int i = 0; i < 2; i++) {
        struct store_extent extent;
        expect_fine(fixture.bench.store->ops->extent(fixture.bench.store, fixture.topic.id, 0, &extent));
        expect_equal_u64(extent.start, 500);
        expect_progress(&fixture, 500, 500, 0);
        expect(outcome_at(&fixture, 4) == STORE_OUTCOME_DONE);
        expect(outcome_at(&fixture, 5) == STORE_OUTCOME_EXPIRED);
        expect(outcome_at(&fixture, 7) == STORE_OUTCOME_DONE);
        expect(fate_at(&fixture, 499).outcome == STORE_OUTCOME_EXPIRED);
        restart(&fixture, true);
    }
    finish(&fixture);
}

TEST(what_is_not_stored_or_not_legal_is_refused)
{
    struct fixture fixture;
    begin(&fixture);
    expect(settle_one(&fixture, 499, 2) == ERR_BAD_INPUT);
    expect(settle_one(&fixture, 0, 0) == ERR_BAD_INPUT);
    struct store_settled settled = settled_of(&fixture, 0, 1, STORE_OUTCOME_OPEN);
    expect(settle(&fixture, &settled, 1) == ERR_BAD_INPUT);
    settled = settled_of(&fixture, 0, 1, STORE_OUTCOME_DONE);
    settled.group = 77;
    expect(settle(&fixture, &settled, 1) == ERR_NOT_FOUND);
    settled = settled_of(&fixture, 0, 1, STORE_OUTCOME_DONE);
    settled.partition = 2;
    expect(settle(&fixture, &settled, 1) == ERR_UNKNOWN_TOPIC);
    expect(put_note(&fixture, "", "x") == ERR_BAD_INPUT);
    expect(!progress_of(&fixture, 0).has_begun);
    finish(&fixture);
}

TEST(notes_and_groups_beyond_their_share_of_a_checkpoint_are_refused_and_the_log_goes_on)
{
    struct fixture fixture;
    char name[16];
    static char value[1000];
    memset(value, 'v', sizeof value - 1);
    begin(&fixture);
    expect_fine(put_note(&fixture, "a", value));
    expect_fine(put_note(&fixture, "b", "small"));
    expect(put_note(&fixture, "c", value) == ERR_TOO_MANY);
    expect_fine(put_note(&fixture, "a", NULL));
    expect_fine(put_note(&fixture, "c", value));
    enum err err = ERR_NONE;
    uint32_t groups = 0;
    for (; err == ERR_NONE && groups < STORE_GROUPS_MAX; groups++) {
        uint32_t id;
        (void)snprintf(name, sizeof name, "group-%u", groups);
        err = fixture.ops->group_open(fixture.bench.store, span_from_text(name), true, &id);
        journal_bench_settle(&fixture.bench);
    }
    expect(err == ERR_TOO_MANY);
    expect(settle_one(&fixture, 5, 5) == ERR_TOO_MANY);
    roll(&fixture);
    restart(&fixture, true);
    roll(&fixture);
    expect_equal_u64(fixture.bench.events[JOURNAL_EVENT_BROKEN], 0);
    finish(&fixture);
}

TEST(a_forgotten_group_is_gone_and_its_id_never_comes_back)
{
    struct fixture fixture;
    begin(&fixture);
    expect_fine(settle_one(&fixture, 0, 10));
    uint32_t before = fixture.group;
    expect_fine(fixture.ops->group_forget(fixture.bench.store, fixture.group));
    uint32_t id;
    struct store *store = fixture.bench.store;
    expect(fixture.ops->group_open(store, span_from_text("billing"), false, &id) == ERR_NOT_FOUND);
    expect(settle_one(&fixture, 10, 10) == ERR_NOT_FOUND);
    journal_bench_settle(&fixture.bench);
    roll(&fixture);
    journal_bench_kill(&fixture.bench);
    journal_bench_open(&fixture.bench);
    open_names(&fixture);
    expect(fixture.group > before);
    expect(!progress_of(&fixture, 0).has_begun);
    finish(&fixture);
}

TEST(groups_that_nobody_configured_go_after_a_week_of_silence)
{
    static const struct journal_named_group named = {.name = "kept"};
    struct fixture fixture;
    uint32_t kept;
    begin(&fixture);
    journal_bench_close(&fixture.bench);
    fixture.bench.settings.groups = &named;
    fixture.bench.settings.group_count = 1;
    journal_bench_open(&fixture.bench);
    open_names(&fixture);
    struct store *store = fixture.bench.store;
    expect_fine(fixture.ops->group_open(store, span_from_text("kept"), true, &kept));
    clock_fake_advance(&fixture.bench.clock, 6 * 24 * 3600 * CLOCK_NS_PER_S);
    expect_fine(settle_one(&fixture, 0, 1));
    journal_bench_settle(&fixture.bench);
    clock_fake_advance(&fixture.bench.clock, 6 * 24 * 3600 * CLOCK_NS_PER_S);
    journal_bench_settle(&fixture.bench);
    uint32_t position = 0;
    struct store_group group;
    expect(fixture.ops->group_next(store, &position, &group));
    expect(group.id == fixture.group && group.has_done && !group.is_named);
    clock_fake_advance(&fixture.bench.clock, 2 * 24 * 3600 * CLOCK_NS_PER_S);
    journal_bench_settle(&fixture.bench);
    position = 0;
    expect(fixture.ops->group_next(store, &position, &group));
    expect(group.id == kept && group.is_named && !group.has_done);
    expect(!fixture.ops->group_next(store, &position, &group));
    finish(&fixture);
}

TEST_MAIN(outcomes_are_true_when_they_are_synced_and_not_before,
          progress_and_notes_survive_kills_stops_and_segments,
          notes_are_walked_by_prefix_in_order,
          a_seek_skips_forward_and_opens_again_backward,
          fates_are_known_from_memory_from_index_files_and_from_indexes_made_again,
          places_are_known_from_memory_from_index_files_and_when_the_records_are_gone,
          what_retention_takes_before_a_group_comes_to_it_is_expired,
          what_is_not_stored_or_not_legal_is_refused,
          notes_and_groups_beyond_their_share_of_a_checkpoint_are_refused_and_the_log_goes_on,
          a_forgotten_group_is_gone_and_its_id_never_comes_back,
          groups_that_nobody_configured_go_after_a_week_of_silence)
