/* A store in memory with dead letters in it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/letter_store.h"

#include <stdio.h>

#include "store/append_queue.h"

static char values_text[1024 * 1024];

static void stay_asleep(void *owner)
{
    (void)owner;
}

void letter_store_begin(struct letter_store *letters)
{
    *letters = (struct letter_store){.store = NULL};
    clock_fake_init(&letters->clock, 1700000000123 * CLOCK_NS_PER_MS);
    mailbox_init(&letters->mailbox, stay_asleep, NULL);
    letters->store = store_memory_new(&letters->clock.clock);
}

void letter_store_settle(struct letter_store *letters)
{
    while (mailbox_deliver(&letters->mailbox) > 0)
        ;
}

void letter_store_end(struct letter_store *letters)
{
    letter_store_settle(letters);
    store_memory_free(letters->store);
    mailbox_done(&letters->mailbox);
}

struct store_topic letter_store_topic(struct letter_store *letters, const char *name, uint32_t partitions)
{
    struct store_topic topic;
    enum err err =
        letters->store->ops->topic_open(letters->store, span_from_text(name), partitions, true, &topic);
    check(err == ERR_NONE);
    return topic;
}

static void on_complete(void *owner, const struct built_append *append)
{
    (void)owner;
    check(append->append.ret_err == ERR_NONE);
}

static void
store_record(struct letter_store *letters, uint32_t topic, uint32_t partition, const struct record *record)
{
    struct append_builder builder;
    struct append_queue queue;
    struct append_builder_place place;
    struct built_append *built;
    append_builder_init(&builder, letters->store);
    append_queue_init(&queue, letters->store, &letters->mailbox);
    check(append_builder_add_record(&builder, topic, partition, record, &place) == ERR_NONE);
    check(append_builder_finish(&builder, 1700000000123, &built) == ERR_NONE);
    check(append_queue_submit(&queue, built, on_complete, NULL) == ERR_NONE);
    letter_store_settle(letters);
    append_queue_done(&queue);
    append_builder_done(&builder);
}

void letter_store_add(struct letter_store *letters,
                      const struct store_topic *dead_letters,
                      uint32_t partition,
                      const struct letter_plan *plan)
{
    char key[32];
    char value[32];
    char seq[32];
    snprintf(key, sizeof key, "k%llu", (unsigned long long)plan->origin);
    snprintf(value, sizeof value, "v%llu", (unsigned long long)plan->origin);
    snprintf(seq, sizeof seq, "%llu", (unsigned long long)plan->origin + 1);
    struct record_header headers[] = {
        {.name = span_from_text("seq"), .value = span_from_text(seq)},
        {.name = span_from_text("reason"), .value = span_from_text(plan->reason)}};
    struct record record = {
        .key = span_from_text(key), .value = span_from_text(value), .headers = headers, .header_count = 2};
    if (plan->group == NULL) {
        store_record(letters, dead_letters->id, partition, &record);
        return;
    }
    struct dead_letter letter = {
        .topic = span_from_text(plan->topic),
        .partition = partition,
        .offset = plan->origin,
        .timestamp_ms = 1600000000000,
        .group = span_from_text(plan->group),
        .reason = span_from_text(plan->reason),
        .attempts = 1,
        .first_ms = 1650000000000,
        .last_ms = 1650000000000,
    };
    struct dead_letter_record made;
    dead_letter_make(&record, 1, &letter, &made);
    store_record(letters, dead_letters->id, partition, &made.record);
}

enum store_outcome letter_store_outcome(struct letter_store *letters,
                                        const char *group,
                                        const struct store_topic *dead_letters,
                                        uint32_t partition,
                                        uint64_t offset)
{
    uint32_t id;
    struct store *store = letters->store;
    struct store_position position = {dead_letters->id, partition, offset};
    if (store->outcomes->group_open(store, span_from_text(group), false, &id) != ERR_NONE)
        return STORE_OUTCOME_OPEN;
    return store->outcomes->outcome(store, id, position);
}

static size_t add_values(struct span batch_bytes, size_t len)
{
    struct record_batch batch;
    struct record_cursor cursor;
    struct record record;
    size_t at;
    check(record_batch_decode(batch_bytes, &batch, &at) == DECODE_DONE);
    check(record_cursor_init(&cursor, &batch) == ERR_NONE);
    while (record_cursor_next(&cursor, &record) == DECODE_DONE)
        len += (size_t)snprintf(values_text + len, sizeof values_text - len, "%.*s\n", (int)record.value.len,
                                (const char *)record.value.data);
    return len;
}

const char *letter_store_values(struct letter_store *letters, const char *topic, uint32_t partition)
{
    static uint8_t bytes[4 * 1024 * 1024];
    struct store_topic found;
    size_t len = 0;
    values_text[0] = '\0';
    if (letters->store->ops->topic_open(letters->store, span_from_text(topic), 0, false, &found) != ERR_NONE)
        return values_text;
    struct store_read read = {
        .topic = found.id, .partition = partition, .buffer = bytes, .size = sizeof bytes};
    check(letters->store->ops->read(letters->store, &read) == ERR_NONE);
    for (struct span rest = span_of(bytes, read.ret_len); rest.len > 0;) {
        struct record_batch batch;
        size_t at;
        check(record_batch_decode(rest, &batch, &at) == DECODE_DONE);
        len = add_values(batch.bytes, len);
        rest = span_after(rest, batch.bytes.len);
    }
    return values_text;
}

uint64_t letter_store_end_of(struct letter_store *letters, const char *topic, uint32_t partition)
{
    struct store_topic found;
    struct store_extent extent;
    if (letters->store->ops->topic_open(letters->store, span_from_text(topic), 0, false, &found) != ERR_NONE)
        return 0;
    check(letters->store->ops->extent(letters->store, found.id, partition, &extent) == ERR_NONE);
    return extent.end;
}
