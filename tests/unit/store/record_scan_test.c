/* Tests the scan of a topic's ranges. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record_scan.h"

#include <stdio.h>
#include <stdlib.h>

#include "store/store_memory.h"
#include "support/test.h"
#include "support/test_append.h"

struct fixture {
    struct clock_fake clock;
    struct mailbox mailbox;
    struct store *store;
    struct store_topic topic;
    struct record_scan *scan;
    char seen[4096]; /* "<partition>:<offset>=<value> " for each record */
    unsigned wait_at;
    unsigned stop_at; /* records, 0: never */
    unsigned records;
    bool closes;
    unsigned ends;
    enum err err;
};

static void stay_asleep(void *owner)
{
    (void)owner;
}

static void begin(struct fixture *fixture, uint32_t partitions)
{
    *fixture = (struct fixture){.scan = NULL};
    clock_fake_init(&fixture->clock, 1700000000123 * CLOCK_NS_PER_MS);
    mailbox_init(&fixture->mailbox, stay_asleep, NULL);
    fixture->store = store_memory_new(&fixture->clock.clock);
    expect_fine(fixture->store->ops->topic_open(fixture->store, span_from_text("t"), partitions, true,
                                                &fixture->topic));
}

static void settle(struct fixture *fixture)
{
    while (mailbox_deliver(&fixture->mailbox) > 0)
        ;
}

static void end(struct fixture *fixture)
{
    fixture->scan = record_scan_close(fixture->scan);
    settle(fixture);
    store_memory_free(fixture->store);
    mailbox_done(&fixture->mailbox);
}

static enum record_scan_next on_record(void *owner, uint32_t partition, const struct record *record)
{
    struct fixture *fixture = owner;
    if (fixture->wait_at > 0 && fixture->records + 1 == fixture->wait_at)
        return RECORD_SCAN_WAIT;
    size_t len = strlen(fixture->seen);
    snprintf(fixture->seen + len, sizeof fixture->seen - len, "%u:%llu=%.*s ", partition,
             (unsigned long long)record->offset, (int)record->value.len, (const char *)record->value.data);
    fixture->records++;
    if (fixture->closes)
        fixture->scan = record_scan_close(fixture->scan);
    return fixture->records == fixture->stop_at ? RECORD_SCAN_STOP : RECORD_SCAN_GO_ON;
}

static void on_end(void *owner, enum err err)
{
    struct fixture *fixture = owner;
    fixture->ends++;
    fixture->err = err;
}

static void start(struct fixture *fixture, const struct record_scan_range *ranges)
{
    struct record_scan_events events = {on_record, on_end, fixture};
    struct record_scan_order order = {fixture->topic.id, ranges, fixture->topic.partitions};
    expect_fine(record_scan_new(fixture->store, &fixture->mailbox, &order, &events, &fixture->scan));
    expect_equal_u64(fixture->records + fixture->ends, 0);
    settle(fixture);
}

static void fill(struct fixture *fixture)
{
    for (uint32_t partition = 0; partition < fixture->topic.partitions; partition++) {
        test_append_store(fixture->store, &fixture->topic, partition,
                          (struct test_records){.value = "a", .count = 3});
        test_append_store(fixture->store, &fixture->topic, partition, (struct test_records){.value = "b"});
    }
}

TEST(ranges_are_read_exactly)
{
    struct fixture fixture;
    begin(&fixture, 3);
    fill(&fixture);
    const struct record_scan_range ranges[] = {{1, 3}, {2, 2}, {2, 100}};
    start(&fixture, ranges);
    expect_equal_text(fixture.seen, "0:1=a 0:2=a 2:2=a 2:3=b ");
    expect_equal_u64(fixture.ends, 1);
    expect_fine(fixture.err);
    end(&fixture);
}

TEST(topic_that_is_written_meanwhile_is_read_to_where_it_ended)
{
    struct fixture fixture;
    begin(&fixture, 1);
    fill(&fixture);
    struct record_scan_range *ranges;
    expect_fine(record_scan_ranges(fixture.store, &fixture.topic, &ranges));
    fill(&fixture);
    start(&fixture, ranges);
    free(ranges);
    expect_equal_u64(fixture.records, 4);
    end(&fixture);
}

TEST(record_that_was_not_taken_comes_again)
{
    struct fixture fixture;
    begin(&fixture, 1);
    fill(&fixture);
    fixture.wait_at = 3;
    store_memory_set_slow_reads(fixture.store, true);
    start(&fixture, (const struct record_scan_range[]){{0, 4}});
    expect_equal_text(fixture.seen, "0:0=a 0:1=a ");
    expect_equal_u64(record_scan_place(fixture.scan).offset, 2);
    expect_equal_u64(fixture.ends, 0);
    fixture.wait_at = 0;
    record_scan_resume(fixture.scan);
    settle(&fixture);
    expect_equal_text(fixture.seen, "0:0=a 0:1=a 0:2=a 0:3=b ");
    expect_equal_u64(fixture.ends, 1);
    end(&fixture);
}

TEST(stop_ends_it_behind_the_record)
{
    struct fixture fixture;
    begin(&fixture, 2);
    fill(&fixture);
    fixture.stop_at = 5;
    start(&fixture, (const struct record_scan_range[]){{0, 4}, {0, 4}});
    expect_equal_u64(fixture.records, 5);
    expect_equal_u64(fixture.ends, 1);
    expect_equal_u64(record_scan_place(fixture.scan).partition, 1);
    expect_equal_u64(record_scan_place(fixture.scan).offset, 1);
    end(&fixture);
}

TEST(what_retention_took_is_passed_over)
{
    struct fixture fixture;
    begin(&fixture, 1);
    fill(&fixture);
    store_memory_expire(fixture.store, fixture.topic.id, 0, 3);
    start(&fixture, (const struct record_scan_range[]){{0, 4}});
    expect_equal_text(fixture.seen, "0:3=b ");
    expect_fine(fixture.err);
    end(&fixture);
}

TEST(owner_may_close_it_at_any_time)
{
    struct fixture fixture;
    begin(&fixture, 1);
    fill(&fixture);
    fixture.closes = true;
    start(&fixture, (const struct record_scan_range[]){{0, 4}});
    expect_equal_u64(fixture.records, 1);
    expect_equal_u64(fixture.ends, 0);
    fixture.closes = false;
    store_memory_set_slow_reads(fixture.store, true);
    store_memory_hold(fixture.store, true);
    fixture.records = 0;
    start(&fixture, (const struct record_scan_range[]){{0, 4}});
    fixture.scan = record_scan_close(fixture.scan);
    store_memory_hold(fixture.store, false);
    end(&fixture);
    expect_equal_u64(fixture.records, 0);
}

TEST_MAIN(ranges_are_read_exactly,
          topic_that_is_written_meanwhile_is_read_to_where_it_ended,
          record_that_was_not_taken_comes_again,
          stop_ends_it_behind_the_record,
          what_retention_took_is_passed_over,
          owner_may_close_it_at_any_time)
