/* Tests what is kept of a replay, and its pace. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "deadletter/replay_note.h"

#include <stdio.h>

#include "deadletter/replay_pace.h"
#include "store/append_queue.h"
#include "support/letter_store.h"
#include "support/test.h"

static void on_complete(void *owner, const struct built_append *append)
{
    (void)owner;
    expect_fine(append->append.ret_err);
}

static void store_all(struct letter_store *letters, struct append_builder *builder)
{
    struct built_append *built;
    struct append_queue queue;
    append_queue_init(&queue, letters->store, &letters->mailbox);
    expect_fine(append_builder_finish(builder, 1, &built));
    expect_fine(append_queue_submit(&queue, built, on_complete, NULL));
    letter_store_settle(letters);
    append_queue_done(&queue);
}

TEST(note_and_ranges_read_back)
{
    struct letter_store letters;
    struct append_builder builder;
    letter_store_begin(&letters);
    append_builder_init(&builder, letters.store);
    struct replay_note note = {
        .id = 17,
        .state = REPLAY_STOPPED,
        .topic = "orders.dlq",
        .delivery = "other",
        .by = "operator",
        .reason = "re:^\"x\\d",
        .key = "k*",
        .rate = 1000,
        .is_last_retry = true,
        .is_counted = true,
        .started_ms = 1700000000123,
        .ended_ms = 1700000000124,
        .wanted = 5,
        .settled = 4,
        .failed_again = 3,
        .why = "because",
    };
    static struct record_scan_range ranges[STORE_PARTITIONS_MAX];
    static struct record_scan_range read[STORE_PARTITIONS_MAX];
    for (uint32_t i = 0; i < STORE_PARTITIONS_MAX; i++)
        ranges[i] = (struct record_scan_range){INT64_MAX - i, INT64_MAX};
    expect_fine(replay_note_add(&builder, &note));
    expect_fine(replay_note_add_ranges(&builder, 17, ranges, STORE_PARTITIONS_MAX));
    store_all(&letters, &builder);
    struct buffer key;
    struct buffer value;
    struct replay_note again;
    buffer_init(&key, STORE_NOTE_KEY_MAX);
    buffer_init(&value, STORE_NOTE_VALUE_MAX);
    expect_fine(letters.store->outcomes->note_next(letters.store, span_from_text("replay/"), span_of(NULL, 0),
                                                   &key, &value));
    expect_span_is(buffer_span(&key), "replay/00000017");
    expect(replay_note_read(buffer_span(&key), buffer_span(&value), &again));
    expect(memcmp(&again.id, &note.id, sizeof note.id) == 0 && again.state == note.state);
    expect_equal_text(again.topic, note.topic);
    expect_equal_text(again.delivery, note.delivery);
    expect_equal_text(again.reason, note.reason);
    expect_equal_text(again.key, note.key);
    expect_equal_text(again.why, note.why);
    expect(again.is_last_retry && again.is_counted && again.rate == 1000 && again.wanted == 5);
    expect(again.settled == 4 && again.failed_again == 3 && again.ended_ms == note.ended_ms);
    expect_fine(replay_note_read_ranges(letters.store, 17, read, STORE_PARTITIONS_MAX));
    expect(memcmp(read, ranges, sizeof read) == 0);
    expect_err(replay_note_read_ranges(letters.store, 18, read, 1), ERR_NOT_FOUND);
    expect_fine(replay_note_forget(&builder, 17, STORE_PARTITIONS_MAX));
    store_all(&letters, &builder);
    buffer_clear(&key);
    buffer_clear(&value);
    expect_err(letters.store->outcomes->note_next(letters.store, span_from_text("replay/"), span_of(NULL, 0),
                                                  &key, &value),
               ERR_NOT_FOUND);
    buffer_done(&key);
    buffer_done(&value);
    append_builder_done(&builder);
    letter_store_end(&letters);
}

TEST(notes_that_are_none_are_refused)
{
    static const struct {
        const char *key;
        const char *value;
    } cases[] = {
        {"replay/00000001", "{}"}, /* no topic */
        {"replay/00000001", "{\"topic\":\"t\"} x"},
        {"replay/00000001", "{\"topic\":7}"},
        {"replay/00000001", "{\"topic\":\"t\",\"state\":\"asleep\"}"},
        {"replay/00000001", "{\"topic\":\"t\",\"rate\":-1}"},
        {"replay/00000001/0", "{\"topic\":\"t\"}"},
        {"replay/00000000", "{\"topic\":\"t\"}"},
        {"replay/1", "{\"topic\":\"t\"}"},
        {"player/00000001", "{\"topic\":\"t\"}"},
    };
    struct replay_note note;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(!replay_note_read(span_from_text(cases[i].key), span_from_text(cases[i].value), &note));
    expect(replay_note_read(span_from_text("replay/00000001"),
                            span_from_text("{\"topic\":\"t\",\"future\":{\"a\":[1]}}"), &note));
}

static uint64_t pass(struct replay_pace *pace, int64_t *now_ns, int64_t step_ns, unsigned steps)
{
    uint64_t taken = 0;
    for (unsigned i = 0; i < steps; i++) {
        *now_ns += step_ns;
        taken += replay_pace_take(pace, *now_ns);
    }
    return taken;
}

TEST(pace_is_exact_over_time_and_saves_nothing_up)
{
    static const uint64_t rates[] = {1, 7, 1000, 123456, REPLAY_RATE_MAX};
    for (unsigned i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        struct replay_pace pace;
        int64_t now_ns = 1000;
        replay_pace_init(&pace, rates[i], now_ns);
        uint64_t taken = pass(&pace, &now_ns, REPLAY_PACE_STEP_NS, 500); /* ten seconds */
        expect(taken <= 10 * rates[i] && taken + 2 + 10 * rates[i] / 1000 >= 10 * rates[i]);
        now_ns += 3600 * CLOCK_NS_PER_S;
        uint64_t burst = replay_pace_take(&pace, now_ns);
        expect(burst <= rates[i] / 10 + 1 && burst > 0);
    }
    struct replay_pace pace;
    replay_pace_init(&pace, 0, 0);
    expect_equal_u64(replay_pace_take(&pace, 0), UINT64_MAX);
}

TEST_MAIN(note_and_ranges_read_back,
          notes_that_are_none_are_refused,
          pace_is_exact_over_time_and_saves_nothing_up)
