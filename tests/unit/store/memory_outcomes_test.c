/* Tests what the store in memory knows of groups, fates, places and notes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/random.h"
#include "store/store_memory.h"
#include "support/test.h"
#include "support/test_append.h"

struct fixture {
    struct clock_fake clock;
    struct store *store;
    const struct outcomes_ops *outcomes;
    struct mailbox mailbox;
    struct store_topic topic;
    uint32_t group;
    uint32_t sequence;
};

static void stay_asleep(void *owner)
{
    (void)owner;
}

static void begin(struct fixture *fixture)
{
    clock_fake_init(&fixture->clock, 5000);
    fixture->store = store_memory_new(&fixture->clock.clock);
    fixture->outcomes = fixture->store->outcomes;
    mailbox_init(&fixture->mailbox, stay_asleep, NULL);
    expect_fine(
        fixture->store->ops->topic_open(fixture->store, span_from_text("orders"), 2, true, &fixture->topic));
    expect_fine(
        fixture->store->ops->sequence_open(fixture->store, span_from_text("default"), &fixture->sequence));
    expect_fine(fixture->outcomes->group_open(fixture->store, span_from_text("g"), true, &fixture->group));
}

static void end(struct fixture *fixture)
{
    mailbox_deliver(&fixture->mailbox);
    mailbox_done(&fixture->mailbox);
    expect_null(store_memory_free(fixture->store));
}

static void settle(struct fixture *fixture, uint64_t offset, uint32_t count, enum store_outcome outcome)
{
    struct store_settled settled = {.group = fixture->group,
                                    .topic = fixture->topic.id,
                                    .partition = 1,
                                    .offset = offset,
                                    .count = count,
                                    .outcome = outcome,
                                    .attempts = 2,
                                    .by = span_from_text("somebody")};
    struct test_append *test = test_append_new(&fixture->mailbox);
    test->append.settled = &settled;
    test->append.settled_count = 1;
    expect_fine(fixture->store->ops->append(fixture->store, &test->append));
    mailbox_deliver(&fixture->mailbox);
    expect(test->is_done);
    test_append_free(test);
}

static void seek(struct fixture *fixture, uint64_t offset)
{
    struct store_seek seek = {fixture->group, fixture->topic.id, 1, offset};
    struct test_append *test = test_append_new(&fixture->mailbox);
    test->append.seeks = &seek;
    test->append.seek_count = 1;
    expect_fine(fixture->store->ops->append(fixture->store, &test->append));
    mailbox_deliver(&fixture->mailbox);
    test_append_free(test);
}

static struct store_progress progress_of(struct fixture *fixture)
{
    struct store_progress progress;
    expect_fine(fixture->outcomes->progress(fixture->store, fixture->group, fixture->topic.id, 1, &progress));
    return progress;
}

static enum store_outcome outcome_of(struct fixture *fixture, uint64_t offset)
{
    return fixture->outcomes->outcome(fixture->store, fixture->group,
                                      (struct store_position){fixture->topic.id, 1, offset});
}

static void
expect_unsettled(struct fixture *fixture, uint64_t offset, uint64_t expected_from, uint64_t expected_to)
{
    uint64_t from;
    uint64_t to;
    struct store_position position = {fixture->topic.id, 1, offset};
    expect_fine(fixture->outcomes->unsettled(fixture->store, fixture->group, position, &from, &to));
    expect_equal_u64(from, expected_from);
    expect_equal_u64(to, expected_to);
}

TEST(group_is_found_again_by_name_and_made_only_when_asked)
{
    struct fixture fixture;
    begin(&fixture);
    uint32_t again;
    struct span absent = span_from_text("absent");
    expect_fine(fixture.outcomes->group_open(fixture.store, span_from_text("g"), false, &again));
    expect_equal_u64(again, fixture.group);
    expect_err(fixture.outcomes->group_open(fixture.store, absent, false, &again), ERR_NOT_FOUND);
    expect_err(fixture.outcomes->group_open(fixture.store, span_from_text("a/b"), true, &again),
               ERR_BAD_NAME);
    struct store_group group;
    uint32_t position = 0;
    expect(fixture.outcomes->group_next(fixture.store, &position, &group));
    expect_equal_text(group.name, "g");
    expect(!fixture.outcomes->group_next(fixture.store, &position, &group));
    expect_fine(fixture.outcomes->group_forget(fixture.store, fixture.group));
    expect_err(fixture.outcomes->group_open(fixture.store, span_from_text("g"), false, &again),
               ERR_NOT_FOUND);
    end(&fixture);
}

TEST(outcomes_out_of_order_raise_the_mark_only_without_a_gap)
{
    struct fixture fixture;
    begin(&fixture);
    expect(!progress_of(&fixture).has_begun);
    settle(&fixture, 5, 2, STORE_OUTCOME_DONE);
    expect_equal_u64(progress_of(&fixture).low, 0);
    expect_equal_u64(progress_of(&fixture).end, 7);
    expect_equal_u64(progress_of(&fixture).settled_above, 2);
    expect_unsettled(&fixture, 0, 0, 5);
    expect_unsettled(&fixture, 5, 7, UINT64_MAX);
    settle(&fixture, 0, 4, STORE_OUTCOME_DONE);
    expect_equal_u64(progress_of(&fixture).low, 4);
    settle(&fixture, 4, 1, STORE_OUTCOME_SKIPPED);
    expect_equal_u64(progress_of(&fixture).low, 7);
    expect_equal_u64(progress_of(&fixture).settled_above, 0);
    expect(outcome_of(&fixture, 4) == STORE_OUTCOME_SKIPPED);
    expect(outcome_of(&fixture, 3) == STORE_OUTCOME_DONE);
    expect(outcome_of(&fixture, 7) == STORE_OUTCOME_OPEN);
    end(&fixture);
}

TEST(offset_with_an_outcome_keeps_it)
{
    struct fixture fixture;
    begin(&fixture);
    settle(&fixture, 10, 5, STORE_OUTCOME_SKIPPED);
    settle(&fixture, 8, 10, STORE_OUTCOME_DONE);
    expect(outcome_of(&fixture, 9) == STORE_OUTCOME_DONE);
    expect(outcome_of(&fixture, 12) == STORE_OUTCOME_SKIPPED);
    expect(outcome_of(&fixture, 17) == STORE_OUTCOME_DONE);
    expect_equal_u64(progress_of(&fixture).settled_above, 10);
    struct store_fate fate;
    expect_fine(fixture.outcomes->fate(fixture.store, fixture.group,
                                       (struct store_position){fixture.topic.id, 1, 16}, &fate));
    expect_span_is(span_of(fate.by, fate.by_len), "somebody");
    expect_equal_u64(fate.attempts, 2);
    end(&fixture);
}

TEST(seek_settles_what_lies_below_and_opens_what_lies_above)
{
    struct fixture fixture;
    begin(&fixture);
    settle(&fixture, 5, 10, STORE_OUTCOME_DONE);
    seek(&fixture, 8);
    expect_equal_u64(progress_of(&fixture).low, 8);
    expect_equal_u64(progress_of(&fixture).end, 8);
    expect(outcome_of(&fixture, 2) == STORE_OUTCOME_SKIPPED);
    expect(outcome_of(&fixture, 7) == STORE_OUTCOME_DONE);
    expect(outcome_of(&fixture, 8) == STORE_OUTCOME_OPEN);
    seek(&fixture, 2);
    expect_equal_u64(progress_of(&fixture).low, 2);
    expect_unsettled(&fixture, 0, 2, UINT64_MAX);
    end(&fixture);
}

/* A slow and simple model: one byte for each offset. */
TEST(random_outcomes_agree_with_a_plain_model)
{
    enum { OFFSETS = 200 };
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct fixture fixture;
        struct random random;
        bool model[OFFSETS + 1] = {false};
        begin(&fixture);
        random_seed(&random, seed);
        for (unsigned i = 0; i < 60; i++) {
            uint64_t offset = random_below(&random, OFFSETS);
            uint64_t count = 1 + random_below(&random, 10);
            if (offset + count > OFFSETS)
                continue;
            settle(&fixture, offset, (uint32_t)count,
                   random_below(&random, 3) == 0 ? STORE_OUTCOME_SKIPPED : STORE_OUTCOME_DONE);
            for (uint64_t at = offset; at < offset + count; at++)
                model[at] = true;
            uint64_t low = 0;
            uint64_t above = 0;
            while (model[low])
                low++;
            for (uint64_t at = low; at < OFFSETS; at++)
                above += model[at];
            expect_equal_u64(progress_of(&fixture).low, low);
            expect_equal_u64(progress_of(&fixture).settled_above, above);
            for (uint64_t at = 0; at < OFFSETS; at++)
                expect((outcome_of(&fixture, at) != STORE_OUTCOME_OPEN) == model[at]);
        }
        end(&fixture);
    }
}

TEST(urgent_append_passes_while_the_log_is_full)
{
    struct fixture fixture;
    begin(&fixture);
    store_memory_set_inflight_max(fixture.store, 1);
    store_memory_set_state(fixture.store, STORE_FULL);
    struct test_append *records = test_append_new(&fixture.mailbox);
    test_append_add(records, &fixture.topic, 1, (struct test_records){.value = "a"});
    expect_fine(fixture.store->ops->append(fixture.store, &records->append));
    struct test_append *outcomes = test_append_new(&fixture.mailbox);
    test_append_add(outcomes, &fixture.topic, 0, (struct test_records){.value = "dead letter"});
    outcomes->append.urgent = true;
    expect_fine(fixture.store->ops->append(fixture.store, &outcomes->append));
    mailbox_deliver(&fixture.mailbox);
    expect(outcomes->is_done);
    expect(!records->is_done);
    store_memory_set_state(fixture.store, STORE_OPEN);
    mailbox_deliver(&fixture.mailbox);
    expect(records->is_done);
    test_append_free(records);
    test_append_free(outcomes);
    end(&fixture);
}

TEST(held_outcome_is_not_true_before_it_is_finished_and_never_when_it_fails)
{
    struct fixture fixture;
    begin(&fixture);
    struct store_settled settled = {.group = fixture.group,
                                    .topic = fixture.topic.id,
                                    .partition = 1,
                                    .count = 1,
                                    .outcome = STORE_OUTCOME_DONE};
    struct test_append *first = test_append_new(&fixture.mailbox);
    struct test_append *second = test_append_new(&fixture.mailbox);
    first->append.settled = second->append.settled = &settled;
    first->append.settled_count = second->append.settled_count = 1;
    store_memory_hold(fixture.store, true);
    expect_fine(fixture.store->ops->append(fixture.store, &first->append));
    store_memory_set_state(fixture.store, STORE_BROKEN);
    expect(outcome_of(&fixture, 0) == STORE_OUTCOME_OPEN);
    store_memory_set_state(fixture.store, STORE_OPEN);
    expect_fine(fixture.store->ops->append(fixture.store, &second->append));
    expect(outcome_of(&fixture, 0) == STORE_OUTCOME_OPEN);
    store_memory_finish(fixture.store, 1);
    expect(outcome_of(&fixture, 0) == STORE_OUTCOME_DONE);
    mailbox_deliver(&fixture.mailbox);
    expect_err(first->append.ret_err, ERR_BROKEN);
    expect_fine(second->append.ret_err);
    test_append_free(first);
    test_append_free(second);
    end(&fixture);
}

TEST(number_is_found_at_every_place_where_it_was_stored)
{
    struct fixture fixture;
    begin(&fixture);
    test_append_store(fixture.store, &fixture.topic, 0, (struct test_records){.value = "a"});
    test_append_store(fixture.store, &fixture.topic, 0,
                      (struct test_records){.value = "b", .seq = 7, .count = 3});
    test_append_store(fixture.store, &fixture.topic, 1, (struct test_records){.value = "c", .seq = 8});
    struct store_place places[2];
    uint32_t count;
    bool is_unplaced;
    expect_fine(fixture.outcomes->places(fixture.store, (struct store_number){fixture.sequence, 8}, places, 2,
                                         &count, &is_unplaced));
    expect_equal_u64(count, 2);
    expect(!is_unplaced);
    expect_equal_u64(places[0].position.partition, 0);
    expect_equal_u64(places[0].position.offset, 2);
    expect_equal_i64(places[0].stored_ns, 5000);
    expect_equal_u64(places[1].position.partition, 1);
    expect_equal_u64(places[1].position.offset, 0);
    expect_err(fixture.outcomes->places(fixture.store, (struct store_number){fixture.sequence, 8}, places, 1,
                                        &count, &is_unplaced),
               ERR_TOO_MANY);
    store_memory_expire(fixture.store, fixture.topic.id, 0, 3);
    expect_fine(fixture.outcomes->places(fixture.store, (struct store_number){fixture.sequence, 7}, places, 2,
                                         &count, &is_unplaced));
    expect_equal_u64(count, 1);
    expect(places[0].is_expired);
    end(&fixture);
}

TEST(places_of_an_append_with_several_parts_are_told_by_the_append)
{
    struct fixture fixture;
    begin(&fixture);
    struct test_append *test = test_append_new(&fixture.mailbox);
    test_append_add(test, &fixture.topic, 1, (struct test_records){.value = "a", .count = 2});
    test_append_add(test, &fixture.topic, 0, (struct test_records){.value = "b", .count = 2});
    const struct store_run runs[] = {{40, 1}, {0, 1}, {41, 2}};
    const uint16_t places_of_numbers[] = {0, 0, 1, 1};
    test->append.runs = runs;
    test->append.run_count = 3;
    test->append.places = places_of_numbers;
    test->append.place_count = 4;
    expect_fine(fixture.store->ops->append(fixture.store, &test->append));
    mailbox_deliver(&fixture.mailbox);
    struct store_place place;
    uint32_t count;
    bool is_unplaced;
    expect_fine(fixture.outcomes->places(fixture.store, (struct store_number){fixture.sequence, 42}, &place,
                                         1, &count, &is_unplaced));
    expect_equal_u64(count, 1);
    expect_equal_u64(place.position.partition, 0);
    expect_equal_u64(place.position.offset, 1);
    test->append.places = NULL;
    test->append.place_count = 0;
    expect_fine(fixture.store->ops->append(fixture.store, &test->append));
    mailbox_deliver(&fixture.mailbox);
    expect_fine(fixture.outcomes->places(fixture.store, (struct store_number){fixture.sequence, 42}, &place,
                                         1, &count, &is_unplaced));
    expect_equal_u64(count, 1);
    expect(is_unplaced);
    test_append_free(test);
    end(&fixture);
}

static void set_note(struct fixture *fixture, const char *key, const char *value)
{
    struct store_note note = {.key = span_from_text(key)};
    if (value != NULL)
        note.value = span_from_text(value);
    struct test_append *test = test_append_new(&fixture->mailbox);
    test->append.notes = &note;
    test->append.note_count = 1;
    expect_fine(fixture->store->ops->append(fixture->store, &test->append));
    mailbox_deliver(&fixture->mailbox);
    test_append_free(test);
}

TEST(notes_are_walked_in_order_within_a_prefix)
{
    struct fixture fixture;
    begin(&fixture);
    set_note(&fixture, "file.b", "2");
    set_note(&fixture, "file.a", "0");
    set_note(&fixture, "filf", "x");
    set_note(&fixture, "fil", "x");
    set_note(&fixture, "file.a", "1");
    set_note(&fixture, "file.c", "3");
    set_note(&fixture, "file.c", NULL);
    struct buffer key;
    struct buffer value;
    buffer_init(&key, STORE_NOTE_KEY_MAX);
    buffer_init(&value, 100);
    struct span prefix = span_from_text("file");
    expect_fine(fixture.outcomes->note_next(fixture.store, prefix, span_of(NULL, 0), &key, &value));
    expect_span_is(buffer_span(&key), "file.a");
    expect_fine(fixture.outcomes->note_next(fixture.store, prefix, span_from_text("file.a"), &key, &value));
    expect_span_is(buffer_span(&key), "file.b");
    expect_span_is(buffer_span(&value), "12");
    expect_err(fixture.outcomes->note_next(fixture.store, prefix, span_from_text("file.b"), &key, &value),
               ERR_NOT_FOUND);
    expect_err(fixture.outcomes->note(fixture.store, span_from_text("file.c"), &value), ERR_NOT_FOUND);
    buffer_done(&key);
    buffer_done(&value);
    end(&fixture);
}

TEST_MAIN(group_is_found_again_by_name_and_made_only_when_asked,
          outcomes_out_of_order_raise_the_mark_only_without_a_gap,
          offset_with_an_outcome_keeps_it,
          seek_settles_what_lies_below_and_opens_what_lies_above,
          random_outcomes_agree_with_a_plain_model,
          urgent_append_passes_while_the_log_is_full,
          held_outcome_is_not_true_before_it_is_finished_and_never_when_it_fails,
          number_is_found_at_every_place_where_it_was_stored,
          places_of_an_append_with_several_parts_are_told_by_the_append,
          notes_are_walked_in_order_within_a_prefix)
