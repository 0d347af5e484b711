/* Tests how records that a subscriber gives up become dead letters. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "deadletter/parking.h"

#include "deadletter/dead_letter.h"
#include "support/letter_world.h"
#include "support/test.h"

TEST(letter_outcome_and_audit_come_together)
{
    struct letter_world world;
    struct test_member member;
    struct record record;
    letter_world_begin(&world, 4);
    letter_world_produce(&world, 3, 17, 2);
    letter_world_join(&world, &member, "billing", "orders");
    expect_equal_u64(letter_world_take(&world, &member), 2);
    store_memory_hold(world.groups.store, true);
    letter_world_fail(&world, &member, "orders", 18, 18, "no such customer");
    expect_equal_u64(store_memory_waiting(world.groups.store), 1);
    expect_equal_u64(world.parked, 0);
    expect_equal_u64(letter_world_end_of(&world, "orders.dlq", 3), 0);
    expect_equal_u64(letter_world_outcome(&world, "billing", "orders", 3, 1), STORE_OUTCOME_OPEN);
    store_memory_hold(world.groups.store, false);
    store_memory_finish(world.groups.store, 1);
    letter_world_turn(&world);
    expect_equal_u64(world.parked, 1);
    expect_fine(world.parked_err);
    expect_equal_u64(letter_world_outcome(&world, "billing", "orders", 3, 1), STORE_OUTCOME_DEAD);
    expect_equal_u64(letter_world_end_of(&world, "orders.dlq", 3), 1);
    expect_equal_u64(letter_world_end_of(&world, "waybill.audit", 0), 1);
    struct dead_letter letter = letter_world_letter(&world, "orders.dlq", 3, 0, &record);
    expect_span_is(record.key, "k");
    expect_span_is(record.value, "v");
    expect_span_is(dead_letter_header(&record, record.header_count, "seq"), "18");
    expect_span_is(letter.topic, "orders");
    expect_equal_u64(letter.partition, 3);
    expect_equal_u64(letter.offset, 1);
    expect_span_is(letter.group, "billing");
    expect_span_is(letter.by, "127.0.0.1:7");
    expect_span_is(letter.reason, "no such customer");
    expect_equal_u64(letter.attempts, 1);
    expect_equal_i64(letter.timestamp_ms, 1700000000123);
    expect(letter.first_ms == letter.last_ms && letter.first_ms == 1700000000000);
    struct group_select all = {.from = 17, .to = 18};
    expect_equal_u64(group_member_done(member.member, &all, 0), 1);
    test_member_leave(&member);
    letter_world_end(&world);
}

TEST(crash_before_the_append_leaves_nothing_and_the_record_comes_again)
{
    struct letter_world world;
    struct test_member member;
    letter_world_begin(&world, 1);
    letter_world_produce(&world, 0, 1, 3);
    letter_world_join(&world, &member, "g", "orders");
    (void)letter_world_take(&world, &member);
    store_memory_hold(world.groups.store, true);
    letter_world_fail(&world, &member, "orders", 2, 2, "bad");
    test_member_leave(&member);
    letter_world_crash(&world);
    letter_world_start(&world);
    expect_err(world.parked_err, ERR_BROKEN);
    expect_equal_u64(letter_world_end_of(&world, "orders.dlq", 0), 0);
    expect_equal_u64(letter_world_end_of(&world, "waybill.audit", 0), 0);
    expect_equal_u64(letter_world_outcome(&world, "g", "orders", 0, 1), STORE_OUTCOME_OPEN);
    letter_world_join(&world, &member, "g", "orders");
    expect_equal_u64(letter_world_take(&world, &member), 3);
    test_member_leave(&member);
    letter_world_end(&world);
}

TEST(broken_log_gives_the_records_back)
{
    struct letter_world world;
    struct test_member member;
    letter_world_begin(&world, 1);
    letter_world_produce(&world, 0, 1, 2);
    letter_world_join(&world, &member, "g", "orders");
    (void)letter_world_take(&world, &member);
    store_memory_set_state(world.groups.store, STORE_BROKEN);
    letter_world_fail(&world, &member, "orders", 1, 2, "bad");
    expect_err(world.parked_err, ERR_BROKEN);
    expect_equal_u64(letter_world_take(&world, &member), 2);
    test_member_leave(&member);
    store_memory_set_state(world.groups.store, STORE_OPEN);
    letter_world_end(&world);
}

TEST(hundreds_of_failures_of_one_turn_are_one_append)
{
    struct letter_world world;
    struct test_member member;
    letter_world_begin(&world, 1);
    letter_world_produce(&world, 0, 1, 250);
    letter_world_join(&world, &member, "g", "orders");
    (void)letter_world_take(&world, &member);
    store_memory_hold(world.groups.store, true);
    letter_world_fail(&world, &member, "orders", 1, 250, "bad");
    expect_equal_u64(store_memory_waiting(world.groups.store), 1);
    store_memory_hold(world.groups.store, false);
    store_memory_finish(world.groups.store, 1);
    letter_world_turn(&world);
    expect_equal_u64(letter_world_end_of(&world, "orders.dlq", 0), 250);
    for (uint64_t i = 0; i < 250; i++) {
        struct record record;
        struct dead_letter letter = letter_world_letter(&world, "orders.dlq", 0, i, &record);
        struct store_position position = {world.groups.topic.id, 0, letter.offset};
        struct store_fate fate;
        uint32_t group;
        struct store *store = world.groups.store;
        expect_fine(store->outcomes->group_open(store, span_from_text("g"), false, &group));
        expect_fine(store->outcomes->fate(store, group, position, &fate));
        expect(fate.dead_is_known && fate.dead.offset == i);
    }
    test_member_leave(&member);
    letter_world_end(&world);
}

TEST(letters_go_where_a_smaller_dead_letter_topic_has_place)
{
    struct letter_world world;
    struct test_member member;
    struct store_topic dead_letters;
    letter_world_begin(&world, 8);
    expect_fine(world.groups.store->ops->topic_open(world.groups.store, span_from_text("orders.dlq"), 2, true,
                                                    &dead_letters));
    letter_world_produce(&world, 1, 1, 1);
    letter_world_produce(&world, 7, 2, 1);
    letter_world_join(&world, &member, "g", "orders");
    (void)letter_world_take(&world, &member);
    letter_world_fail(&world, &member, "orders", 1, 2, "bad");
    expect_equal_u64(
        letter_world_end_of(&world, "orders.dlq", 0) + letter_world_end_of(&world, "orders.dlq", 1), 2);
    expect(letter_world_end_of(&world, "orders.dlq", 1) >= 1);
    test_member_leave(&member);
    letter_world_end(&world);
}

TEST(subscriber_of_the_dead_letters_gives_up_without_a_new_one)
{
    struct letter_world world;
    struct test_member member;
    struct test_member digger;
    letter_world_begin(&world, 1);
    letter_world_produce(&world, 0, 5, 1);
    letter_world_join(&world, &member, "g", "orders");
    (void)letter_world_take(&world, &member);
    letter_world_fail(&world, &member, "orders", 5, 5, "bad");
    letter_world_join(&world, &digger, "h", "orders.dlq");
    expect_equal_u64(letter_world_take(&world, &digger), 1);
    expect_equal_u64(world.given[0], 5);
    letter_world_fail(&world, &digger, "orders.dlq", 5, 5, "still bad");
    expect_fine(world.parked_err);
    expect_equal_u64(letter_world_end_of(&world, "orders.dlq", 0), 1);
    expect_equal_u64(letter_world_end_of(&world, "orders.dlq.dlq", 0), 0);
    expect_equal_u64(letter_world_outcome(&world, "h", "orders.dlq", 0, 0), STORE_OUTCOME_SKIPPED);
    expect_equal_u64(letter_world_outcome(&world, "g", "orders.dlq", 0, 0), STORE_OUTCOME_OPEN);
    expect_equal_u64(letter_world_end_of(&world, "waybill.audit", 0), 2);
    test_member_leave(&member);
    test_member_leave(&digger);
    letter_world_end(&world);
}

TEST(record_that_retention_took_meanwhile_is_expired)
{
    struct letter_world world;
    struct test_member member;
    letter_world_begin(&world, 1);
    letter_world_produce(&world, 0, 1, 1);
    letter_world_produce(&world, 0, 2, 1);
    letter_world_join(&world, &member, "g", "orders");
    (void)letter_world_take(&world, &member);
    store_memory_expire(world.groups.store, world.groups.topic.id, 0, 1);
    letter_world_fail(&world, &member, "orders", 1, 1, "bad");
    expect_fine(world.parked_err);
    expect_equal_u64(letter_world_end_of(&world, "orders.dlq", 0), 0);
    expect_equal_u64(letter_world_outcome(&world, "g", "orders", 0, 0), STORE_OUTCOME_EXPIRED);
    test_member_leave(&member);
    letter_world_end(&world);
}

TEST(records_without_a_topic_for_their_letters_go_back)
{
    struct letter_world world;
    struct test_member member;
    letter_world_begin(&world, 1);
    letter_world_produce(&world, 0, 1, 1);
    letter_world_join(&world, &member, "g", "orders");
    (void)letter_world_take(&world, &member);
    store_memory_set_topics_max(world.groups.store, 1);
    letter_world_fail(&world, &member, "orders", 1, 1, "bad");
    expect_err(world.parked_err, ERR_TOO_MANY);
    store_memory_set_topics_max(world.groups.store, 10);
    expect_equal_u64(letter_world_take(&world, &member), 1);
    letter_world_fail(&world, &member, "orders", 1, 1, "bad");
    expect_fine(world.parked_err);
    struct record record;
    expect_equal_u64(letter_world_letter(&world, "orders.dlq", 0, 0, &record).attempts, 2);
    test_member_leave(&member);
    letter_world_end(&world);
}

TEST(largest_record_loses_its_stack_trace_before_it_goes_back)
{
    static uint8_t stacktrace[16 * 1024];
    struct letter_world world;
    struct test_member member;
    struct group_claim *claim;
    memset(stacktrace, 's', sizeof stacktrace);
    letter_world_begin(&world, 1);
    letter_world_produce(&world, 0, 1, 1);
    letter_world_join(&world, &member, "g", "orders");
    (void)letter_world_take(&world, &member);
    world.groups.store->append_size_max = 2048;
    struct group_select select = {.from = 1, .to = 1};
    expect_equal_u64(group_member_claim(member.member, &select, &claim, 1), 1);
    struct parking_fault fault = {.topic = world.groups.topic.id,
                                  .group = span_from_text("g"),
                                  .reason = span_from_text("bad"),
                                  .stacktrace = span_of(stacktrace, sizeof stacktrace)};
    expect_fine(parking_fail(world.parking, &claim, 1, &fault, NULL, NULL));
    letter_world_turn(&world);
    struct record record;
    expect_equal_u64(letter_world_letter(&world, "orders.dlq", 0, 0, &record).stacktrace.len, 0);
    test_member_leave(&member);
    letter_world_end(&world);
}

TEST_MAIN(letter_outcome_and_audit_come_together,
          crash_before_the_append_leaves_nothing_and_the_record_comes_again,
          broken_log_gives_the_records_back,
          hundreds_of_failures_of_one_turn_are_one_append,
          letters_go_where_a_smaller_dead_letter_topic_has_place,
          subscriber_of_the_dead_letters_gives_up_without_a_new_one,
          record_that_retention_took_meanwhile_is_expired,
          records_without_a_topic_for_their_letters_go_back,
          largest_record_loses_its_stack_trace_before_it_goes_back)
