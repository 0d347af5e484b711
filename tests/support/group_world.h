/* Live groups over a store in memory, with a clock that stands: what tests of groups begin with. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_GROUP_WORLD_H
#define SUPPORT_GROUP_WORLD_H

#include "group/group.h"
#include "store/store_memory.h"

struct group_world {
    struct clock_fake clock;
    struct store *store;
    struct mailbox mailbox;
    struct groups_settings settings; /* of the next group_world_start */
    struct groups *groups;
    bool is_work_wanted;
    int64_t due_ns;           /* INT64_MAX: none */
    struct store_topic topic; /* "orders" */
};

/* The store holds one topic with so many partitions; groups run. */
void group_world_begin(struct group_world *world, uint32_t partitions);
/* Members have left. */
void group_world_end(struct group_world *world);
/* As a crash and a new start do: what lives ends, nothing is sent any more. Members have left in peace or not: see stop. */
void group_world_stop(struct group_world *world);
void group_world_start(struct group_world *world);

/* Delivers mails and steps until nothing is wanted any more. */
void group_world_turn(struct group_world *world);
/* The clock moves; then a turn. */
void group_world_pass(struct group_world *world, int64_t ns);

struct group *group_world_group(struct group_world *world, const char *name);

/* A member that counts what it is told. */
struct test_member {
    struct group_member *member;
    unsigned ready;
    unsigned gaps;
    uint64_t gap_from;
    uint64_t gap_to;
    uint64_t lapsed;
};
void test_member_join(struct test_member *test,
                      struct group *group,
                      const struct group_member_settings *settings);
void test_member_leave(struct test_member *test);

/* What the store says of a partition of the topic. */
struct store_progress group_world_progress(struct group_world *world, const char *group, uint32_t partition);
enum store_outcome
group_world_outcome(struct group_world *world, const char *group, uint32_t partition, uint64_t offset);

#endif
