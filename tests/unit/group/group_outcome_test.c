/* Tests what becomes of records that a group was given, or that nobody was given. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "group/group.h"
#include "support/group_pair.h"

TEST(done_in_any_order_raises_the_mark_when_it_is_synced)
{
    struct group_pair fixture = {0};
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
    struct group_pair fixture = {0};
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
    struct group_pair fixture = {0};
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
    struct group_pair fixture = {0};
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
    struct group_pair fixture = {0};
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

TEST(claimed_record_is_settled_by_the_appends_owner_or_comes_again)
{
    struct group_pair fixture = {0};
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

TEST(full_log_takes_outcomes_and_a_broken_one_settles_nothing)
{
    struct group_pair fixture = {0};
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
    struct group_pair fixture = {0};
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
    struct group_pair fixture = {0};
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

TEST_MAIN(done_in_any_order_raises_the_mark_when_it_is_synced,
          flush_ends_when_what_was_said_before_is_synced_and_at_once_when_nothing_was,
          done_of_what_is_not_held_counts_nothing,
          record_is_found_by_its_position_with_and_without_a_number,
          open_records_with_one_number_are_settled_together,
          claimed_record_is_settled_by_the_appends_owner_or_comes_again,
          full_log_takes_outcomes_and_a_broken_one_settles_nothing,
          seek_gives_everything_again_from_there_on,
          outcomes_of_records_that_nobody_was_given_are_not_given_later)
