/* Tests the store in memory, which the tests of the doors rest upon. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_memory.h"

#include "support/test.h"
#include "support/test_append.h"

struct fixture {
    struct clock_fake clock;
    struct store *store;
    struct mailbox mailbox;
    struct store_topic topic;
    uint32_t sequence;
    uint8_t buffer[4096];
};

static void stay_asleep(void *owner)
{
    (void)owner;
}

static void begin(struct fixture *fixture)
{
    clock_fake_init(&fixture->clock, 0);
    fixture->store = store_memory_new(&fixture->clock.clock);
    mailbox_init(&fixture->mailbox, stay_asleep, NULL);
    expect_fine(
        fixture->store->ops->topic_open(fixture->store, span_from_text("orders"), 2, true, &fixture->topic));
    expect_fine(
        fixture->store->ops->sequence_open(fixture->store, span_from_text("default"), &fixture->sequence));
}

static void end(struct fixture *fixture)
{
    mailbox_deliver(&fixture->mailbox);
    mailbox_done(&fixture->mailbox);
    expect_null(store_memory_free(fixture->store));
}

static struct test_append *append_one(struct fixture *fixture, uint64_t seq)
{
    struct test_append *test = test_append_new(&fixture->mailbox);
    test_append_add(test, &fixture->topic, 1,
                    (struct test_records){.key = "key", .value = "value", .seq = seq});
    expect_fine(fixture->store->ops->append(fixture->store, &test->append));
    mailbox_deliver(&fixture->mailbox);
    return test;
}

static enum err read_from(struct fixture *fixture, uint64_t offset, size_t size, struct store_read *read)
{
    *read = (struct store_read){.topic = fixture->topic.id,
                                .partition = 1,
                                .offset = offset,
                                .buffer = fixture->buffer,
                                .size = size};
    return fixture->store->ops->read(fixture->store, read);
}

static bool has(struct fixture *fixture, uint64_t number)
{
    bool has = false;
    expect_fine(fixture->store->ops->sequence_has(fixture->store, fixture->sequence, number, &has));
    return has;
}

TEST(sequence_is_named_only_when_there_is_one)
{
    struct fixture fixture;
    uint32_t sequence = 9;
    begin(&fixture);
    const struct store_ops *ops = fixture.store->ops;
    expect_err(ops->sequence_named(fixture.store, span_from_text("other"), &sequence), ERR_NOT_FOUND);
    expect_fine(ops->sequence_named(fixture.store, span_from_text("default"), &sequence));
    expect_equal_u64(sequence, fixture.sequence);
    end(&fixture);
}

TEST(appended_batches_are_read_back_from_any_offset_in_them)
{
    struct fixture fixture;
    begin(&fixture);
    test_append_store(fixture.store, &fixture.topic, 1, (struct test_records){.value = "a", .count = 3});
    test_append_store(fixture.store, &fixture.topic, 1, (struct test_records){.value = "b", .count = 2});
    struct store_read read;
    expect_fine(read_from(&fixture, 1, sizeof(fixture.buffer), &read));
    struct record_batch batch;
    size_t at = 0;
    expect(record_batch_decode(span_of(fixture.buffer, read.ret_len), &batch, &at) == DECODE_DONE);
    expect_equal_u64(batch.base_offset, 0);
    expect_equal_u64(batch.record_count, 3);
    expect_equal_u64(read.ret_next_offset, 5);
    expect_fine(read_from(&fixture, 3, sizeof(fixture.buffer), &read));
    expect(record_batch_decode(span_of(fixture.buffer, read.ret_len), &batch, &at) == DECODE_DONE);
    expect_equal_u64(batch.base_offset, 3);
    expect_fine(read_from(&fixture, 5, sizeof(fixture.buffer), &read));
    expect_equal_u64(read.ret_len, 0);
    expect_equal_u64(read.ret_next_offset, 5);
    end(&fixture);
}

TEST(read_into_too_small_a_buffer_says_what_it_takes)
{
    struct fixture fixture;
    begin(&fixture);
    test_append_store(fixture.store, &fixture.topic, 1, (struct test_records){.value = "a", .count = 3});
    struct store_read read;
    expect_err(read_from(&fixture, 0, 10, &read), ERR_TOO_LARGE);
    expect_fine(read_from(&fixture, 0, read.ret_len, &read));
    expect_equal_u64(read.ret_next_offset, 3);
    end(&fixture);
}

TEST(read_below_retention_is_expired)
{
    struct fixture fixture;
    begin(&fixture);
    test_append_store(fixture.store, &fixture.topic, 1, (struct test_records){.value = "a", .count = 3});
    store_memory_expire(fixture.store, fixture.topic.id, 1, 2);
    struct store_read read;
    expect_err(read_from(&fixture, 1, sizeof(fixture.buffer), &read), ERR_EXPIRED);
    expect_fine(read_from(&fixture, 2, sizeof(fixture.buffer), &read));
    end(&fixture);
}

TEST(held_append_is_not_stored_before_it_is_finished)
{
    struct fixture fixture;
    begin(&fixture);
    store_memory_hold(fixture.store, true);
    struct test_append *test = append_one(&fixture, 7);
    expect(!test->is_done);
    expect(!has(&fixture, 7));
    expect_equal_u64(store_memory_finish(fixture.store, 1), 1);
    mailbox_deliver(&fixture.mailbox);
    expect(test->is_done);
    expect(has(&fixture, 7));
    test_append_free(test);
    end(&fixture);
}

TEST(full_store_lets_appends_wait_and_a_broken_one_refuses_them)
{
    struct fixture fixture;
    begin(&fixture);
    store_memory_set_state(fixture.store, STORE_FULL);
    struct test_append *first = append_one(&fixture, 1);
    expect(!first->is_done);
    store_memory_set_state(fixture.store, STORE_OPEN);
    mailbox_deliver(&fixture.mailbox);
    expect(first->is_done);
    expect_err(first->append.ret_err, ERR_NONE);
    store_memory_set_state(fixture.store, STORE_BROKEN);
    struct test_append *second = append_one(&fixture, 2);
    expect(second->is_done);
    expect_err(second->append.ret_err, ERR_BROKEN);
    expect(!has(&fixture, 2));
    test_append_free(first);
    test_append_free(second);
    end(&fixture);
}

TEST(append_beyond_the_bytes_in_flight_is_busy_but_one_is_always_admitted)
{
    struct fixture fixture;
    begin(&fixture);
    store_memory_hold(fixture.store, true);
    store_memory_set_inflight_max(fixture.store, 1);
    struct test_append *first = append_one(&fixture, 1);
    struct test_append *second = test_append_new(&fixture.mailbox);
    test_append_add(second, &fixture.topic, 0, (struct test_records){.value = "x"});
    expect_err(fixture.store->ops->append(fixture.store, &second->append), ERR_BUSY);
    store_memory_finish(fixture.store, 1);
    expect_fine(fixture.store->ops->append(fixture.store, &second->append));
    store_memory_finish(fixture.store, 1);
    mailbox_deliver(&fixture.mailbox);
    expect(second->is_done);
    test_append_free(first);
    test_append_free(second);
    end(&fixture);
}

static void on_watch_mail(struct mail *mail)
{
    (void)mail;
}

TEST(watch_tells_one_change_and_must_be_set_again)
{
    struct fixture fixture;
    begin(&fixture);
    struct store_watch watch = {.mail.on_delivered = on_watch_mail, .reply_to = &fixture.mailbox};
    fixture.store->ops->watch(fixture.store, &watch);
    fixture.store->ops->watch(fixture.store, &watch);
    test_append_store(fixture.store, &fixture.topic, 0, (struct test_records){.value = "x"});
    test_append_store(fixture.store, &fixture.topic, 0, (struct test_records){.value = "x"});
    expect_equal_u64(mailbox_deliver(&fixture.mailbox), 1);
    fixture.store->ops->watch(fixture.store, &watch);
    expect(fixture.store->ops->unwatch(fixture.store, &watch));
    test_append_store(fixture.store, &fixture.topic, 0, (struct test_records){.value = "x"});
    expect_equal_u64(mailbox_deliver(&fixture.mailbox), 0);
    end(&fixture);
}

static void on_read_mail(struct mail *mail)
{
    (void)mail;
}

TEST(slow_read_is_answered_by_mail)
{
    struct fixture fixture;
    begin(&fixture);
    test_append_store(fixture.store, &fixture.topic, 1, (struct test_records){.value = "a"});
    store_memory_set_slow_reads(fixture.store, true);
    struct store_read read = {.mail.on_delivered = on_read_mail,
                              .reply_to = &fixture.mailbox,
                              .topic = fixture.topic.id,
                              .partition = 1,
                              .buffer = fixture.buffer,
                              .size = sizeof(fixture.buffer)};
    expect_err(fixture.store->ops->read(fixture.store, &read), ERR_PENDING);
    expect_equal_u64(mailbox_deliver(&fixture.mailbox), 1);
    expect_err(read.ret_err, ERR_NONE);
    expect_equal_u64(read.ret_next_offset, 1);
    end(&fixture);
}

TEST(numbers_are_found_as_runs_that_do_not_touch)
{
    struct fixture fixture;
    begin(&fixture);
    const uint64_t numbers[] = {5, 3, 4, 9, 1, 7, 8, 4};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        test_append_free(append_one(&fixture, numbers[i]));
    struct store_run runs[4];
    const struct store_ops *ops = fixture.store->ops;
    struct store_runs answer = {.from = 2, .to = 8, .runs = runs, .size = 4};
    expect_fine(ops->sequence_runs(fixture.store, fixture.sequence, &answer));
    expect_equal_u64(answer.ret_count, 2);
    expect_equal_u64(runs[0].from, 3);
    expect_equal_u64(runs[0].count, 3);
    expect_equal_u64(runs[1].from, 7);
    expect_equal_u64(runs[1].count, 2);
    expect_equal_u64(answer.ret_covered, 8);
    answer = (struct store_runs){.from = 1, .to = 100, .runs = runs, .size = 1};
    expect_fine(ops->sequence_runs(fixture.store, fixture.sequence, &answer));
    expect_equal_u64(answer.ret_count, 1);
    expect_equal_u64(answer.ret_covered, 1);
    expect_equal_u64(ops->sequence_last(fixture.store, fixture.sequence), 9);
    expect_equal_u64(ops->sequence_take(fixture.store, fixture.sequence, 10), 10);
    expect_equal_u64(ops->sequence_take(fixture.store, fixture.sequence, 1), 20);
    end(&fixture);
}

TEST(topics_are_created_up_to_a_number_and_found_again)
{
    struct fixture fixture;
    begin(&fixture);
    const struct store_ops *ops = fixture.store->ops;
    struct store_topic topic;
    store_memory_set_topics_max(fixture.store, 1);
    expect_fine(ops->topic_open(fixture.store, span_from_text("orders"), 9, true, &topic));
    expect_equal_u64(topic.partitions, 2);
    expect_err(ops->topic_open(fixture.store, span_from_text("other"), 1, false, &topic), ERR_UNKNOWN_TOPIC);
    expect_err(ops->topic_open(fixture.store, span_from_text("other"), 1, true, &topic), ERR_TOO_MANY);
    expect_err(ops->topic_open(fixture.store, span_from_text("a/b"), 1, true, &topic), ERR_BAD_NAME);
    uint32_t position = 0;
    expect(ops->topic_next(fixture.store, &position, &topic));
    expect(!ops->topic_next(fixture.store, &position, &topic));
    end(&fixture);
}

TEST(identity_is_admitted_once)
{
    struct fixture fixture;
    begin(&fixture);
    const uint8_t hash[16] = {1, 2, 3};
    const uint8_t twice[2][16] = {{1, 2, 3}, {1, 2, 3}};
    enum store_identity states[2];
    fixture.store->ops->identities_admit(fixture.store, twice, 2, states);
    expect(states[0] == STORE_IDENTITY_NEW && states[1] == STORE_IDENTITY_PENDING);
    fixture.store->ops->identity_forget(fixture.store, &hash, 1);
    expect(fixture.store->ops->identity_state(fixture.store, hash) == STORE_IDENTITY_NEW);
    end(&fixture);
}

TEST_MAIN(sequence_is_named_only_when_there_is_one,
          appended_batches_are_read_back_from_any_offset_in_them,
          read_into_too_small_a_buffer_says_what_it_takes,
          read_below_retention_is_expired,
          held_append_is_not_stored_before_it_is_finished,
          full_store_lets_appends_wait_and_a_broken_one_refuses_them,
          append_beyond_the_bytes_in_flight_is_busy_but_one_is_always_admitted,
          watch_tells_one_change_and_must_be_set_again,
          slow_read_is_answered_by_mail,
          numbers_are_found_as_runs_that_do_not_touch,
          topics_are_created_up_to_a_number_and_found_again,
          identity_is_admitted_once)
