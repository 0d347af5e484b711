/* Tests replays: a range of dead letters that its groups get again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "deadletter/replays.h"

#include "support/letter_world.h"
#include "support/test.h"

/* A member of `group` that has failed the records 1 to `count` of partition 0. */
static void begin(struct letter_world *world, struct test_member *member, uint32_t count)
{
    letter_world_begin(world, 2);
    letter_world_produce(world, 0, 1, count);
    letter_world_join(world, member, "billing", "orders");
    expect_equal_u64(letter_world_take(world, member), count);
    letter_world_fail(world, member, "orders", 1, count, "bad");
    expect_equal_u64(letter_world_end_of(world, "orders.dlq", 0), count);
}

static void end(struct letter_world *world, struct test_member *member)
{
    test_member_leave(member);
    letter_world_end(world);
}

static const struct replay_order everything = {.rate = 0};

TEST(letters_are_given_again_with_their_numbers_and_done_at_their_offsets)
{
    struct letter_world world;
    struct test_member member;
    begin(&world, &member, 3);
    uint64_t id = letter_world_replay(&world, everything);
    expect_fine(world.started_err);
    expect_equal_u64(letter_world_take(&world, &member), 3);
    expect(world.given[0] == 1 && world.given[1] == 2 && world.given[2] == 3);
    struct replay_view view = letter_world_look(&world, id);
    expect(view.phase == REPLAY_GIVING && view.wanted == 3 && view.given == 3 && view.settled == 0 &&
           view.left == 3);
    letter_world_done(&world, &member, 1, 2);
    view = letter_world_look(&world, id);
    expect(view.settled == 2 && view.left == 1);
    expect_equal_u64(letter_world_outcome(&world, "billing", "orders.dlq", 0, 1), STORE_OUTCOME_DONE);
    expect_equal_u64(letter_world_outcome(&world, "billing", "orders.dlq", 0, 2), STORE_OUTCOME_OPEN);
    letter_world_done(&world, &member, 3, 3);
    view = letter_world_look(&world, id);
    expect(view.phase == REPLAY_OVER && view.note->state == REPLAY_DONE && view.left == 0);
    expect_equal_u64(letter_world_end_of(&world, "orders", 0), 3); /* nothing was appended again */
    id = letter_world_replay(&world, everything);
    view = letter_world_look(&world, id);
    expect(view.phase == REPLAY_OVER && view.wanted == 0 && view.completed == 3);
    end(&world, &member);
}

TEST(letters_that_fail_again_land_behind_the_range_with_their_history)
{
    struct letter_world world;
    struct test_member member;
    struct record record;
    begin(&world, &member, 3);
    struct dead_letter first = letter_world_letter(&world, "orders.dlq", 0, 1, &record);
    int64_t first_ms = first.first_ms;
    letter_world_pass(&world, 60 * CLOCK_NS_PER_S);
    uint64_t id = letter_world_replay(&world, everything);
    expect_equal_u64(letter_world_take(&world, &member), 3);
    letter_world_fail(&world, &member, "orders", 2, 2, "still bad");
    letter_world_done(&world, &member, 1, 1);
    letter_world_done(&world, &member, 3, 3);
    struct replay_view view = letter_world_look(&world, id);
    expect(view.phase == REPLAY_OVER && view.settled == 3 && view.failed_again == 1);
    expect_equal_u64(letter_world_end_of(&world, "orders.dlq", 0), 4);
    expect_equal_u64(letter_world_outcome(&world, "billing", "orders.dlq", 0, 1), STORE_OUTCOME_DEAD);
    struct dead_letter again = letter_world_letter(&world, "orders.dlq", 0, 3, &record);
    expect_span_is(again.topic, "orders");
    expect_equal_u64(again.offset, 1);
    expect_equal_u64(again.attempts, 2);
    expect_equal_i64(again.first_ms, first_ms);
    expect_equal_i64(again.last_ms, first_ms + 60000);
    expect_span_is(again.reason, "still bad");
    expect_span_is(dead_letter_header(&record, record.header_count, "seq"), "2");
    id = letter_world_replay(&world, everything);
    expect_equal_u64(letter_world_take(&world, &member), 1);
    expect_equal_u64(world.given[0], 2);
    letter_world_done(&world, &member, 2, 2);
    view = letter_world_look(&world, id);
    expect(view.phase == REPLAY_OVER && view.wanted == 1 && view.completed == 3);
    end(&world, &member);
}

TEST(last_retry_writes_no_new_letter)
{
    struct letter_world world;
    struct test_member member;
    begin(&world, &member, 2);
    uint64_t id = letter_world_replay(&world, (struct replay_order){.is_last_retry = true});
    expect_equal_u64(letter_world_take(&world, &member), 2);
    letter_world_fail(&world, &member, "orders", 1, 2, "for the last time");
    struct replay_view view = letter_world_look(&world, id);
    expect(view.phase == REPLAY_OVER && view.failed_again == 2);
    expect_equal_u64(letter_world_end_of(&world, "orders.dlq", 0), 2);
    expect_equal_u64(letter_world_outcome(&world, "billing", "orders.dlq", 0, 0), STORE_OUTCOME_SKIPPED);
    end(&world, &member);
}

TEST(dry_run_counts_and_changes_nothing)
{
    struct letter_world world;
    struct test_member member;
    begin(&world, &member, 4);
    uint64_t audited = letter_world_end_of(&world, "waybill.audit", 0);
    uint64_t id = letter_world_replay(
        &world,
        (struct replay_order){.is_dry = true, .from = span_from_text("0:1"), .to = span_from_text("3")});
    struct replay_view view = letter_world_look(&world, id);
    expect(view.phase == REPLAY_OVER && view.is_dry && view.wanted == 2 && view.lanes == 1);
    expect_equal_u64(letter_world_take(&world, &member), 0);
    expect_equal_u64(letter_world_end_of(&world, "waybill.audit", 0), audited);
    end(&world, &member);
}

TEST(what_a_filter_leaves_out_stays_open_for_the_next)
{
    struct letter_world world;
    struct test_member member;
    begin(&world, &member, 2);
    letter_world_produce(&world, 0, 3, 2);
    expect_equal_u64(letter_world_take(&world, &member), 2);
    letter_world_fail(&world, &member, "orders", 3, 4, "timeout");
    uint64_t id = letter_world_replay(&world, (struct replay_order){.reason = span_from_text("time*")});
    expect_equal_u64(letter_world_take(&world, &member), 2);
    expect(world.given[0] == 3 && world.given[1] == 4);
    letter_world_done(&world, &member, 3, 4);
    struct replay_view view = letter_world_look(&world, id);
    expect(view.phase == REPLAY_OVER && view.wanted == 2 && view.left_out == 2);
    expect_equal_u64(letter_world_outcome(&world, "billing", "orders.dlq", 0, 0), STORE_OUTCOME_OPEN);
    id = letter_world_replay(&world, everything);
    expect_equal_u64(letter_world_take(&world, &member), 2);
    expect(world.given[0] == 1 && world.given[1] == 2);
    letter_world_done(&world, &member, 1, 2);
    expect(letter_world_look(&world, id).phase == REPLAY_OVER);
    end(&world, &member);
}

TEST(each_group_gets_its_own_letters_and_skips_those_of_others)
{
    struct letter_world world;
    struct test_member billing;
    struct test_member shipping;
    begin(&world, &billing, 2);
    letter_world_join(&world, &shipping, "shipping", "orders");
    expect_equal_u64(letter_world_take(&world, &shipping), 2);
    letter_world_fail(&world, &shipping, "orders", 2, 2, "bad");
    letter_world_done(&world, &shipping, 1, 1);
    uint64_t id = letter_world_replay(&world, everything);
    expect_equal_u64(letter_world_look(&world, id).lanes, 2);
    expect_equal_u64(letter_world_take(&world, &shipping), 1);
    letter_world_done(&world, &shipping, 2, 2);
    expect_equal_u64(letter_world_take(&world, &billing), 2);
    letter_world_done(&world, &billing, 1, 2);
    struct replay_view view = letter_world_look(&world, id);
    expect(view.phase == REPLAY_OVER && view.wanted == 3 && view.settled == 3);
    expect_equal_u64(letter_world_outcome(&world, "shipping", "orders.dlq", 0, 0), STORE_OUTCOME_SKIPPED);
    expect_equal_u64(letter_world_outcome(&world, "billing", "orders.dlq", 0, 2), STORE_OUTCOME_SKIPPED);
    expect_equal_u64(letter_world_outcome(&world, "shipping", "orders.dlq", 0, 2), STORE_OUTCOME_DONE);
    test_member_leave(&shipping);
    end(&world, &billing);
}

TEST(replay_goes_on_after_a_crash_in_the_middle)
{
    struct letter_world world;
    struct test_member member;
    begin(&world, &member, 10);
    uint64_t id = letter_world_replay(&world, everything);
    expect_equal_u64(letter_world_take(&world, &member), 10);
    letter_world_done(&world, &member, 1, 4);
    letter_world_fail(&world, &member, "orders", 5, 5, "still bad");
    store_memory_hold(world.groups.store, true);
    letter_world_done(&world, &member, 6, 7); /* will be lost */
    test_member_leave(&member);
    letter_world_crash(&world);
    letter_world_start(&world);
    letter_world_join(&world, &member, "billing", "orders");
    expect_equal_u64(letter_world_take(&world, &member), 5);
    expect(world.given[0] == 6 && world.given[4] == 10);
    struct replay_view view = letter_world_look(&world, id);
    expect(view.phase == REPLAY_GIVING && view.wanted == 10 && view.settled == 5 && view.left == 5);
    expect_equal_u64(view.failed_again, 1);
    letter_world_done(&world, &member, 6, 10);
    view = letter_world_look(&world, id);
    expect(view.phase == REPLAY_OVER && view.settled == 10 && view.failed_again == 1);
    test_member_leave(&member);
    letter_world_crash(&world);
    letter_world_start(&world);
    view = letter_world_look(&world, id);
    expect(view.phase == REPLAY_OVER && view.note->state == REPLAY_DONE && view.settled == 10 &&
           view.wanted == 10);
    expect_equal_u64(replays_next(world.replays, 0), id);
    expect_equal_u64(replays_next(world.replays, id), 0);
    letter_world_join(&world, &member, "billing", "orders");
    uint64_t next = letter_world_replay(&world, everything);
    expect(next > id);
    end(&world, &member);
}

TEST(replay_that_was_not_stored_never_was)
{
    struct letter_world world;
    struct test_member member;
    struct why why = {""};
    uint64_t id;
    begin(&world, &member, 2);
    store_memory_hold(world.groups.store, true);
    struct replay_order order = {.topic = span_from_text("orders.dlq")};
    expect_fine(replays_start(world.replays, &order, NULL, NULL, &why, &id));
    letter_world_turn(&world);
    test_member_leave(&member);
    letter_world_crash(&world);
    letter_world_start(&world);
    expect_equal_u64(replays_next(world.replays, 0), 0);
    letter_world_join(&world, &member, "billing", "orders");
    expect_equal_u64(letter_world_take(&world, &member), 0);
    end(&world, &member);
}

TEST(letters_written_meanwhile_are_not_met)
{
    struct letter_world world;
    struct test_member member;
    begin(&world, &member, 2);
    uint64_t id = letter_world_replay(&world, everything);
    letter_world_produce(&world, 0, 3, 1);
    expect_equal_u64(letter_world_take(&world, &member), 3);
    letter_world_fail(&world, &member, "orders", 3, 3, "bad");
    letter_world_done(&world, &member, 1, 2);
    expect_equal_u64(letter_world_take(&world, &member), 0);
    struct replay_view view = letter_world_look(&world, id);
    expect(view.phase == REPLAY_OVER && view.wanted == 2 && view.failed_again == 0);
    expect_equal_u64(letter_world_outcome(&world, "billing", "orders.dlq", 0, 2), STORE_OUTCOME_OPEN);
    end(&world, &member);
}

TEST(rate_lets_so_many_through_in_a_second)
{
    struct letter_world world;
    struct test_member member;
    begin(&world, &member, 200);
    uint64_t id = letter_world_replay(&world, (struct replay_order){.rate = 100});
    uint64_t given = letter_world_take(&world, &member);
    for (unsigned tenth = 1; tenth <= 10; tenth++) {
        letter_world_pass(&world, 100 * CLOCK_NS_PER_MS);
        given += letter_world_take(&world, &member);
        expect(given <= 10 * tenth && given + 4 >= 10 * tenth);
    }
    expect_equal_u64(letter_world_look(&world, id).given, given);
    letter_world_pass(&world, 2 * CLOCK_NS_PER_S);
    for (unsigned i = 0; i < 20; i++) {
        letter_world_pass(&world, 100 * CLOCK_NS_PER_MS);
        given += letter_world_take(&world, &member);
    }
    expect(given >= 190);
    end(&world, &member);
}

TEST(another_group_may_get_them_and_the_outcome_is_that_of_the_one_that_failed)
{
    struct letter_world world;
    struct test_member member;
    struct test_member other;
    begin(&world, &member, 2);
    letter_world_join(&world, &other, "repair", "orders");
    (void)letter_world_take(&world, &other);
    letter_world_done(&world, &other, 1, 2);
    uint64_t id = letter_world_replay(&world, (struct replay_order){.delivery = span_from_text("repair")});
    expect_equal_u64(letter_world_take(&world, &member), 0);
    expect_equal_u64(letter_world_take(&world, &other), 2);
    letter_world_fail(&world, &other, "orders", 1, 1, "not even here");
    letter_world_done(&world, &other, 2, 2);
    expect(letter_world_look(&world, id).phase == REPLAY_OVER);
    expect_equal_u64(letter_world_outcome(&world, "billing", "orders.dlq", 0, 1), STORE_OUTCOME_DONE);
    struct record record;
    expect_span_is(letter_world_letter(&world, "orders.dlq", 0, 2, &record).group, "billing");
    test_member_leave(&other);
    end(&world, &member);
}

TEST(stopped_replay_gives_no_more_and_leaves_the_rest_open)
{
    struct letter_world world;
    struct test_member member;
    begin(&world, &member, 5);
    uint64_t id = letter_world_replay(&world, (struct replay_order){.rate = 1});
    struct replay_order second = {.topic = span_from_text("orders.dlq")};
    struct why why = {""};
    uint64_t refused;
    expect_err(replays_start(world.replays, &second, NULL, NULL, &why, &refused), ERR_EXISTS);
    letter_world_pass(&world, CLOCK_NS_PER_S + 40 * CLOCK_NS_PER_MS);
    expect_equal_u64(letter_world_take(&world, &member), 1);
    expect_fine(replays_stop(world.replays, id));
    letter_world_turn(&world);
    struct replay_view view = letter_world_look(&world, id);
    expect(view.phase == REPLAY_OVER && view.note->state == REPLAY_STOPPED && view.why[0] != '\0');
    expect_err(replays_stop(world.replays, id), ERR_NOT_FOUND);
    letter_world_pass(&world, 10 * CLOCK_NS_PER_S);
    expect_equal_u64(letter_world_take(&world, &member), 0);
    id = letter_world_replay(&world, everything);
    expect_equal_u64(letter_world_take(&world, &member), 4); /* it holds the other one still */
    letter_world_done(&world, &member, 1, 5);
    expect(letter_world_look(&world, id).phase == REPLAY_OVER);
    end(&world, &member);
}

TEST(replay_waits_for_a_member)
{
    struct letter_world world;
    struct test_member member;
    begin(&world, &member, 2);
    test_member_leave(&member);
    letter_world_turn(&world);
    uint64_t id = letter_world_replay(&world, everything);
    expect_equal_u64(letter_world_look(&world, id).waiting, 1);
    letter_world_join(&world, &member, "billing", "orders");
    expect_equal_u64(letter_world_look(&world, id).waiting, 0);
    expect_equal_u64(letter_world_take(&world, &member), 2);
    letter_world_done(&world, &member, 1, 2);
    expect(letter_world_look(&world, id).phase == REPLAY_OVER);
    end(&world, &member);
}

TEST(orders_that_are_none_are_refused_with_a_reason)
{
    struct letter_world world;
    struct test_member member;
    begin(&world, &member, 1);
    const struct {
        struct replay_order order;
        enum err err;
    } cases[] = {
        {{.topic = span_from_text("absent.dlq")}, ERR_UNKNOWN_TOPIC},
        {{.topic = span_from_text("a b")}, ERR_BAD_INPUT},
        {{.topic = span_from_text("orders.dlq"), .reason = span_from_text("re:(")}, ERR_BAD_INPUT},
        {{.topic = span_from_text("orders.dlq"), .from = span_from_text("x")}, ERR_BAD_INPUT},
        {{.topic = span_from_text("orders.dlq"), .to = span_from_text("9:0")}, ERR_BAD_INPUT},
        {{.topic = span_from_text("orders.dlq"), .delivery = span_from_text("a/b")}, ERR_BAD_INPUT},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct why why = {""};
        uint64_t id;
        expect_err(replays_start(world.replays, &cases[i].order, NULL, NULL, &why, &id), cases[i].err);
        expect(why.text[0] != '\0');
    }
    expect_equal_u64(replays_next(world.replays, 0), 0);
    end(&world, &member);
}

TEST(old_replays_are_forgotten)
{
    struct letter_world world;
    struct test_member member;
    begin(&world, &member, 1);
    letter_world_replay(&world, everything);
    (void)letter_world_take(&world, &member);
    letter_world_done(&world, &member, 1, 1);
    for (unsigned i = 0; i < REPLAYS_KEPT + 5; i++)
        letter_world_replay(&world, everything);
    unsigned kept = 0;
    for (uint64_t id = 0; (id = replays_next(world.replays, id)) > 0;)
        kept++;
    expect(kept >= REPLAYS_KEPT && kept <= REPLAYS_KEPT + 2);
    end(&world, &member);
}

TEST_MAIN(letters_are_given_again_with_their_numbers_and_done_at_their_offsets,
          letters_that_fail_again_land_behind_the_range_with_their_history,
          last_retry_writes_no_new_letter,
          dry_run_counts_and_changes_nothing,
          what_a_filter_leaves_out_stays_open_for_the_next,
          each_group_gets_its_own_letters_and_skips_those_of_others,
          replay_goes_on_after_a_crash_in_the_middle,
          replay_that_was_not_stored_never_was,
          letters_written_meanwhile_are_not_met,
          rate_lets_so_many_through_in_a_second,
          another_group_may_get_them_and_the_outcome_is_that_of_the_one_that_failed,
          stopped_replay_gives_no_more_and_leaves_the_rest_open,
          replay_waits_for_a_member,
          orders_that_are_none_are_refused_with_a_reason,
          old_replays_are_forgotten)
