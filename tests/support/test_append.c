/* Appends of a few records, laid out as a door lays them out. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test_append.h"

#include <stdio.h>
#include <stdlib.h>

static const int64_t timestamp_ms = 1700000000123;

static void on_done(struct mail *mail)
{
    LIST_OWNER(mail, struct test_append, append.mail)->is_done = true;
}

struct test_append *test_append_new(struct mailbox *reply_to)
{
    struct test_append *test = calloc(1, sizeof(*test));
    check(test != NULL);
    test->append.mail.on_delivered = on_done;
    test->append.reply_to = reply_to;
    test->append.parts = test->parts;
    test->append.runs = test->runs;
    return test;
}

struct test_append *test_append_free(struct test_append *test)
{
    free(test->append.bytes);
    free(test);
    return NULL;
}

static struct record record_of(struct test_records records)
{
    return (struct record){
        .key = span_from_text(records.key == NULL ? "" : records.key),
        .key_is_null = records.key == NULL,
        .value = span_from_text(records.value),
    };
}

static void reserve(struct test_append *test, size_t count)
{
    if (test->append.len + count <= test->size)
        return;
    test->size = (test->append.len + count) * 2;
    test->append.bytes = realloc(test->append.bytes, test->size);
    check(test->append.bytes != NULL);
}

/* The batch lies where the writer put it; its length. */
static size_t write_batch(struct test_append *test, size_t position, struct test_records records)
{
    struct record_batch_writer writer;
    record_batch_begin(&writer, test->append.bytes + position, timestamp_ms);
    struct record record = record_of(records);
    for (uint32_t i = 0; i < records.count; i++) {
        char number[24];
        snprintf(number, sizeof(number), "%llu", (unsigned long long)(records.seq + i));
        struct record_header header = {.name = span_from_text("seq"), .value = span_from_text(number)};
        record.headers = &header;
        record.header_count = records.seq > 0;
        record_batch_add(&writer, &record);
    }
    return record_batch_finish(&writer);
}

void test_append_add(struct test_append *test,
                     const struct store_topic *topic,
                     uint32_t partition,
                     struct test_records records)
{
    struct store_append *append = &test->append;
    check(append->part_count < TEST_APPEND_PARTS_MAX);
    records.count = records.count == 0 ? 1 : records.count;
    struct record record = record_of(records);
    const size_t header_size_max = 64;
    reserve(test, STORE_PART_HEADROOM + RECORD_BATCH_HEADER_SIZE + STORE_PART_ALIGNMENT +
                      records.count * (record_size(&record, records.count) + header_size_max));
    check(append->bytes != NULL);
    size_t position = append->len + STORE_PART_HEADROOM;
    size_t len = write_batch(test, position, records);
    append->parts[append->part_count++] = (struct store_part){
        .topic = topic->id,
        .partition = partition,
        .position = (uint32_t)position,
        .len = (uint32_t)len,
        .records = records.count,
    };
    size_t padded = (position + len + STORE_PART_ALIGNMENT - 1) / STORE_PART_ALIGNMENT * STORE_PART_ALIGNMENT;
    for (size_t at = position + len; at < padded; at++)
        append->bytes[at] = 0;
    append->len = padded;
    if (records.seq > 0)
        test->runs[append->run_count++] = (struct store_run){records.seq, records.count};
}

static void stay_asleep(void *owner)
{
    (void)owner;
}

void test_append_store(struct store *store,
                       const struct store_topic *topic,
                       uint32_t partition,
                       struct test_records records)
{
    struct mailbox mailbox;
    mailbox_init(&mailbox, stay_asleep, NULL);
    struct test_append *test = test_append_new(&mailbox);
    test_append_add(test, topic, partition, records);
    check(store->ops->append(store, &test->append) == ERR_NONE);
    mailbox_deliver(&mailbox);
    check(test->is_done && test->append.ret_err == ERR_NONE);
    test_append_free(test);
    mailbox_done(&mailbox);
}
