/* Tests live groups: who is given which record, and what becomes of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "group/group.h"

#include <stdio.h>

#include "support/group_world.h"
#include "support/test.h"
#include "support/test_append.h"

static struct group_member_settings settings_of(const struct group_world *world)
{
    return (struct group_member_settings){
        .topic = world->topic.id,
        .partition = GROUP_ALL_PARTITIONS,
        .from = GROUP_FROM_START,
        .window = 1000,
        .by = span_from_text("tester"),
    };
}

static void store_records(struct group_world *world, const char *key, uint64_t seq, uint32_t count)
{
    test_append_store(world->store, &world->topic, 0,
                      (struct test_records){.key = key, .value = "value", .seq = seq, .count = count});
}

/* The next record's offset; UINT64_MAX when there is none now. */
static uint64_t next_offset(struct test_member *test)
{
    struct group_item item;
    enum err err = group_member_next(test->member, &item);
    if (err == ERR_AGAIN)
        return UINT64_MAX;
    expect_fine(err);
    return item.position.offset;
}

static void expect_offsets(struct test_member *test, uint64_t from, uint64_t to)
{
    for (uint64_t offset = from; offset < to; offset++)
        expect_equal_u64(next_offset(test), offset);
}

static void expect_nothing(struct test_member *test)
{
    expect_equal_u64(next_offset(test), UINT64_MAX);
}

static uint64_t done(struct test_member *test, uint64_t from, uint64_t to)
{
    struct group_select select = {.from = from, .to = to};
    return group_member_done(test->member, &select, 0);
}

static uint64_t done_at(struct test_member *test, uint32_t topic, uint32_t partition, uint64_t offset)
{
    struct group_select select = {.position = {topic, partition, offset}};
    return group_member_done(test->member, &select, 200);
}

static uint64_t retry(struct test_member *test, uint64_t seq, int64_t delay_ns)
{
    struct group_select select = {.from = seq, .to = seq};
    return group_member_retry(test->member, &select, delay_ns);
}

struct fixture {
    struct group_world world;
    struct test_member a;
    struct test_member b;
};

static void begin(struct fixture *fixture)
{
    group_world_begin(&fixture->world, 1);
}

static void join(struct fixture *fixture, struct test_member *test)
{
    struct group_member_settings settings = settings_of(&fixture->world);
    test_member_join(test, group_world_group(&fixture->world, "g"), &settings);
    group_world_turn(&fixture->world);
}

static void end(struct fixture *fixture)
{
    if (fixture->a.member != NULL)
        test_member_leave(&fixture->a);
    if (fixture->b.member != NULL)
        test_member_leave(&fixture->b);
    group_world_end(&fixture->world);
}

TEST(records_are_given_in_order_with_their_numbers)
{
    struct fixture fixture = {0};
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

TEST(done_in_any_order_raises_the_mark_when_it_is_synced)
{
    struct fixture fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k", 100, 10);
    join(&fixture, &fixture.a);
    expect_offsets(&fixture.a, 0, 10);
    expect_equal_u64(done(&fixture.a, 105, 107), 3);
    group_world_turn(&fixture.world);
    expect_equal_u64(group_world_progress(&fixture.world, "g", 0).low, 0);
    expect_equal_u64(group_world_progress(&fixture.world, "g", 0).settled_above, 3);
    store_memory_hold(fixture.world.store, true);
    expect_equal_u64(done(&fixture.a, 100, 104), 5);
    group_world_turn(&fixture.world);
    expect(group_world_outcome(&fixture.world, "g", 0, 0) == STORE_OUTCOME_OPEN);
    store_memory_hold(fixture.world.store, false);
    group_world_turn(&fixture.world);
    expect_equal_u64(group_world_progress(&fixture.world, "g", 0).low, 8);
    expect_equal_u64(group_member_open(fixture.a.member), 2);
    end(&fixture);
}

static void on_flushed(void *owner, enum err err)
{
    expect_fine(err);
    ++*(unsigned *)owner;
}

TEST(flush_ends_when_what_was_said_before_is_synced_and_at_once_when_nothing_was)
{
    struct fixture fixture = {0};
    unsigned flushed = 0;
    begin(&fixture);
    store_records(&fixture.world, "k", 100, 10);
    join(&fixture, &fixture.a);
    struct group *group = group_world_group(&fixture.world, "g");
    expect_fine(group_settle_unseen(group, NULL, 0, NULL, on_flushed, &flushed));
    expect_equal_u64(flushed, 0);
    group_world_turn(&fixture.world);
    expect_equal_u64(flushed, 1);
    expect_offsets(&fixture.a, 0, 10);
    store_memory_hold(fixture.world.store, true);
    expect_equal_u64(done(&fixture.a, 100, 104), 5);
    group_world_turn(&fixture.world);
    expect_equal_u64(done(&fixture.a, 105, 107), 3);
    expect_fine(group_settle_unseen(group, NULL, 0, NULL, on_flushed, &flushed));
    group_world_turn(&fixture.world);
    expect_equal_u64(flushed, 1);
    store_memory_hold(fixture.world.store, false);
    group_world_turn(&fixture.world);
    expect_equal_u64(flushed, 2);
    expect_equal_u64(group_world_progress(&fixture.world, "g", 0).low, 8);
    end(&fixture);
}

TEST(done_of_what_is_not_held_counts_nothing)
{
    struct fixture fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k", 100, 10);
    join(&fixture, &fixture.a);
    expect_offsets(&fixture.a, 0, 5);
    expect_equal_u64(done(&fixture.a, 105, 109), 0);
    expect_equal_u64(done(&fixture.a, 1, 99), 0);
    expect_equal_u64(done(&fixture.a, 104, 200), 1);
    expect_equal_u64(done(&fixture.a, 104, 104), 0);
    expect_equal_u64(done(&fixture.a, 1, UINT64_MAX), 4);
    end(&fixture);
}

TEST(record_is_found_by_its_position_with_and_without_a_number)
{
    struct fixture fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k", 100, 2);
    store_records(&fixture.world, NULL, 0, 2);
    join(&fixture, &fixture.a);
    expect_offsets(&fixture.a, 0, 4);
    uint32_t topic = fixture.world.topic.id;
    expect_equal_u64(done_at(&fixture.a, topic, 0, 1), 1);
    expect_equal_u64(done_at(&fixture.a, topic, 0, 3), 1);
    expect_equal_u64(done_at(&fixture.a, topic, 0, 3), 0);
    expect_equal_u64(done_at(&fixture.a, topic, 0, 4), 0);
    expect_equal_u64(done_at(&fixture.a, topic, 1, 0), 0);
    expect_equal_u64(done_at(&fixture.a, topic + 1, 0, 0), 0);
    expect_equal_u64(group_member_open(fixture.a.member), 2);
    end(&fixture);
}

TEST(open_records_with_one_number_are_settled_together)
{
    struct fixture fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k1", 7, 1);
    store_records(&fixture.world, "k2", 7, 1);
    store_records(&fixture.world, "k3", 8, 1);
    join(&fixture, &fixture.a);
    expect_offsets(&fixture.a, 0, 3);
    expect_equal_u64(done(&fixture.a, 7, 7), 2);
    expect_equal_u64(group_member_open(fixture.a.member), 1);
    end(&fixture);
}

TEST(window_bounds_what_is_open_and_done_opens_it)
{
    struct fixture fixture = {0};
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
    struct fixture fixture = {0};
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
    struct fixture fixture = {0};
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

TEST(group_begins_where_its_first_member_said_also_after_a_restart)
{
    struct fixture fixture = {0};
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
    struct fixture fixture = {0};
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
    struct fixture fixture = {0};
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
    struct fixture fixture = {0};
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

TEST(lane_moves_only_when_its_open_records_are_settled)
{
    struct fixture fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "stuck", 1, 1);
    join(&fixture, &fixture.a);
    expect_offsets(&fixture.a, 0, 1);
    /* With many members one of them must get the lane of this key. */
    enum { OTHERS = 100 };
    static struct test_member others[OTHERS];
    for (unsigned i = 0; i < OTHERS; i++)
        join(&fixture, &others[i]);
    store_records(&fixture.world, "stuck", 2, 1);
    group_world_pass(&fixture.world, CLOCK_NS_PER_S);
    uint64_t given = 0;
    for (unsigned i = 0; i < OTHERS; i++)
        given += next_offset(&others[i]) != UINT64_MAX;
    expect_equal_u64(given, 0);
    bool stays = next_offset(&fixture.a) != UINT64_MAX;
    expect_equal_u64(done(&fixture.a, 1, 1), 1);
    group_world_pass(&fixture.world, CLOCK_NS_PER_S);
    for (unsigned i = 0; i < OTHERS; i++)
        given += next_offset(&others[i]) != UINT64_MAX;
    expect_equal_u64(given + stays, 1);
    for (unsigned i = 0; i < OTHERS; i++)
        test_member_leave(&others[i]);
    end(&fixture);
}

TEST(retried_record_comes_again_before_later_ones)
{
    struct fixture fixture = {0};
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
    struct fixture fixture = {0};
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
    struct fixture fixture = {0};
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
    struct fixture fixture = {0};
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

TEST(claimed_record_is_settled_by_the_appends_owner_or_comes_again)
{
    struct fixture fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k", 1, 4);
    join(&fixture, &fixture.a);
    expect_offsets(&fixture.a, 0, 4);
    struct group_select select = {.from = 2, .to = 3};
    struct group_claim *claims[4];
    expect_equal_u64(group_member_claim(fixture.a.member, &select, claims, 1), 1);
    expect_equal_u64(group_member_claim(fixture.a.member, &select, claims + 1, 4), 1);
    expect_equal_u64(group_member_claim(fixture.a.member, &select, claims + 2, 2), 0);
    expect_equal_u64(group_member_open(fixture.a.member), 2);
    expect_equal_u64(group_claim_position(claims[1]).offset, 2);
    struct store_settled settled = group_claim_settled(claims[0], STORE_OUTCOME_SKIPPED);
    expect_span_is(settled.by, "tester");
    struct test_append *append = test_append_new(&fixture.world.mailbox);
    append->append.settled = &settled;
    append->append.settled_count = 1;
    expect_fine(fixture.world.store->ops->append(fixture.world.store, &append->append));
    group_world_turn(&fixture.world);
    claims[0] = group_claim_end(claims[0], ERR_NONE);
    claims[1] = group_claim_end(claims[1], ERR_BROKEN);
    test_append_free(append);
    group_world_turn(&fixture.world);
    struct group_item item;
    expect_fine(group_member_next(fixture.a.member, &item));
    expect_equal_u64(item.position.offset, 2);
    expect_equal_u64(item.attempts, 2);
    expect_nothing(&fixture.a);
    expect_equal_u64(done(&fixture.a, 1, 4), 3);
    group_world_turn(&fixture.world);
    expect_equal_u64(group_world_progress(&fixture.world, "g", 0).low, 4);
    expect(group_world_outcome(&fixture.world, "g", 0, 1) == STORE_OUTCOME_SKIPPED);
    end(&fixture);
}

TEST(what_retention_took_is_expired_and_members_are_told)
{
    struct fixture fixture = {0};
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
    struct fixture fixture = {0};
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
    struct fixture fixture = {0};
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

TEST(full_log_takes_outcomes_and_a_broken_one_settles_nothing)
{
    struct fixture fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k", 1, 10);
    join(&fixture, &fixture.a);
    expect_offsets(&fixture.a, 0, 5);
    store_memory_set_state(fixture.world.store, STORE_FULL);
    expect_equal_u64(done(&fixture.a, 1, 3), 3);
    group_world_turn(&fixture.world);
    expect_equal_u64(group_world_progress(&fixture.world, "g", 0).low, 3);
    store_memory_set_state(fixture.world.store, STORE_BROKEN);
    (void)done(&fixture.a, 4, 4);
    group_world_turn(&fixture.world);
    expect_equal_u64(group_world_progress(&fixture.world, "g", 0).low, 3);
    expect_nothing(&fixture.a);
    expect(groups_is_idle(fixture.world.groups));
    end(&fixture);
}

static void on_end(void *owner, enum err err)
{
    enum err *ended = owner;
    *ended = err;
}

TEST(seek_gives_everything_again_from_there_on)
{
    struct fixture fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k", 1, 10);
    join(&fixture, &fixture.a);
    expect_offsets(&fixture.a, 0, 10);
    expect_equal_u64(done(&fixture.a, 1, 7), 7);
    enum err ended = ERR_PENDING;
    struct group *group = group_member_group(fixture.a.member);
    expect_fine(group_seek(group, fixture.world.topic.id, 0, 4, on_end, &ended));
    expect_err(group_seek(group, fixture.world.topic.id, 0, 5, NULL, NULL), ERR_BUSY);
    expect_equal_u64(done(&fixture.a, 8, 8), 0);
    expect_nothing(&fixture.a);
    group_world_turn(&fixture.world);
    expect_fine(ended);
    expect_offsets(&fixture.a, 4, 10);
    expect(group_world_outcome(&fixture.world, "g", 0, 3) == STORE_OUTCOME_DONE);
    expect(group_world_outcome(&fixture.world, "g", 0, 4) == STORE_OUTCOME_OPEN);
    end(&fixture);
}

TEST(outcomes_of_records_that_nobody_was_given_are_not_given_later)
{
    struct fixture fixture = {0};
    begin(&fixture);
    store_records(&fixture.world, "k", 1, 10);
    join(&fixture, &fixture.a);
    expect_offsets(&fixture.a, 0, 2);
    struct group *group = group_member_group(fixture.a.member);
    struct store_settled settled[2] = {
        {.group = group_id(group), .topic = fixture.world.topic.id, .offset = 1, .count = 3},
        {.group = group_id(group), .topic = fixture.world.topic.id, .offset = 8, .count = 1}};
    settled[0].outcome = settled[1].outcome = STORE_OUTCOME_DONE;
    struct store_note note = {.key = span_from_text("file"), .value = span_from_text("17")};
    enum err ended = ERR_PENDING;
    expect_fine(group_settle_unseen(group, settled, 2, &note, on_end, &ended));
    store_memory_hold(fixture.world.store, true);
    group_world_turn(&fixture.world);
    expect(ended == ERR_PENDING);
    expect_offsets(&fixture.a, 4, 8);
    expect_equal_u64(next_offset(&fixture.a), 9);
    store_memory_hold(fixture.world.store, false);
    group_world_turn(&fixture.world);
    expect_fine(ended);
    struct buffer value;
    buffer_init(&value, 100);
    expect_fine(fixture.world.store->outcomes->note(fixture.world.store, note.key, &value));
    expect_span_is(buffer_span(&value), "17");
    buffer_done(&value);
    expect_equal_u64(done(&fixture.a, 1, 10), 7);
    group_world_turn(&fixture.world);
    expect_equal_u64(group_world_progress(&fixture.world, "g", 0).low, 10);
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
    struct fixture fixture = {0};
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
    struct fixture fixture = {0};
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

struct replay {
    unsigned ends;
    const char *wanted; /* NULL: all */
};

static bool wants(void *owner, const struct record *record)
{
    const struct replay *replay = owner;
    return replay->wanted == NULL || span_equal_text(record->key, replay->wanted);
}

static void on_replayed(void *owner)
{
    struct replay *replay = owner;
    replay->ends++;
}

struct dead_fixture {
    struct fixture fixture;
    struct store_topic dead;
    struct replay replay;
    struct group_source *source;
};

static void begin_replay(struct dead_fixture *self, const char *wanted, uint64_t to)
{
    struct group_world *world = &self->fixture.world;
    begin(&self->fixture);
    expect_fine(
        world->store->ops->topic_open(world->store, span_from_text("orders.dlq"), 1, true, &self->dead));
    for (unsigned i = 0; i < 6; i++)
        test_append_store(
            world->store, &self->dead, 0,
            (struct test_records){.key = i % 2 == 0 ? "even" : "odd", .value = "v", .seq = 50 + i});
    join(&self->fixture, &self->fixture.a);
    struct group *group = group_member_group(self->fixture.a.member);
    struct group_range range = {self->dead.id, 0, 1, to, group_id(group)};
    struct group_source_events events = {wants, on_replayed, &self->replay};
    self->replay.wanted = wanted;
    expect_fine(group_add_source(group, world->topic.id, &range, &events, &self->source));
    group_world_turn(world);
}

TEST(replayed_range_is_given_at_the_callers_pace_and_ends_when_it_is_settled)
{
    struct dead_fixture self = {0};
    struct test_member *a = &self.fixture.a;
    struct group_item item;
    begin_replay(&self, NULL, 4);
    expect_nothing(a);
    group_source_credit(self.source, 2);
    for (uint64_t i = 1; i < 3; i++) {
        expect_fine(group_member_next(a->member, &item));
        expect(item.is_replayed);
        expect_equal_u64(item.position.topic, self.dead.id);
        expect_equal_u64(item.position.offset, i);
        expect_equal_u64(item.seq, 50 + i);
    }
    expect_nothing(a);
    expect_equal_u64(done(a, 51, 51), 1);
    expect_equal_u64(done_at(a, self.fixture.world.topic.id, 0, 2), 1);
    group_source_credit(self.source, 10);
    group_world_turn(&self.fixture.world);
    expect_equal_u64(self.replay.ends, 0);
    expect_equal_u64(next_offset(a), 3);
    expect_nothing(a);
    expect_equal_u64(done_at(a, self.dead.id, 0, 3), 1);
    group_world_turn(&self.fixture.world);
    expect_equal_u64(self.replay.ends, 1);
    uint64_t given;
    uint64_t settled;
    group_source_count(self.source, &given, &settled);
    expect_equal_u64(given, 3);
    expect_equal_u64(settled, 3);
    struct store *store = self.fixture.world.store;
    uint32_t group = group_id(group_member_group(a->member));
    expect(store->outcomes->outcome(store, group, (struct store_position){self.dead.id, 0, 2}) ==
           STORE_OUTCOME_DONE);
    expect(store->outcomes->outcome(store, group, (struct store_position){self.dead.id, 0, 4}) ==
           STORE_OUTCOME_OPEN);
    group_remove_source(self.source);
    end(&self.fixture);
}

TEST(replay_leaves_open_what_its_filter_does_not_want)
{
    struct dead_fixture self = {0};
    struct test_member *a = &self.fixture.a;
    begin_replay(&self, "odd", 6);
    group_source_credit(self.source, 100);
    expect_equal_u64(next_offset(a), 1);
    expect_equal_u64(next_offset(a), 3);
    expect_equal_u64(next_offset(a), 5);
    expect_nothing(a);
    expect_equal_u64(done(a, 50, 60), 3);
    group_world_turn(&self.fixture.world);
    expect_equal_u64(self.replay.ends, 1);
    struct store *store = self.fixture.world.store;
    uint32_t group = group_id(group_member_group(a->member));
    expect(store->outcomes->outcome(store, group, (struct store_position){self.dead.id, 0, 2}) ==
           STORE_OUTCOME_OPEN);
    group_remove_source(self.source);
    end(&self.fixture);
}

TEST(source_may_go_while_its_records_are_open)
{
    struct dead_fixture self = {0};
    begin_replay(&self, NULL, 6);
    group_source_credit(self.source, 3);
    for (uint64_t i = 1; i < 4; i++)
        expect_equal_u64(next_offset(&self.fixture.a), i);
    group_remove_source(self.source);
    group_world_turn(&self.fixture.world);
    expect_equal_u64(done(&self.fixture.a, 51, 52), 2);
    group_world_turn(&self.fixture.world);
    expect_nothing(&self.fixture.a);
    end(&self.fixture);
}

TEST(groups_do_not_see_each_other)
{
    struct fixture fixture = {0};
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
    struct fixture fixture = {0};
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
          done_in_any_order_raises_the_mark_when_it_is_synced,
          flush_ends_when_what_was_said_before_is_synced_and_at_once_when_nothing_was,
          done_of_what_is_not_held_counts_nothing,
          record_is_found_by_its_position_with_and_without_a_number,
          open_records_with_one_number_are_settled_together,
          window_bounds_what_is_open_and_done_opens_it,
          member_at_the_end_is_told_of_new_records,
          group_goes_on_after_what_is_completed_and_gives_the_rest_again,
          group_begins_where_its_first_member_said_also_after_a_restart,
          nothing_is_given_before_the_beginning_is_synced,
          records_of_a_key_go_to_one_member,
          open_records_of_one_who_leaves_go_to_those_who_stay,
          lane_moves_only_when_its_open_records_are_settled,
          retried_record_comes_again_before_later_ones,
          key_waits_until_its_record_was_given_again,
          lease_that_is_over_gives_records_to_another,
          lapsed_member_is_given_records_again_once_it_is_renewed,
          claimed_record_is_settled_by_the_appends_owner_or_comes_again,
          what_retention_took_is_expired_and_members_are_told,
          who_comes_after_retention_took_records_is_told_of_them_until_the_group_has_gone_on,
          delivery_stops_at_the_span_above_the_mark,
          full_log_takes_outcomes_and_a_broken_one_settles_nothing,
          seek_gives_everything_again_from_there_on,
          outcomes_of_records_that_nobody_was_given_are_not_given_later,
          topics_with_several_partitions_are_given_whole,
          slow_reads_are_waited_for,
          member_may_leave_while_the_store_reads_for_it,
          replayed_range_is_given_at_the_callers_pace_and_ends_when_it_is_settled,
          replay_leaves_open_what_its_filter_does_not_want,
          source_may_go_while_its_records_are_open,
          groups_do_not_see_each_other,
          open_records_of_all_members_are_bounded,
          unknown_topics_and_partitions_are_refused)
