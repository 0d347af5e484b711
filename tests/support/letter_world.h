/* Live groups with parking, replays and audit over a store in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_LETTER_WORLD_H
#define SUPPORT_LETTER_WORLD_H

#include "deadletter/replays.h"
#include "support/group_world.h"

struct letter_world {
    struct group_world groups; /* its topic is "orders"; the dead letters stand in "orders.dlq" */
    struct audit *audit;
    struct parking *parking;
    struct replays *replays;
    int64_t due_ns; /* of the replays; INT64_MAX: none */
    unsigned parked;
    enum err parked_err; /* the latest */
    unsigned started;
    enum err started_err;
    uint64_t given[64]; /* numbers, in order */
    unsigned given_count;
};

void letter_world_begin(struct letter_world *world, uint32_t partitions);
/* Members have left. */
void letter_world_end(struct letter_world *world);
/* What lives ends; what is not stored by now never will be. Members have left. */
void letter_world_crash(struct letter_world *world);
void letter_world_start(struct letter_world *world);
void letter_world_turn(struct letter_world *world);
void letter_world_pass(struct letter_world *world, int64_t ns);

/* Stores `count` records with the numbers from `seq` on. */
void letter_world_produce(struct letter_world *world, uint32_t partition, uint64_t seq, uint32_t count);
void letter_world_join(struct letter_world *world,
                       struct test_member *member,
                       const char *group,
                       const char *topic);
/* Takes all records that there are now; `given` holds their numbers. How many. */
unsigned letter_world_take(struct letter_world *world, struct test_member *member);
void letter_world_done(struct letter_world *world, struct test_member *member, uint64_t from, uint64_t to);
/* Parks the open records of [from, to] as a subscriber of `topic` does; then a turn. */
void letter_world_fail(struct letter_world *world,
                       struct test_member *member,
                       const char *topic,
                       uint64_t from,
                       uint64_t to,
                       const char *reason);
/* Takes, and fails, so many records with one reason each. */
uint64_t letter_world_replay(struct letter_world *world, struct replay_order order);
struct replay_view letter_world_look(struct letter_world *world, uint64_t id);

enum store_outcome letter_world_outcome(
    struct letter_world *world, const char *group, const char *topic, uint32_t partition, uint64_t offset);
uint64_t letter_world_end_of(struct letter_world *world, const char *topic, uint32_t partition);
/* The dead letter at an offset; the record is valid until the next call. */
struct dead_letter letter_world_letter(struct letter_world *world,
                                       const char *topic,
                                       uint32_t partition,
                                       uint64_t offset,
                                       struct record *ret_record);

#endif
