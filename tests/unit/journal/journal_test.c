/* The journal through its face as a store: append, read, restart. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/journal.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/fs_memory.h"
#include "support/test.h"
#include "wire/record_batch.h"

enum { SEGMENT = 256 * 1024, READ_SIZE = 64 * 1024, TOPICS_MAX = 10 };

struct bench {
    struct fs *fs;
    struct clock_fake clock;
    struct random random;
    struct journal *journal;
    struct store *store;
    struct mailbox mailbox;
    unsigned completed;
};

static void on_wake(void *owner)
{
    (void)owner;
}

static void on_event(void *owner, enum journal_event event, const char *fields)
{
    (void)owner;
    if (getenv("WAYBILL_TEST_EVENTS") != NULL)
        (void)fprintf(stderr, "event %d %s\n", event, fields);
}

static void open_journal(struct bench *bench)
{
    struct journal_settings settings;
    struct why why = {{0}};
    journal_settings_default(&settings);
    settings.segment_size = SEGMENT;
    settings.topics_max = TOPICS_MAX;
    settings.append_size_max = SEGMENT / 4;
    settings.record_size_max = SEGMENT / 8;
    struct journal_seams seams = {
        .fs = bench->fs, .clock = &bench->clock.clock, .random = &bench->random, .on_event = on_event};
    expect_fine(journal_open(&seams, &settings, &why, &bench->journal));
    bench->store = journal_store(bench->journal);
}

static void begin(struct bench *bench)
{
    *bench = (struct bench){.fs = fs_memory_new()};
    clock_fake_init(&bench->clock, 1000 * CLOCK_NS_PER_S);
    random_seed(&bench->random, 7);
    mailbox_init(&bench->mailbox, on_wake, NULL);
    open_journal(bench);
}

static void restart(struct bench *bench)
{
    journal_stop(bench->journal);
    bench->journal = journal_free(bench->journal);
    open_journal(bench);
}

static void finish(struct bench *bench)
{
    journal_stop(bench->journal);
    journal_free(bench->journal);
    (void)mailbox_deliver(&bench->mailbox);
    mailbox_done(&bench->mailbox);
    fs_memory_free(bench->fs);
}

struct message {
    struct store_append append;
    struct store_part part;
    struct store_run run;
    struct bench *bench;
};

static void on_done(struct mail *mail)
{
    struct store_append *append = LIST_OWNER(mail, struct store_append, mail);
    struct message *message = LIST_OWNER(append, struct message, append);
    expect_fine(append->ret_err);
    message->bench->completed++;
    free(append->bytes);
    free(message);
}

static void append(struct bench *bench, uint32_t topic, uint64_t seq, size_t body_len)
{
    struct message *message = calloc(1, sizeof *message);
    uint8_t *body = calloc(1, body_len + 1);
    memset(body, 'a' + (int)(seq % 26), body_len);
    char key[24];
    (void)snprintf(key, sizeof key, "k%llu", (unsigned long long)seq);
    struct record record = {.key = span_from_text(key), .value = span_of(body, body_len)};
    size_t len = RECORD_BATCH_HEADER_SIZE + record_size(&record, 0);
    size_t size = (STORE_PART_HEADROOM + len + 7) & ~(size_t)7;
    uint8_t *bytes = calloc(1, size);
    struct record_batch_writer writer;
    record_batch_begin(&writer, bytes + STORE_PART_HEADROOM, 1000);
    record_batch_add(&writer, &record);
    expect_equal_u64(record_batch_finish(&writer), len);
    message->bench = bench;
    message->part = (struct store_part){
        .topic = topic, .position = STORE_PART_HEADROOM, .len = (uint32_t)len, .records = 1};
    message->run = (struct store_run){seq, 1};
    message->append = (struct store_append){
        .mail.on_delivered = on_done,
        .reply_to = &bench->mailbox,
        .bytes = bytes,
        .len = size,
        .parts = &message->part,
        .part_count = 1,
        .runs = &message->run,
        .run_count = 1,
    };
    free(body);
    enum err err;
    while ((err = bench->store->ops->append(bench->store, &message->append)) == ERR_BUSY)
        (void)journal_step(bench->journal);
    expect_fine(err);
}

static void settle(struct bench *bench)
{
    while (journal_step(bench->journal) || journal_chore_step(bench->journal))
        ;
    (void)mailbox_deliver(&bench->mailbox);
}

static uint64_t count_records(struct bench *bench, uint32_t topic)
{
    uint64_t count = 0;
    struct store_read read = {.topic = topic, .buffer = malloc(READ_SIZE), .size = READ_SIZE};
    for (;;) {
        expect_fine(bench->store->ops->read(bench->store, &read));
        struct span bytes = span_of(read.buffer, read.ret_len);
        while (bytes.len > 0) {
            struct record_batch batch;
            size_t at;
            expect(record_batch_decode(bytes, &batch, &at) == DECODE_DONE);
            expect_equal_u64(batch.base_offset, count);
            count += batch.record_count;
            bytes = span_after(bytes, batch.bytes.len);
        }
        if (read.ret_next_offset == read.offset)
            break;
        read.offset = read.ret_next_offset;
    }
    free(read.buffer);
    return count;
}

TEST(a_batch_larger_than_the_buffer_is_refused_with_the_size_that_it_takes)
{
    enum { SMALL = 4096, BODY = 10000 };
    struct bench bench;
    begin(&bench);
    struct store_topic topic;
    uint32_t sequence;
    expect_fine(bench.store->ops->topic_open(bench.store, span_from_text("orders"), 0, true, &topic));
    expect_err(bench.store->ops->sequence_named(bench.store, span_from_text("default"), &sequence),
               ERR_NOT_FOUND);
    expect_fine(bench.store->ops->sequence_open(bench.store, span_from_text("default"), &sequence));
    append(&bench, topic.id, 1, BODY);
    settle(&bench);
    struct store_read read = {.topic = topic.id, .buffer = malloc(READ_SIZE), .size = SMALL};
    expect(bench.store->ops->read(bench.store, &read) == ERR_TOO_LARGE);
    expect(read.ret_len > BODY && read.ret_len < BODY + 200);
    read.size = read.ret_len;
    expect_fine(bench.store->ops->read(bench.store, &read));
    expect(read.ret_len > BODY);
    free(read.buffer);
    finish(&bench);
}

TEST(input_creates_no_more_topics_than_allowed_besides_those_for_dead_letters)
{
    struct bench bench;
    begin(&bench);
    struct store *store = bench.store;
    struct store_topic topic;
    char name[24];
    for (unsigned i = 0; i < TOPICS_MAX; i++) {
        (void)snprintf(name, sizeof name, "topic-%u", i);
        expect_fine(store->ops->topic_open(store, span_from_text(name), 0, true, &topic));
    }
    expect(store->ops->topic_open(store, span_from_text("one-more"), 0, true, &topic) == ERR_TOO_MANY);
    expect_fine(store->ops->topic_open(store, span_from_text("orders.dlq"), 0, true, &topic));
    expect_fine(store->ops->topic_open(store, span_from_text("topic-0"), 0, true, &topic));
    finish(&bench);
}

TEST(records_are_read_back_over_many_segments_and_restarts)
{
    struct bench bench;
    begin(&bench);
    struct store_topic topic;
    uint32_t sequence;
    expect_fine(bench.store->ops->topic_open(bench.store, span_from_text("orders"), 0, true, &topic));
    expect_fine(bench.store->ops->sequence_open(bench.store, span_from_text("default"), &sequence));
    for (uint64_t seq = 1; seq <= 3000; seq++) {
        append(&bench, topic.id, seq, 300);
        if (seq % 50 == 0)
            settle(&bench);
        if (seq % 1000 == 0)
            restart(&bench);
    }
    settle(&bench);
    expect_equal_u64(bench.completed, 3000);
    expect_equal_u64(count_records(&bench, topic.id), 3000);
    restart(&bench);
    expect_equal_u64(count_records(&bench, topic.id), 3000);
    for (uint64_t seq = 1; seq <= 3000; seq += 7) {
        bool has = false;
        expect_fine(bench.store->ops->sequence_has(bench.store, sequence, seq, &has));
        expect(has);
    }
    expect_equal_u64(bench.store->ops->sequence_last(bench.store, sequence), 3000);
    bool has = true;
    expect_fine(bench.store->ops->sequence_has(bench.store, sequence, 3001, &has));
    expect(!has);
    expect_equal_u64(journal_recovery(bench.journal)->damaged_ranges, 0);
    expect_equal_u64(journal_recovery(bench.journal)->torn_bytes, 0);
    finish(&bench);
}

TEST(reader_that_goes_back_finds_its_place_in_spite_of_the_hint)
{
    struct bench bench;
    begin(&bench);
    struct store_topic topic;
    uint32_t sequence;
    expect_fine(bench.store->ops->topic_open(bench.store, span_from_text("orders"), 0, true, &topic));
    expect_fine(bench.store->ops->sequence_open(bench.store, span_from_text("default"), &sequence));
    for (uint64_t seq = 1; seq <= 2000; seq++) {
        append(&bench, topic.id, seq, 500);
        if (seq % 50 == 0)
            settle(&bench);
    }
    settle(&bench);
    struct store_read read = {.topic = topic.id, .buffer = malloc(READ_SIZE), .size = READ_SIZE};
    static const uint64_t offsets[] = {1999, 0, 1000, 999, 500, 1500, 1, 1999, 1200};
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        struct record_batch batch;
        size_t at;
        read.offset = offsets[i];
        expect_fine(bench.store->ops->read(bench.store, &read));
        expect(record_batch_decode(span_of(read.buffer, read.ret_len), &batch, &at) == DECODE_DONE);
        expect_equal_u64(batch.base_offset, offsets[i]);
    }
    free(read.buffer);
    finish(&bench);
}

TEST_MAIN(reader_that_goes_back_finds_its_place_in_spite_of_the_hint,
          a_batch_larger_than_the_buffer_is_refused_with_the_size_that_it_takes,
          input_creates_no_more_topics_than_allowed_besides_those_for_dead_letters,
          records_are_read_back_over_many_segments_and_restarts)
