/* Tests the maker of appends: what was added one by one stands in the store as one set. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/append_builder.h"

#include <stdio.h>

#include "store/store_memory.h"
#include "support/test.h"

struct fixture {
    struct clock_fake clock;
    struct store *store;
    struct mailbox mailbox;
    struct store_topic topic;
    struct store_topic dead_letters;
    uint32_t group;
    struct append_builder builder;
    bool is_done;
    enum err err;
};

static void stay_asleep(void *owner)
{
    (void)owner;
}

static void begin(struct fixture *fixture)
{
    *fixture = (struct fixture){.is_done = false};
    clock_fake_init(&fixture->clock, 1000);
    fixture->store = store_memory_new(&fixture->clock.clock);
    mailbox_init(&fixture->mailbox, stay_asleep, NULL);
    const struct store_ops *ops = fixture->store->ops;
    expect_fine(ops->topic_open(fixture->store, span_from_text("orders"), 4, true, &fixture->topic));
    expect_fine(
        ops->topic_open(fixture->store, span_from_text("orders.dlq"), 1, true, &fixture->dead_letters));
    expect_fine(
        fixture->store->outcomes->group_open(fixture->store, span_from_text("g"), true, &fixture->group));
    append_builder_init(&fixture->builder, fixture->store);
}

static void end(struct fixture *fixture)
{
    append_builder_done(&fixture->builder);
    mailbox_done(&fixture->mailbox);
    expect_null(store_memory_free(fixture->store));
}

static void on_complete(struct mail *mail)
{
    struct built_append *built = LIST_OWNER(mail, struct built_append, append.mail);
    struct fixture *fixture = built->owner;
    fixture->is_done = true;
    fixture->err = built->append.ret_err;
    built_append_free(built);
}

static void store_it(struct fixture *fixture)
{
    struct built_append *built;
    expect_fine(append_builder_finish(&fixture->builder, 77, &built));
    expect(append_builder_is_empty(&fixture->builder));
    built->owner = fixture;
    built->append.mail.on_delivered = on_complete;
    built->append.reply_to = &fixture->mailbox;
    expect_fine(fixture->store->ops->append(fixture->store, &built->append));
    mailbox_deliver(&fixture->mailbox);
    expect(fixture->is_done);
    expect_fine(fixture->err);
}

/* From a text that is gone at once. */
static enum err add_text(struct fixture *fixture,
                         uint32_t topic,
                         uint32_t partition,
                         const char *text,
                         struct append_builder_place *ret_place)
{
    char value[64];
    (void)snprintf(value, sizeof value, "%s", text);
    struct record_header header = {.name = span_from_text("reason"), .value = span_from_text(value)};
    struct record record = {
        .key_is_null = true, .value = span_from_text(value), .headers = &header, .header_count = 1};
    enum err err = append_builder_add_record(&fixture->builder, topic, partition, &record, ret_place);
    memset(value, 'z', sizeof value);
    return err;
}

static void expect_record(struct fixture *fixture, uint32_t partition, uint64_t offset, const char *text)
{
    uint8_t buffer[4096];
    struct store_read read = {.topic = fixture->topic.id,
                              .partition = partition,
                              .offset = offset,
                              .buffer = buffer,
                              .size = sizeof buffer};
    expect_fine(fixture->store->ops->read(fixture->store, &read));
    struct record_batch batch;
    struct record_cursor cursor;
    struct record record;
    size_t at;
    expect(record_batch_decode(span_of(buffer, read.ret_len), &batch, &at) == DECODE_DONE);
    expect_fine(record_cursor_init(&cursor, &batch));
    do
        expect(record_cursor_next(&cursor, &record) == DECODE_DONE);
    while (record.offset < offset);
    expect_span_is(record.value, text);
    expect_span_is(record.headers[0].value, text);
    expect_equal_i64(record.timestamp_ms, 77);
}

TEST(records_for_several_partitions_are_read_back_in_order)
{
    struct fixture fixture;
    begin(&fixture);
    struct append_builder_place place;
    for (unsigned i = 0; i < 300; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "text-%u", i);
        expect_fine(add_text(&fixture, fixture.topic.id, i % 3, text, &place));
        expect_equal_u64(place.part, i % 3);
        expect_equal_u64(place.record, i / 3);
    }
    store_it(&fixture);
    expect_record(&fixture, 0, 0, "text-0");
    expect_record(&fixture, 2, 99, "text-299");
    expect_record(&fixture, 1, 50, "text-151");
    end(&fixture);
}

TEST(dead_letter_and_its_outcome_become_true_together)
{
    struct fixture fixture;
    begin(&fixture);
    struct append_builder_place place;
    struct append_builder_place other;
    char by[] = "10.0.0.1:9";
    expect_fine(add_text(&fixture, fixture.topic.id, 1, "first", &other));
    expect_fine(add_text(&fixture, fixture.dead_letters.id, 0, "earlier", &place));
    expect_fine(add_text(&fixture, fixture.dead_letters.id, 0, "gone", &place));
    struct store_settled settled = {.group = fixture.group,
                                    .topic = fixture.topic.id,
                                    .partition = 1,
                                    .count = 1,
                                    .offset = 0,
                                    .outcome = STORE_OUTCOME_DEAD,
                                    .attempts = 3,
                                    .status = 500,
                                    .by = span_from_text(by),
                                    .dead_part = place.part,
                                    .dead_record = place.record};
    expect_fine(append_builder_add_settled(&fixture.builder, &settled));
    struct store_note note = {.key = span_from_text(by), .value = span_from_text("at")};
    expect_fine(append_builder_add_note(&fixture.builder, &note));
    struct store_seek seek = {fixture.group, fixture.topic.id, 2, 5};
    expect_fine(append_builder_add_seek(&fixture.builder, &seek));
    memset(by, 0, sizeof by);
    store_it(&fixture);
    struct store_fate fate;
    struct store_position position = {fixture.topic.id, 1, 0};
    expect_fine(fixture.store->outcomes->fate(fixture.store, fixture.group, position, &fate));
    expect_equal_u64(fate.outcome, STORE_OUTCOME_DEAD);
    expect_equal_u64(fate.attempts, 3);
    expect_equal_u64(fate.status, 500);
    expect_span_is(span_of(fate.by, fate.by_len), "10.0.0.1:9");
    expect(fate.dead_is_known);
    expect_equal_u64(fate.dead.topic, fixture.dead_letters.id);
    expect_equal_u64(fate.dead.offset, 1);
    struct buffer value;
    buffer_init(&value, 100);
    expect_fine(fixture.store->outcomes->note(fixture.store, span_from_text("10.0.0.1:9"), &value));
    expect_span_is(buffer_span(&value), "at");
    buffer_done(&value);
    struct store_progress progress;
    expect_fine(
        fixture.store->outcomes->progress(fixture.store, fixture.group, fixture.topic.id, 2, &progress));
    expect_equal_u64(progress.low, 5);
    end(&fixture);
}

TEST(undo_takes_back_all_that_was_added_since_the_mark)
{
    struct fixture fixture;
    begin(&fixture);
    struct append_builder_place place;
    expect_fine(add_text(&fixture, fixture.topic.id, 0, "kept", &place));
    size_t size = append_builder_size(&fixture.builder);
    struct append_builder_mark mark = append_builder_mark(&fixture.builder);
    for (unsigned i = 0; i < 40; i++) {
        expect_fine(add_text(&fixture, fixture.topic.id, i % 4, "dropped", &place));
        struct store_settled settled = {
            .group = fixture.group, .topic = fixture.topic.id, .count = 1, .outcome = STORE_OUTCOME_DONE};
        expect_fine(append_builder_add_settled(&fixture.builder, &settled));
        struct store_note note = {.key = span_from_text("k"), .value = span_from_text("v")};
        expect_fine(append_builder_add_note(&fixture.builder, &note));
    }
    append_builder_undo(&fixture.builder, &mark);
    expect_equal_u64(append_builder_size(&fixture.builder), size);
    expect_fine(add_text(&fixture, fixture.topic.id, 3, "after", &place));
    expect_equal_u64(place.part, 1);
    store_it(&fixture);
    expect_record(&fixture, 0, 0, "kept");
    expect_record(&fixture, 3, 0, "after");
    struct store_extent extent;
    expect_fine(fixture.store->ops->extent(fixture.store, fixture.topic.id, 0, &extent));
    expect_equal_u64(extent.end, 1);
    struct store_position position = {fixture.topic.id, 0, 0};
    expect_equal_u64(fixture.store->outcomes->outcome(fixture.store, fixture.group, position),
                     STORE_OUTCOME_OPEN);
    end(&fixture);
}

TEST(append_never_grows_beyond_the_limit_of_the_store)
{
    struct fixture fixture;
    static uint8_t value[APPEND_BUILDER_EXTRA_MAX + 400];
    begin(&fixture);
    fixture.store->record_size_max = 300;
    struct append_builder_place place;
    struct record record = {.key_is_null = true, .value = span_of(value, sizeof value)};
    expect_err(append_builder_add_record(&fixture.builder, fixture.topic.id, 0, &record, &place),
               ERR_TOO_LARGE);
    expect(append_builder_is_empty(&fixture.builder));
    record.value.len = APPEND_BUILDER_EXTRA_MAX; /* a dead letter of a small record */
    struct append_builder_mark mark = append_builder_mark(&fixture.builder);
    expect_fine(append_builder_add_record(&fixture.builder, fixture.topic.id, 0, &record, &place));
    append_builder_undo(&fixture.builder, &mark);
    fixture.store->append_size_max = 1000;
    record.value.len = 100;
    enum err err = ERR_NONE;
    unsigned count = 0;
    for (; err == ERR_NONE && count < 100; count++)
        err = append_builder_add_record(&fixture.builder, fixture.topic.id, count % 4, &record, &place);
    expect_err(err, ERR_TOO_LARGE);
    expect(count > 4);
    struct built_append *built;
    expect_fine(append_builder_finish(&fixture.builder, 0, &built));
    expect(built->append.len <= 1000 && built->append.len > 800);
    expect_equal_u64(built->append.len % STORE_PART_ALIGNMENT, 0);
    built_append_free(built);
    end(&fixture);
}

TEST(outcomes_of_one_append_are_bounded)
{
    struct fixture fixture;
    begin(&fixture);
    struct store_settled settled = {.group = fixture.group,
                                    .topic = fixture.topic.id,
                                    .count = 1,
                                    .outcome = STORE_OUTCOME_DONE,
                                    .by = span_from_text("me")};
    for (unsigned i = 0; i < STORE_SETTLED_MAX; i++) {
        settled.offset = 2 * i;
        expect_fine(append_builder_add_settled(&fixture.builder, &settled));
    }
    expect_err(append_builder_add_settled(&fixture.builder, &settled), ERR_TOO_MANY);
    struct store_note note = {.key = span_from_text("k")};
    for (unsigned i = 0; i < STORE_NOTES_MAX; i++)
        expect_fine(append_builder_add_note(&fixture.builder, &note));
    expect_err(append_builder_add_note(&fixture.builder, &note), ERR_TOO_MANY);
    store_it(&fixture);
    end(&fixture);
}

TEST_MAIN(records_for_several_partitions_are_read_back_in_order,
          dead_letter_and_its_outcome_become_true_together,
          undo_takes_back_all_that_was_added_since_the_mark,
          append_never_grows_beyond_the_limit_of_the_store,
          outcomes_of_one_append_are_bounded)
