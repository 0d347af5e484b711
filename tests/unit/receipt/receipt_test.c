/* Tests what is said of records: by number and by place, for one group and for several, after dead letters and replays. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "receipt/receipt.h"

#include "store/store_memory.h"
#include "support/test.h"
#include "support/test_append.h"

struct fixture {
    struct clock_fake clock;
    struct store *store;
    struct mailbox mailbox;
    struct store_topic orders;
    struct store_topic letters; /* orders.dlq */
    uint32_t sequence;
    struct receipts *receipts;
};

static void stay_asleep(void *owner)
{
    (void)owner;
}

static void begin_with(struct fixture *fixture, const struct receipt_policy *policy)
{
    clock_fake_init(&fixture->clock, 7000);
    struct store *store = store_memory_new(&fixture->clock.clock);
    fixture->store = store;
    mailbox_init(&fixture->mailbox, stay_asleep, NULL);
    expect_fine(store->ops->topic_open(store, span_from_text("orders"), 2, true, &fixture->orders));
    expect_fine(store->ops->topic_open(store, span_from_text("orders.dlq"), 1, true, &fixture->letters));
    expect_fine(store->ops->sequence_open(store, span_from_text("default"), &fixture->sequence));
    expect_fine(receipts_new(store, policy, &fixture->receipts));
}

static void begin(struct fixture *fixture)
{
    static const struct receipt_policy by_default = {.rules = NULL};
    begin_with(fixture, &by_default);
}

static void end(struct fixture *fixture)
{
    expect_null(receipts_free(fixture->receipts));
    mailbox_deliver(&fixture->mailbox);
    mailbox_done(&fixture->mailbox);
    store_memory_free(fixture->store);
}

static void store_number(struct fixture *fixture, uint32_t partition, uint64_t seq)
{
    test_append_store(fixture->store, &fixture->orders, partition,
                      (struct test_records){.value = "v", .seq = seq});
}

static uint32_t group_id(struct fixture *fixture, const char *name)
{
    uint32_t id;
    expect_fine(fixture->store->outcomes->group_open(fixture->store, span_from_text(name), true, &id));
    return id;
}

/* One outcome; DEAD brings its dead letter along. */
static void settle_at(struct fixture *fixture,
                      const char *group,
                      const struct store_topic *topic,
                      uint32_t partition,
                      uint64_t offset,
                      enum store_outcome outcome)
{
    struct store_settled settled = {.group = group_id(fixture, group),
                                    .topic = topic->id,
                                    .partition = partition,
                                    .offset = offset,
                                    .count = 1,
                                    .outcome = outcome,
                                    .attempts = 3,
                                    .by = span_from_text("tester")};
    struct test_append *test = test_append_new(&fixture->mailbox);
    if (outcome == STORE_OUTCOME_DEAD)
        test_append_add(test, &fixture->letters, 0, (struct test_records){.value = "dead"});
    test->append.settled = &settled;
    test->append.settled_count = 1;
    expect_fine(fixture->store->ops->append(fixture->store, &test->append));
    mailbox_deliver(&fixture->mailbox);
    expect(test->is_done);
    test_append_free(test);
    receipts_refresh(fixture->receipts);
}

static void settle(struct fixture *fixture,
                   const char *group,
                   uint32_t partition,
                   uint64_t offset,
                   enum store_outcome outcome)
{
    settle_at(fixture, group, &fixture->orders, partition, offset, outcome);
}

static bool is_processed(struct fixture *fixture, uint64_t number)
{
    bool is = false;
    expect_fine(receipts_is_processed(fixture->receipts, fixture->sequence, number, &is));
    return is;
}

static struct receipt receipt_at(struct fixture *fixture, uint32_t partition, uint64_t offset)
{
    struct receipt receipt;
    receipts_look(fixture->receipts, (struct store_position){fixture->orders.id, partition, offset},
                  &receipt);
    return receipt;
}

static enum receipt_state state_at(struct fixture *fixture, uint32_t partition, uint64_t offset)
{
    return receipt_at(fixture, partition, offset).state;
}

static struct receipt_group group_at(struct fixture *fixture, const struct receipt *receipt, const char *name)
{
    struct receipt_group group;
    for (uint32_t position = 0; receipts_next_group(fixture->receipts, receipt, &position, &group);)
        if (strcmp(group.group.name, name) == 0)
            return group;
    test_fail("no group %s", name);
}

TEST(what_was_never_stored_is_unknown)
{
    struct fixture fixture;
    begin(&fixture);
    expect(!is_processed(&fixture, 1));
    expect(state_at(&fixture, 0, 0) == RECEIPT_UNKNOWN);
    expect(state_at(&fixture, 9, 0) == RECEIPT_UNKNOWN);
    expect(!receipts_is_place_processed(fixture.receipts, (struct store_position){99, 0, 0}));
    end(&fixture);
}

TEST(a_stored_record_is_processed_once_the_one_group_is_done_with_it)
{
    struct fixture fixture;
    begin(&fixture);
    store_number(&fixture, 0, 17);
    store_number(&fixture, 0, 18);
    expect(state_at(&fixture, 0, 0) == RECEIPT_STORED);
    expect(!is_processed(&fixture, 17));
    settle(&fixture, "g", 0, 0, STORE_OUTCOME_DONE);
    expect(is_processed(&fixture, 17));
    expect(!is_processed(&fixture, 18));
    expect(state_at(&fixture, 0, 0) == RECEIPT_PROCESSED);
    expect(state_at(&fixture, 0, 1) == RECEIPT_STORED);
    expect(receipts_is_place_processed(fixture.receipts, (struct store_position){fixture.orders.id, 0, 0}));
    expect(!receipts_is_place_processed(fixture.receipts, (struct store_position){fixture.orders.id, 0, 1}));
    struct receipt receipt = receipt_at(&fixture, 0, 0);
    struct receipt_group group = group_at(&fixture, &receipt, "g");
    expect(group.decides);
    expect_equal_text(receipt_outcome_name(&group), "done");
    expect_equal_u64(group.fate.attempts, 3);
    expect_equal_text(receipt.topic, "orders");
    end(&fixture);
}

TEST(a_number_is_processed_when_every_record_of_it_is)
{
    struct fixture fixture;
    begin(&fixture);
    store_number(&fixture, 0, 17);
    store_number(&fixture, 1, 17);
    settle(&fixture, "g", 0, 0, STORE_OUTCOME_DONE);
    expect(!is_processed(&fixture, 17));
    settle(&fixture, "g", 1, 0, STORE_OUTCOME_DONE);
    expect(is_processed(&fixture, 17));
    end(&fixture);
}

TEST(a_number_whose_place_is_not_known_is_not_processed)
{
    struct fixture fixture;
    begin(&fixture);
    store_number(&fixture, 0, 17);
    settle(&fixture, "g", 0, 0, STORE_OUTCOME_DONE);
    struct test_append *test = test_append_new(&fixture.mailbox);
    test_append_add(test, &fixture.orders, 0, (struct test_records){.value = "v", .seq = 17});
    test_append_add(test, &fixture.orders, 1, (struct test_records){.value = "v"});
    expect_fine(fixture.store->ops->append(fixture.store, &test->append)); /* two parts, and no places */
    mailbox_deliver(&fixture.mailbox);
    test_append_free(test);
    expect(!is_processed(&fixture, 17));
    end(&fixture);
}

TEST(a_number_in_more_places_than_are_looked_at_is_not_processed)
{
    struct fixture fixture;
    begin(&fixture);
    for (uint64_t i = 0; i <= RECEIPT_PLACES_MAX; i++) {
        store_number(&fixture, 0, 5);
        settle(&fixture, "g", 0, i, STORE_OUTCOME_DONE);
        expect(is_processed(&fixture, 5) == (i < RECEIPT_PLACES_MAX));
    }
    end(&fixture);
}

TEST(every_group_that_was_ever_done_in_the_topic_decides)
{
    struct fixture fixture;
    begin(&fixture);
    store_number(&fixture, 0, 17);
    store_number(&fixture, 1, 18);
    settle(&fixture, "g", 0, 0, STORE_OUTCOME_DONE);
    settle(&fixture, "g", 1, 0, STORE_OUTCOME_DONE);
    settle(&fixture, "reader", 0, 0, STORE_OUTCOME_SKIPPED); /* it never said DONE */
    expect(is_processed(&fixture, 17));
    settle(&fixture, "h", 1, 0, STORE_OUTCOME_DONE);
    expect(is_processed(&fixture, 18));
    expect(!is_processed(&fixture, 17)); /* h is at home in the topic, whatever the partition */
    expect(state_at(&fixture, 0, 0) == RECEIPT_DELIVERED);
    settle(&fixture, "h", 0, 0, STORE_OUTCOME_DONE);
    expect(state_at(&fixture, 0, 0) == RECEIPT_PROCESSED);
    end(&fixture);
}

TEST(a_group_of_another_topic_does_not_decide)
{
    struct fixture fixture;
    begin(&fixture);
    store_number(&fixture, 0, 17);
    settle(&fixture, "g", 0, 0, STORE_OUTCOME_DONE);
    test_append_store(fixture.store, &fixture.letters, 0, (struct test_records){.value = "v"});
    settle_at(&fixture, "h", &fixture.letters, 0, 0, STORE_OUTCOME_DONE);
    expect(is_processed(&fixture, 17));
    end(&fixture);
}

TEST(a_rule_names_those_that_decide_also_before_they_exist)
{
    static const char *const both[] = {"a", "b"};
    static const struct receipt_rule rules[] = {{"orders", both, 2}};
    static const struct receipt_policy policy = {.rules = rules, .rule_count = 1};
    struct fixture fixture;
    begin_with(&fixture, &policy);
    store_number(&fixture, 0, 17);
    settle(&fixture, "other", 0, 0, STORE_OUTCOME_DONE);
    settle(&fixture, "a", 0, 0, STORE_OUTCOME_DONE);
    expect(!is_processed(&fixture, 17));
    expect(state_at(&fixture, 0, 0) == RECEIPT_DELIVERED);
    settle(&fixture, "b", 0, 0, STORE_OUTCOME_DONE);
    expect(is_processed(&fixture, 17));
    struct receipt receipt = receipt_at(&fixture, 0, 0);
    expect(group_at(&fixture, &receipt, "b").decides);
    expect(!group_at(&fixture, &receipt, "other").decides);
    end(&fixture);
}

TEST(a_rule_without_a_topic_is_for_all_others)
{
    static const char *const names[] = {"a"};
    static const struct receipt_rule rules[] = {{NULL, names, 1}, {"orders.dlq", names, 1}};
    static const struct receipt_policy policy = {.rules = rules, .rule_count = 2};
    struct fixture fixture;
    begin_with(&fixture, &policy);
    store_number(&fixture, 0, 17);
    settle(&fixture, "g", 0, 0, STORE_OUTCOME_DONE);
    expect(!is_processed(&fixture, 17));
    settle(&fixture, "a", 0, 0, STORE_OUTCOME_DONE);
    expect(is_processed(&fixture, 17));
    end(&fixture);
}

TEST(the_owner_of_a_processed_log_decides_from_its_first_outcome_on)
{
    static const char *const logs[] = {"processed_log"};
    static const struct receipt_policy policy = {.log_groups = logs, .log_group_count = 1};
    struct fixture fixture;
    begin_with(&fixture, &policy);
    store_number(&fixture, 0, 17);
    settle(&fixture, "g", 0, 0, STORE_OUTCOME_DONE);
    expect(is_processed(&fixture, 17));
    settle(&fixture, "processed_log", 1, 0, STORE_OUTCOME_SKIPPED);
    expect(!is_processed(&fixture, 17));
    settle(&fixture, "processed_log", 0, 0, STORE_OUTCOME_DONE);
    expect(is_processed(&fixture, 17));
    end(&fixture);
}

TEST(a_group_that_only_delivers_decides_where_a_rule_names_it_and_nowhere_else)
{
    static const char *const names[] = {"archive"};
    static const struct receipt_rule rule = {.topic = "orders", .groups = names, .group_count = 1};
    static const struct receipt_policy carried = {.carrier_groups = names, .carrier_group_count = 1};
    static const struct receipt_policy named = {
        .rules = &rule, .rule_count = 1, .carrier_groups = names, .carrier_group_count = 1};
    struct fixture fixture;
    begin_with(&fixture, &carried);
    store_number(&fixture, 0, 17);
    settle(&fixture, "archive", 0, 0, STORE_OUTCOME_DONE);
    expect(!is_processed(&fixture, 17));
    expect(state_at(&fixture, 0, 0) == RECEIPT_DELIVERED);
    settle(&fixture, "g", 0, 0, STORE_OUTCOME_DONE);
    expect(is_processed(&fixture, 17));
    end(&fixture);
    begin_with(&fixture, &named);
    store_number(&fixture, 0, 17);
    expect(!is_processed(&fixture, 17));
    settle(&fixture, "archive", 0, 0, STORE_OUTCOME_DONE);
    expect(is_processed(&fixture, 17));
    end(&fixture);
}

TEST(a_dead_letter_stays_pending_until_its_replay_is_done)
{
    struct fixture fixture;
    begin(&fixture);
    store_number(&fixture, 0, 17);
    store_number(&fixture, 0, 18);
    settle(&fixture, "g", 0, 1, STORE_OUTCOME_DONE);
    settle(&fixture, "g", 0, 0, STORE_OUTCOME_DEAD);
    expect(!is_processed(&fixture, 17));
    expect(state_at(&fixture, 0, 0) == RECEIPT_DEAD_LETTERED);
    struct receipt receipt = receipt_at(&fixture, 0, 0);
    struct receipt_group group = group_at(&fixture, &receipt, "g");
    expect(group.fate.dead_is_known && !group.is_replayed);
    expect_equal_u64(group.fate.dead.topic, fixture.letters.id);
    settle_at(&fixture, "h", &fixture.letters, 0, 0,
              STORE_OUTCOME_DONE); /* somebody else reads dead letters */
    expect(!is_processed(&fixture, 17));
    settle_at(&fixture, "g", &fixture.letters, 0, 0, STORE_OUTCOME_DONE);
    expect(is_processed(&fixture, 17));
    expect(state_at(&fixture, 0, 0) == RECEIPT_REPLAYED);
    group = group_at(&fixture, &receipt, "g");
    expect_equal_text(receipt_outcome_name(&group), "replayed");
    end(&fixture);
}

TEST(a_replay_that_fails_again_is_followed_to_the_next_dead_letter)
{
    struct fixture fixture;
    begin(&fixture);
    store_number(&fixture, 0, 17);
    settle(&fixture, "g", 0, 0, STORE_OUTCOME_DEAD);
    settle_at(&fixture, "g", &fixture.letters, 0, 0, STORE_OUTCOME_DEAD);
    expect(state_at(&fixture, 0, 0) == RECEIPT_DEAD_LETTERED);
    struct receipt receipt = receipt_at(&fixture, 0, 0);
    expect_equal_u64(group_at(&fixture, &receipt, "g").fate.dead.offset, 1);
    settle_at(&fixture, "g", &fixture.letters, 0, 1, STORE_OUTCOME_DONE);
    expect(is_processed(&fixture, 17));
    expect(state_at(&fixture, 0, 0) == RECEIPT_REPLAYED);
    end(&fixture);
}

TEST(a_dead_letter_passed_over_in_its_last_replay_stays_one)
{
    struct fixture fixture;
    begin(&fixture);
    store_number(&fixture, 0, 17);
    settle(&fixture, "g", 0, 0, STORE_OUTCOME_DEAD);
    settle_at(&fixture, "g", &fixture.letters, 0, 0, STORE_OUTCOME_SKIPPED);
    expect(!is_processed(&fixture, 17));
    expect(state_at(&fixture, 0, 0) == RECEIPT_DEAD_LETTERED);
    end(&fixture);
}

TEST(a_parked_line_that_was_sent_on_no_longer_counts_itself)
{
    struct fixture fixture;
    begin(&fixture);
    test_append_store(fixture.store, &fixture.letters, 0, (struct test_records){.value = "v", .seq = 17});
    settle_at(&fixture, "waybill.reroute", &fixture.letters, 0, 0, STORE_OUTCOME_SKIPPED);
    expect(!is_processed(&fixture, 17)); /* by itself it is no proof */
    store_number(&fixture, 0, 17);
    expect(!is_processed(&fixture, 17));
    settle(&fixture, "g", 0, 0, STORE_OUTCOME_DONE);
    expect(is_processed(&fixture, 17));
    struct receipt parked;
    receipts_look(fixture.receipts, (struct store_position){fixture.letters.id, 0, 0}, &parked);
    expect(parked.state == RECEIPT_REPLAYED);
    end(&fixture);
}

TEST(the_receipt_outlives_the_record)
{
    struct fixture fixture;
    begin(&fixture);
    store_number(&fixture, 0, 17);
    store_number(&fixture, 0, 18);
    settle(&fixture, "g", 0, 0, STORE_OUTCOME_DONE);
    store_memory_expire(fixture.store, fixture.orders.id, 0, 2);
    expect(is_processed(&fixture, 17));
    expect(state_at(&fixture, 0, 0) == RECEIPT_PROCESSED);
    expect(receipt_at(&fixture, 0, 0).is_expired);
    expect(!is_processed(&fixture, 18));
    expect(state_at(&fixture, 0, 1) == RECEIPT_EXPIRED);
    expect_equal_text(receipt_state_name(RECEIPT_EXPIRED), "expired");
    end(&fixture);
}

TEST(a_place_by_number_says_when_it_was_stored)
{
    struct fixture fixture;
    begin(&fixture);
    store_number(&fixture, 1, 17);
    struct store_place place;
    uint32_t count;
    bool has_unplaced;
    expect_fine(fixture.store->outcomes->places(fixture.store, (struct store_number){fixture.sequence, 17},
                                                &place, 1, &count, &has_unplaced));
    struct receipt receipt;
    receipts_look_at_place(fixture.receipts, &place, &receipt);
    expect(receipt.state == RECEIPT_STORED);
    expect_equal_u64(receipt.position.partition, 1);
    expect_equal_i64(receipt.stored_ns, 7000);
    end(&fixture);
}

TEST_MAIN(what_was_never_stored_is_unknown,
          a_stored_record_is_processed_once_the_one_group_is_done_with_it,
          a_number_is_processed_when_every_record_of_it_is,
          a_number_whose_place_is_not_known_is_not_processed,
          a_number_in_more_places_than_are_looked_at_is_not_processed,
          every_group_that_was_ever_done_in_the_topic_decides,
          a_group_of_another_topic_does_not_decide,
          a_rule_names_those_that_decide_also_before_they_exist,
          a_rule_without_a_topic_is_for_all_others,
          the_owner_of_a_processed_log_decides_from_its_first_outcome_on,
          a_group_that_only_delivers_decides_where_a_rule_names_it_and_nowhere_else,
          a_dead_letter_stays_pending_until_its_replay_is_done,
          a_replay_that_fails_again_is_followed_to_the_next_dead_letter,
          a_dead_letter_passed_over_in_its_last_replay_stays_one,
          a_parked_line_that_was_sent_on_no_longer_counts_itself,
          the_receipt_outlives_the_record,
          a_place_by_number_says_when_it_was_stored)
