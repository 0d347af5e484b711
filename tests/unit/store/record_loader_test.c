/* Tests how single records are fetched. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record_loader.h"

#include <stdlib.h>

#include "base/random.h"
#include "store/store_memory.h"
#include "support/test.h"
#include "support/test_append.h"

struct fixture {
    struct clock_fake clock;
    struct mailbox mailbox;
    struct store *store;
    struct store_topic topic;
    struct record_loader loader;
    unsigned loaded;
};

static void stay_asleep(void *owner)
{
    (void)owner;
}

static void on_loaded(void *owner)
{
    ((struct fixture *)owner)->loaded++;
}

static void begin(struct fixture *fixture)
{
    *fixture = (struct fixture){.loaded = 0};
    clock_fake_init(&fixture->clock, 1700000000123 * CLOCK_NS_PER_MS);
    mailbox_init(&fixture->mailbox, stay_asleep, NULL);
    fixture->store = store_memory_new(&fixture->clock.clock);
    expect_fine(
        fixture->store->ops->topic_open(fixture->store, span_from_text("t"), 2, true, &fixture->topic));
    record_loader_init(&fixture->loader, fixture->store, &fixture->mailbox, on_loaded, fixture);
}

static void end(struct fixture *fixture)
{
    record_loader_done(&fixture->loader);
    store_memory_free(fixture->store);
    mailbox_done(&fixture->mailbox);
}

static enum err load(struct fixture *fixture, uint32_t partition, uint64_t offset, struct record *ret_record)
{
    struct store_position position = {fixture->topic.id, partition, offset};
    return record_loader_load(&fixture->loader, &position, ret_record);
}

TEST(records_are_found_in_any_order)
{
    struct fixture fixture;
    begin(&fixture);
    for (unsigned i = 0; i < 200; i++)
        test_append_store(fixture.store, &fixture.topic, i % 2,
                          (struct test_records){.value = "v", .count = 1 + i % 7, .seq = 0});
    struct random random;
    random_seed(&random, 1);
    for (unsigned i = 0; i < 2000; i++) {
        struct store_extent extent;
        uint32_t partition = (uint32_t)random_below(&random, 2);
        expect_fine(fixture.store->ops->extent(fixture.store, fixture.topic.id, partition, &extent));
        uint64_t offset = random_below(&random, extent.end);
        struct record record;
        expect_fine(load(&fixture, partition, offset, &record));
        expect_equal_u64(record.offset, offset);
    }
    struct record record;
    expect_err(load(&fixture, 0, 100000, &record), ERR_EXPIRED);
    expect_err(load(&fixture, 7, 0, &record), ERR_UNKNOWN_TOPIC);
    expect_fine(load(&fixture, 0, 0, &record));
    end(&fixture);
}

TEST(slow_read_is_told_and_then_found)
{
    struct fixture fixture;
    begin(&fixture);
    test_append_store(fixture.store, &fixture.topic, 0, (struct test_records){.value = "v", .count = 5});
    store_memory_set_slow_reads(fixture.store, true);
    struct record record;
    expect_err(load(&fixture, 0, 3, &record), ERR_PENDING);
    mailbox_deliver(&fixture.mailbox);
    expect_equal_u64(fixture.loaded, 1);
    expect_fine(load(&fixture, 0, 3, &record));
    expect_fine(load(&fixture, 0, 4, &record));
    expect_fine(load(&fixture, 0, 1, &record));
    expect_equal_u64(fixture.loaded, 1);
    store_memory_expire(fixture.store, fixture.topic.id, 0, 5);
    expect_err(load(&fixture, 1, 0, &record), ERR_PENDING);
    mailbox_deliver(&fixture.mailbox);
    expect_err(load(&fixture, 1, 0, &record), ERR_EXPIRED);
    expect_err(load(&fixture, 0, 3, &record), ERR_PENDING);
    mailbox_deliver(&fixture.mailbox);
    expect_err(load(&fixture, 0, 3, &record), ERR_EXPIRED);
    end(&fixture);
}

TEST(record_larger_than_a_read_is_made_room_for)
{
    struct fixture fixture;
    begin(&fixture);
    char *value = malloc(900 * 1024 + 1);
    expect_not_null(value);
    memset(value, 'x', 900 * 1024);
    value[900 * 1024] = '\0';
    test_append_store(fixture.store, &fixture.topic, 0, (struct test_records){.value = value});
    struct record record;
    expect_fine(load(&fixture, 0, 0, &record));
    expect_equal_u64(record.value.len, 900 * 1024);
    store_memory_set_slow_reads(fixture.store, true);
    record_loader_rest(&fixture.loader);
    enum err err;
    while ((err = load(&fixture, 0, 0, &record)) == ERR_PENDING)
        mailbox_deliver(&fixture.mailbox);
    expect_fine(err);
    free(value);
    end(&fixture);
}

TEST_MAIN(records_are_found_in_any_order,
          slow_read_is_told_and_then_found,
          record_larger_than_a_read_is_made_room_for)
