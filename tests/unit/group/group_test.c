/* Tests live groups: who is given which record, and when. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "group/group.h"

#include <stdio.h>

#include "support/group_pair.h"

TEST(records_are_given_in_order_with_their_numbers)
{
    struct group_pair fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k", 100, 3);
    join(&fixture, &fixture.a);
    for (uint64_t i = 0; i < 3; i++) {
        struct group_item item;
        expect_fine(group_member_next(fixture.a.member, &item));
        expect_equal_u64(item.position.offset, i);
        expect_equal_u64(item.seq, 100 + i);
        expect_equal_u64(item.attempts, 1);
        expect_span_is(item.record->key, "k");
        expect(!item.is_replayed);
    }
    expect_nothing(&fixture.a);
    expect_equal_u64(group_member_open(fixture.a.member), 3);
    end(&fixture);
}

TEST(window_bounds_what_is_open_and_done_opens_it)
{
    struct group_pair fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k", 1, 10);
    join(&fixture, &fixture.a);
    group_member_set_window(fixture.a.member, 3);
    expect_offsets(&fixture.a, 0, 3);
    expect_nothing(&fixture.a);
    unsigned ready = fixture.a.ready;
    expect_equal_u64(done(&fixture.a, 2, 2), 1);
    group_world_turn(&fixture.world);
    expect(fixture.a.ready > ready);
    expect_equal_u64(next_offset(&fixture.a), 3);
    expect_nothing(&fixture.a);
    end(&fixture);
}

TEST(member_at_the_end_is_told_of_new_records)
{
    struct group_pair fixture = {0};
    begin(&fixture);
    join(&fixture, &fixture.a);
    expect_nothing(&fixture.a);
    group_world_turn(&fixture.world);
    unsigned ready = fixture.a.ready;
    store_records(&fixture.world, "k", 1, 1);
    group_world_turn(&fixture.world);
    expect_equal_u64(fixture.a.ready, ready + 1);
    expect_equal_u64(next_offset(&fixture.a), 0);
    end(&fixture);
}

TEST(group_goes_on_after_what_is_completed_and_gives_the_rest_again)
{
    struct group_pair fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k", 1, 10);
    join(&fixture, &fixture.a);
    expect_offsets(&fixture.a, 0, 8);
    expect_equal_u64(done(&fixture.a, 1, 3), 3);
    expect_equal_u64(done(&fixture.a, 6, 6), 1);
    group_world_turn(&fixture.world);
    test_member_leave(&fixture.a);
    group_world_stop(&fixture.world);
    group_world_start(&fixture.world);
    join(&fixture, &fixture.a);
    expect_offsets(&fixture.a, 3, 5);
    expect_offsets(&fixture.a, 6, 10);
    expect_nothing(&fixture.a);
    end(&fixture);
}

TEST(a_group_that_is_to_begin_beyond_the_end_begins_at_the_end)
{
    struct group_pair fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k", 1, 5);
    struct group_member_settings settings = settings_of(&fixture.world);
    settings.from = GROUP_FROM_OFFSET;
    settings.offset = UINT64_MAX;
    test_member_join(&fixture.a, group_world_group(&fixture.world, "g"), &settings);
    group_world_turn(&fixture.world);
    expect_nothing(&fixture.a);
    expect_equal_u64(group_world_progress(&fixture.world, "g", 0).low, 5);
    store_records(&fixture.world, "k", 6, 5);
    group_world_turn(&fixture.world);
    expect_offsets(&fixture.a, 5, 10);
    end(&fixture);
}

TEST(group_begins_where_its_first_member_said_also_after_a_restart)
{
    struct group_pair fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k", 1, 5);
    struct group_member_settings settings = settings_of(&fixture.world);
    settings.from = GROUP_FROM_END;
    test_member_join(&fixture.a, group_world_group(&fixture.world, "g"), &settings);
    group_world_turn(&fixture.world);
    expect_nothing(&fixture.a);
    store_records(&fixture.world, "k", 6, 5);
    test_member_leave(&fixture.a);
    group_world_stop(&fixture.world);
    group_world_start(&fixture.world);
    test_member_join(&fixture.a, group_world_group(&fixture.world, "g"), &settings);
    group_world_turn(&fixture.world);
    expect_offsets(&fixture.a, 5, 10);
    expect(group_world_outcome(&fixture.world, "g", 0, 0) == STORE_OUTCOME_SKIPPED);
    end(&fixture);
}

TEST(nothing_is_given_before_the_beginning_is_synced)
{
    struct group_pair fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k", 1, 5);
    store_memory_hold(fixture.world.store, true);
    join(&fixture, &fixture.a);
    expect_nothing(&fixture.a);
    store_memory_hold(fixture.world.store, false);
    group_world_turn(&fixture.world);
    expect(fixture.a.ready > 0);
    expect_offsets(&fixture.a, 0, 5);
    end(&fixture);
}

TEST(records_of_a_key_go_to_one_member)
{
    struct group_pair fixture = {0};
    begin(&fixture);
    join(&fixture, &fixture.a);
    join(&fixture, &fixture.b);
    for (unsigned i = 0; i < 400; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "key-%u", i % 40);
        store_records(&fixture.world, key, i + 1, 1);
    }
    group_world_turn(&fixture.world);
    unsigned owners[40] = {0};
    unsigned counts[2] = {0};
    for (unsigned who = 0; who < 2; who++) {
        struct test_member *test = who == 0 ? &fixture.a : &fixture.b;
        struct group_item item;
        uint64_t last = 0;
        while (group_member_next(test->member, &item) == ERR_NONE) {
            expect(counts[who] == 0 || item.position.offset > last);
            last = item.position.offset;
            owners[last % 40] |= 1u << who;
            counts[who]++;
        }
    }
    expect_equal_u64(counts[0] + counts[1], 400);
    expect(counts[0] > 80 && counts[1] > 80);
    for (unsigned i = 0; i < 40; i++)
        expect(owners[i] == 1 || owners[i] == 2);
    end(&fixture);
}

TEST(open_records_of_one_who_leaves_go_to_those_who_stay)
{
    struct group_pair fixture = {0};
    begin(&fixture);
    for (unsigned i = 0; i < 100; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "key-%u", i);
        store_records(&fixture.world, key, i + 1, 1);
    }
    join(&fixture, &fixture.a);
    expect_offsets(&fixture.a, 0, 60);
    join(&fixture, &fixture.b);
    uint64_t got = 0;
    while (next_offset(&fixture.b) != UINT64_MAX)
        got++;
    expect(got > 0 && got < 40);
    expect_equal_u64(done(&fixture.a, 1, 30), 30);
    group_world_turn(&fixture.world);
    test_member_leave(&fixture.a);
    group_world_turn(&fixture.world);
    struct group_item item;
    while (group_member_next(fixture.b.member, &item) == ERR_NONE) {
        expect_equal_u64(item.attempts, item.position.offset < 60 ? 2 : 1);
        got++;
    }
    expect_equal_u64(got, 70);
    end(&fixture);
}

static uint64_t take_all(struct test_member *test)
{
    uint64_t count = 0;
    while (next_offset(test) != UINT64_MAX)
        count++;
    return count;
}

TEST(lane_moves_only_when_its_open_records_are_settled)
{
    struct group_pair fixture = {0};
    enum { KEYS_IN_USE = 1000 }; /* there is no lane without some */
    begin(&fixture);
    join(&fixture, &fixture.a);
    for (uint64_t round = 0; round < 2; round++) {
        for (unsigned i = 0; i < KEYS_IN_USE; i++) {
            char key[16];
            (void)snprintf(key, sizeof key, "key-%u", i);
            store_records(&fixture.world, key, 1 + round * KEYS_IN_USE + i, 1);
        }
        group_world_turn(&fixture.world);
        if (round == 0)
            expect_offsets(&fixture.a, 0, KEYS_IN_USE);
    }
    group_member_set_window(fixture.a.member, 2 * KEYS_IN_USE);
    join(&fixture, &fixture.b);
    group_world_pass(&fixture.world, CLOCK_NS_PER_S);
    expect_nothing(&fixture.b);
    uint64_t kept = take_all(&fixture.a);
    expect(kept > KEYS_IN_USE / 4 && kept < KEYS_IN_USE * 3 / 4);
    expect_nothing(&fixture.b);
    expect_equal_u64(done(&fixture.a, 1, KEYS_IN_USE), KEYS_IN_USE);
    group_world_pass(&fixture.world, CLOCK_NS_PER_S);
    expect_nothing(&fixture.a);
    expect_equal_u64(take_all(&fixture.b), KEYS_IN_USE - kept);
    end(&fixture);
}

TEST(retried_record_comes_again_before_later_ones)
{
    struct group_pair fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k", 1, 10);
    join(&fixture, &fixture.a);
    expect_offsets(&fixture.a, 0, 4);
    expect_equal_u64(retry(&fixture.a, 2, 0), 1);
    struct group_item item;
    expect_fine(group_member_next(fixture.a.member, &item));
    expect_equal_u64(item.position.offset, 1);
    expect_equal_u64(item.attempts, 2);
    expect_offsets(&fixture.a, 4, 10);
    expect_equal_u64(group_member_open(fixture.a.member), 10);
    end(&fixture);
}

TEST(key_waits_until_its_record_was_given_again)
{
    struct group_pair fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "slow", 1, 1);
    store_records(&fixture.world, "quick", 2, 1);
    store_records(&fixture.world, "slow", 3, 1);
    store_records(&fixture.world, "quick", 4, 1);
    join(&fixture, &fixture.a);
    expect_offsets(&fixture.a, 0, 2);
    expect_equal_u64(retry(&fixture.a, 1, CLOCK_NS_PER_S), 1);
    expect_equal_u64(next_offset(&fixture.a), 3);
    expect_nothing(&fixture.a);
    group_world_pass(&fixture.world, CLOCK_NS_PER_S / 2);
    expect_nothing(&fixture.a);
    unsigned ready = fixture.a.ready;
    group_world_pass(&fixture.world, CLOCK_NS_PER_S);
    expect(fixture.a.ready > ready);
    expect_offsets(&fixture.a, 0, 1);
    expect_equal_u64(next_offset(&fixture.a), 2);
    expect_nothing(&fixture.a);
    end(&fixture);
}

TEST(lease_that_is_over_gives_records_to_another)
{
    struct group_pair fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k", 1, 3);
    struct group_member_settings settings = settings_of(&fixture.world);
    settings.lease_ns = CLOCK_NS_PER_S;
    test_member_join(&fixture.a, group_world_group(&fixture.world, "g"), &settings);
    group_world_turn(&fixture.world);
    expect_offsets(&fixture.a, 0, 3);
    group_world_pass(&fixture.world, CLOCK_NS_PER_S / 2);
    group_member_renew(fixture.a.member);
    group_world_pass(&fixture.world, CLOCK_NS_PER_S * 3 / 4);
    expect_equal_u64(fixture.a.lapsed, 0);
    join(&fixture, &fixture.b);
    group_world_pass(&fixture.world, CLOCK_NS_PER_S / 2);
    expect_equal_u64(fixture.a.lapsed, 3);
    expect_equal_u64(group_member_open(fixture.a.member), 0);
    expect_nothing(&fixture.a);
    expect_offsets(&fixture.b, 0, 3);
    expect_equal_u64(done(&fixture.a, 1, 1), 0);
    expect_equal_u64(done(&fixture.b, 1, 3), 3);
    end(&fixture);
}

TEST(lapsed_member_is_given_records_again_once_it_is_renewed)
{
    struct group_pair fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k", 1, 3);
    struct group_member_settings settings = settings_of(&fixture.world);
    settings.lease_ns = CLOCK_NS_PER_S;
    test_member_join(&fixture.a, group_world_group(&fixture.world, "g"), &settings);
    group_world_turn(&fixture.world);
    expect_offsets(&fixture.a, 0, 3);
    group_world_pass(&fixture.world, 2 * CLOCK_NS_PER_S);
    expect_equal_u64(fixture.a.lapsed, 3);
    expect_nothing(&fixture.a);
    group_member_renew(fixture.a.member);
    group_world_turn(&fixture.world);
    expect_offsets(&fixture.a, 0, 3);
    end(&fixture);
}

TEST(what_retention_took_is_expired_and_members_are_told)
{
    struct group_pair fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k", 1, 10);
    join(&fixture, &fixture.a);
    group_member_set_window(fixture.a.member, 2);
    expect_offsets(&fixture.a, 0, 2);
    expect_equal_u64(done(&fixture.a, 2, 2), 1);
    group_world_turn(&fixture.world);
    test_member_leave(&fixture.a);
    group_world_stop(&fixture.world);
    store_memory_expire(fixture.world.store, fixture.world.topic.id, 0, 6);
    group_world_start(&fixture.world);
    join(&fixture, &fixture.a);
    expect_equal_u64(next_offset(&fixture.a), 6);
    group_world_turn(&fixture.world);
    expect_equal_u64(fixture.a.gaps, 1);
    expect_equal_u64(fixture.a.gap_from, 0);
    expect_equal_u64(fixture.a.gap_to, 6);
    expect(group_world_outcome(&fixture.world, "g", 0, 0) == STORE_OUTCOME_EXPIRED);
    expect(group_world_outcome(&fixture.world, "g", 0, 1) == STORE_OUTCOME_DONE);
    expect_equal_u64(group_world_progress(&fixture.world, "g", 0).low, 6);
    end(&fixture);
}

TEST(who_comes_after_retention_took_records_is_told_of_them_until_the_group_has_gone_on)
{
    struct group_pair fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k", 1, 10);
    join(&fixture, &fixture.a);
    expect_offsets(&fixture.a, 0, 2);
    expect_equal_u64(done(&fixture.a, 1, 2), 2);
    group_world_turn(&fixture.world);
    test_member_leave(&fixture.a);
    struct store_settled lost = {
        .topic = fixture.world.topic.id, .offset = 2, .count = 5, .outcome = STORE_OUTCOME_EXPIRED};
    expect_fine(group_settle_unseen(group_world_group(&fixture.world, "g"), &lost, 1, NULL, NULL, NULL));
    group_world_turn(&fixture.world);
    join(&fixture, &fixture.a);
    expect_equal_u64(fixture.a.gaps, 1);
    expect_equal_u64(fixture.a.gap_from, 2);
    expect_equal_u64(fixture.a.gap_to, 7);
    expect_equal_u64(next_offset(&fixture.a), 7);
    expect_equal_u64(done(&fixture.a, 8, 8), 1);
    group_world_turn(&fixture.world);
    test_member_leave(&fixture.a);
    join(&fixture, &fixture.b);
    expect_equal_u64(fixture.b.gaps, 0);
    end(&fixture);
}

TEST(delivery_stops_at_the_span_above_the_mark)
{
    struct group_pair fixture = {0};
    begin(&fixture);
    group_world_stop(&fixture.world);
    fixture.world.settings.span_max = 20;
    group_world_start(&fixture.world);
    store_records(&fixture.world, "k", 1, 40);
    join(&fixture, &fixture.a);
    group_member_set_window(fixture.a.member, 10);
    expect_offsets(&fixture.a, 0, 10);
    expect_equal_u64(done(&fixture.a, 2, 10), 9);
    group_world_turn(&fixture.world);
    expect_offsets(&fixture.a, 10, 19);
    expect_equal_u64(done(&fixture.a, 11, 19), 9);
    group_world_turn(&fixture.world);
    expect_equal_u64(next_offset(&fixture.a), 19);
    expect_nothing(&fixture.a);
    unsigned ready = fixture.a.ready;
    expect_equal_u64(done(&fixture.a, 1, 1), 1);
    group_world_turn(&fixture.world);
    expect(fixture.a.ready > ready);
    expect_equal_u64(next_offset(&fixture.a), 20);
    end(&fixture);
}

TEST(topics_with_several_partitions_are_given_whole)
{
    struct group_world world;
    struct test_member test;
    group_world_begin(&world, 8);
    for (uint32_t i = 0; i < 8; i++)
        test_append_store(world.store, &world.topic, i,
                          (struct test_records){.key = "k", .value = "v", .count = 10 + i});
    struct group_member_settings settings = settings_of(&world);
    test_member_join(&test, group_world_group(&world, "g"), &settings);
    group_world_turn(&world);
    uint64_t counts[8] = {0};
    struct group_item item;
    while (group_member_next(test.member, &item) == ERR_NONE)
        expect_equal_u64(counts[item.position.partition]++, item.position.offset);
    for (uint32_t i = 0; i < 8; i++)
        expect_equal_u64(counts[i], 10 + i);
    struct group_view view;
    group_look(group_member_group(test.member), world.topic.id, 3, &view);
    expect_equal_u64(view.open, 13);
    expect_equal_u64(view.members, 1);
    expect(view.oldest_open_ns == world.clock.now_ns);
    test_member_leave(&test);
    group_world_end(&world);
}

TEST(slow_reads_are_waited_for)
{
    struct group_pair fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k", 1, 10);
    join(&fixture, &fixture.a);
    store_memory_set_slow_reads(fixture.world.store, true);
    store_memory_hold(fixture.world.store, true);
    expect_nothing(&fixture.a);
    expect(!groups_is_idle(fixture.world.groups));
    store_memory_finish(fixture.world.store, 1);
    group_world_turn(&fixture.world);
    expect(fixture.a.ready > 0);
    expect_offsets(&fixture.a, 0, 10);
    expect_nothing(&fixture.a);
    store_memory_hold(fixture.world.store, false);
    test_member_leave(&fixture.a);
    end(&fixture);
}

TEST(member_may_leave_while_the_store_reads_for_it)
{
    struct group_pair fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k", 1, 10);
    join(&fixture, &fixture.a);
    store_memory_set_slow_reads(fixture.world.store, true);
    store_memory_hold(fixture.world.store, true);
    expect_nothing(&fixture.a);
    test_member_leave(&fixture.a);
    group_world_turn(&fixture.world);
    store_memory_hold(fixture.world.store, false);
    group_world_turn(&fixture.world);
    end(&fixture);
}

TEST(groups_do_not_see_each_other)
{
    struct group_pair fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k", 1, 5);
    join(&fixture, &fixture.a);
    struct group_member_settings settings = settings_of(&fixture.world);
    test_member_join(&fixture.b, group_world_group(&fixture.world, "h"), &settings);
    group_world_turn(&fixture.world);
    expect_offsets(&fixture.a, 0, 5);
    expect_offsets(&fixture.b, 0, 5);
    expect_equal_u64(done(&fixture.a, 1, 5), 5);
    group_world_turn(&fixture.world);
    expect_equal_u64(group_world_progress(&fixture.world, "g", 0).low, 5);
    expect_equal_u64(group_world_progress(&fixture.world, "h", 0).low, 0);
    end(&fixture);
}

TEST(open_records_of_all_members_are_bounded)
{
    struct group_pair fixture = {0};
    begin(&fixture);
    group_world_stop(&fixture.world);
    fixture.world.settings.open_max = 2;
    group_world_start(&fixture.world);
    store_records(&fixture.world, NULL, 0, 300);
    join(&fixture, &fixture.a);
    uint64_t given = 0;
    while (next_offset(&fixture.a) != UINT64_MAX)
        given++;
    expect(given >= 64 && given <= 128);
    expect_equal_u64(done_at(&fixture.a, fixture.world.topic.id, 0, 0), 1);
    for (uint64_t i = 1; i < given; i++)
        expect_equal_u64(done_at(&fixture.a, fixture.world.topic.id, 0, i), 1);
    group_world_turn(&fixture.world);
    expect(next_offset(&fixture.a) != UINT64_MAX);
    end(&fixture);
}

TEST(unknown_topics_and_partitions_are_refused)
{
    struct group_world world;
    group_world_begin(&world, 2);
    struct group_member_settings settings = settings_of(&world);
    struct group_member_events events = {0};
    struct group_member *member;
    struct group *group = group_world_group(&world, "g");
    settings.partition = 2;
    expect_err(group_join(group, &settings, &events, &member), ERR_BAD_INPUT);
    settings.topic = 99;
    expect_err(group_join(group, &settings, &events, &member), ERR_UNKNOWN_TOPIC);
    expect_err(groups_open(world.groups, span_from_text("a/b"), &group), ERR_BAD_NAME);
    group_world_end(&world);
}

TEST_MAIN(records_are_given_in_order_with_their_numbers,
          window_bounds_what_is_open_and_done_opens_it,
          member_at_the_end_is_told_of_new_records,
          group_goes_on_after_what_is_completed_and_gives_the_rest_again,
          a_group_that_is_to_begin_beyond_the_end_begins_at_the_end,
          group_begins_where_its_first_member_said_also_after_a_restart,
          nothing_is_given_before_the_beginning_is_synced,
          records_of_a_key_go_to_one_member,
          open_records_of_one_who_leaves_go_to_those_who_stay,
          lane_moves_only_when_its_open_records_are_settled,
          retried_record_comes_again_before_later_ones,
          key_waits_until_its_record_was_given_again,
          lease_that_is_over_gives_records_to_another,
          lapsed_member_is_given_records_again_once_it_is_renewed,
          what_retention_took_is_expired_and_members_are_told,
          who_comes_after_retention_took_records_is_told_of_them_until_the_group_has_gone_on,
          delivery_stops_at_the_span_above_the_mark,
          topics_with_several_partitions_are_given_whole,
          slow_reads_are_waited_for,
          member_may_leave_while_the_store_reads_for_it,
          groups_do_not_see_each_other,
          open_records_of_all_members_are_bounded,
          unknown_topics_and_partitions_are_refused)
