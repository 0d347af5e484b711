/* Which member gets the records of which keys: lanes of keys, and who holds them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GROUP_GROUP_LANES_H
#define GROUP_GROUP_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct group_member;

enum { GROUP_LANES = 256 };

struct group_lane {
    struct group_member *owner; /* NULL: nobody */
    struct group_member *next;  /* to whom it goes when nothing of it is open; NULL: it stays */
    uint32_t open;              /* records in somebody's hands, or claimed */
};

/* One that has lanes, or will have. */
struct lane_holder {
    struct group_member *member;
    uint32_t lanes;  /* that it has or will have */
    bool has_gained; /* lanes came to it: it must look at their records from the low-water mark on */
};

struct group_lanes {
    struct group_lane lanes[GROUP_LANES];
    struct lane_holder *holders;
    uint32_t count;
    uint32_t size;
    uint32_t moving; /* lanes with a `next` */
};

void group_lanes_init(struct group_lanes *lanes);
void group_lanes_done(struct group_lanes *lanes);

/* It will have its part of the lanes, taken from those who have most; lanes without open records first. TOO_MANY, MEMORY. */
enum err group_lanes_join(struct group_lanes *lanes, struct group_member *member) MUST_CHECK;
/* Its lanes go to those who have fewest. Nothing when it has not joined. */
void group_lanes_leave(struct group_lanes *lanes, struct group_member *member);

/* Whether all lanes that move may move now. */
bool group_lanes_have_drained(const struct group_lanes *lanes);
/* Moves those that may; then has_gained says to whom. True when any has moved. */
bool group_lanes_hand_over(struct group_lanes *lanes);

static inline uint8_t group_lane_of(uint64_t hash)
{
    return (uint8_t)(hash >> 56);
}

static inline bool
group_lanes_give(const struct group_lanes *lanes, uint8_t lane, const struct group_member *member)
{
    return lanes->lanes[lane].owner == member && lanes->lanes[lane].next == NULL;
}

#endif
