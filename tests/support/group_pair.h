/* A world of groups with two members that tests speak for, and short words for what they do. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_GROUP_PAIR_H
#define SUPPORT_GROUP_PAIR_H

#include "support/group_world.h"
#include "support/test.h"
#include "support/test_append.h"

/* Begin with zeros. Those who have joined leave in the end. */
struct group_pair {
    struct group_world world;
    struct test_member a;
    struct test_member b;
};

static inline struct group_member_settings settings_of(const struct group_world *world)
{
    return (struct group_member_settings){
        .topic = world->topic.id,
        .partition = GROUP_ALL_PARTITIONS,
        .from = GROUP_FROM_START,
        .window = 1000,
        .by = span_from_text("tester"),
    };
}

static inline void store_records(struct group_world *world, const char *key, uint64_t seq, uint32_t count)
{
    test_append_store(world->store, &world->topic, 0,
                      (struct test_records){.key = key, .value = "value", .seq = seq, .count = count});
}

/* The next record's offset; UINT64_MAX when there is none now. */
static inline uint64_t next_offset(struct test_member *test)
{
    struct group_item item;
    enum err err = group_member_next(test->member, &item);
    if (err == ERR_AGAIN)
        return UINT64_MAX;
    expect_fine(err);
    return item.position.offset;
}

static inline void expect_offsets(struct test_member *test, uint64_t from, uint64_t to)
{
    for (uint64_t offset = from; offset < to; offset++)
        expect_equal_u64(next_offset(test), offset);
}

static inline void expect_nothing(struct test_member *test)
{
    expect_equal_u64(next_offset(test), UINT64_MAX);
}

static inline uint64_t done(struct test_member *test, uint64_t from, uint64_t to)
{
    struct group_select select = {.from = from, .to = to};
    return group_member_done(test->member, &select, 0);
}

static inline uint64_t done_at(struct test_member *test, uint32_t topic, uint32_t partition, uint64_t offset)
{
    struct group_select select = {.position = {topic, partition, offset}};
    return group_member_done(test->member, &select, 200);
}

static inline uint64_t retry(struct test_member *test, uint64_t seq, int64_t delay_ns)
{
    struct group_select select = {.from = seq, .to = seq};
    return group_member_retry(test->member, &select, delay_ns);
}

static inline void begin(struct group_pair *fixture)
{
    group_world_begin(&fixture->world, 1);
}

static inline void join(struct group_pair *fixture, struct test_member *test)
{
    struct group_member_settings settings = settings_of(&fixture->world);
    test_member_join(test, group_world_group(&fixture->world, "g"), &settings);
    group_world_turn(&fixture->world);
}

static inline void end(struct group_pair *fixture)
{
    if (fixture->a.member != NULL)
        test_member_leave(&fixture->a);
    if (fixture->b.member != NULL)
        test_member_leave(&fixture->b);
    group_world_end(&fixture->world);
}

#endif
