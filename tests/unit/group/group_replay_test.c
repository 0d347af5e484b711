/* Tests replays: ranges of dead letters as one more source of a group. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "group/group.h"
#include "support/group_pair.h"

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
    struct group_pair fixture;
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

TEST(replay_for_another_group_leaves_its_outcomes_with_the_one_that_failed)
{
    struct group_pair fixture = {0};
    struct store_topic dead;
    struct replay replay = {0};
    struct group_source *source;
    uint32_t failed;
    begin(&fixture);
    struct store *store = fixture.world.store;
    expect_fine(store->ops->topic_open(store, span_from_text("orders.dlq"), 1, true, &dead));
    expect_fine(store->outcomes->group_open(store, span_from_text("failed"), true, &failed));
    test_append_store(store, &dead, 0, (struct test_records){.key = "k", .value = "v", .seq = 5});
    join(&fixture, &fixture.a);
    struct group *group = group_member_group(fixture.a.member);
    struct group_range range = {dead.id, 0, 0, 1, failed};
    struct group_source_events events = {wants, on_replayed, &replay};
    expect_fine(group_add_source(group, fixture.world.topic.id, &range, &events, &source));
    group_source_credit(source, 1);
    expect_equal_u64(next_offset(&fixture.a), 0);
    expect_equal_u64(done(&fixture.a, 5, 5), 1);
    group_world_turn(&fixture.world);
    expect_equal_u64(replay.ends, 1);
    struct store_position position = {dead.id, 0, 0};
    expect(store->outcomes->outcome(store, failed, position) == STORE_OUTCOME_DONE);
    expect(store->outcomes->outcome(store, group_id(group), position) == STORE_OUTCOME_OPEN);
    range.outcomes_of = 99;
    expect_err(group_add_source(group, fixture.world.topic.id, &range, &events, &source), ERR_NOT_FOUND);
    group_remove_source(source);
    end(&fixture);
}

TEST_MAIN(replay_for_another_group_leaves_its_outcomes_with_the_one_that_failed,
          replayed_range_is_given_at_the_callers_pace_and_ends_when_it_is_settled,
          replay_leaves_open_what_its_filter_does_not_want,
          source_may_go_while_its_records_are_open)
