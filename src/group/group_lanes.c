/* Spreads lanes over members, and moves them without ever having one key in two hands. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "group/group_lanes.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { HOLDERS_FIRST = 4 };

void group_lanes_init(struct group_lanes *lanes)
{
    memset(lanes, 0, sizeof *lanes);
}

void group_lanes_done(struct group_lanes *lanes)
{
    free(lanes->holders);
    group_lanes_init(lanes);
}

/* Who has it in the end. */
static struct group_member *heir_of(const struct group_lane *lane)
{
    return lane->next != NULL ? lane->next : lane->owner;
}

static struct lane_holder *find_holder(const struct group_lanes *lanes, const struct group_member *member)
{
    for (uint32_t i = 0; i < lanes->count; i++)
        if (lanes->holders[i].member == member)
            return &lanes->holders[i];
    return NULL;
}

static struct lane_holder *heaviest(const struct group_lanes *lanes)
{
    struct lane_holder *found = &lanes->holders[0];
    for (uint32_t i = 1; i < lanes->count; i++)
        if (lanes->holders[i].lanes > found->lanes)
            found = &lanes->holders[i];
    return found;
}

static struct lane_holder *lightest(const struct group_lanes *lanes)
{
    struct lane_holder *found = &lanes->holders[0];
    for (uint32_t i = 1; i < lanes->count; i++)
        if (lanes->holders[i].lanes < found->lanes)
            found = &lanes->holders[i];
    return found;
}

/* An owner that gets back what it was to lose must look at it again: it has passed its records over. */
static void promise(struct group_lanes *lanes, struct group_lane *lane, struct lane_holder *to)
{
    if (lane->next == NULL)
        lanes->moving++;
    lane->next = to->member;
    to->lanes++;
}

static enum err add_holder(struct group_lanes *lanes, struct group_member *member)
{
    if (lanes->count == GROUP_LANES)
        return ERR_TOO_MANY;
    if (lanes->count == lanes->size) {
        uint32_t size = lanes->size == 0 ? HOLDERS_FIRST : lanes->size * 2;
        struct lane_holder *holders = realloc(lanes->holders, size * sizeof *holders);
        if (holders == NULL)
            return ERR_MEMORY;
        lanes->holders = holders;
        lanes->size = size;
    }
    lanes->holders[lanes->count++] = (struct lane_holder){.member = member};
    return ERR_NONE;
}

/* A lane of the holder, if possible one that can move at once. */
static struct group_lane *choose_lane(struct group_lanes *lanes, const struct lane_holder *holder)
{
    struct group_lane *found = NULL;
    for (uint32_t i = 0; i < GROUP_LANES; i++) {
        struct group_lane *lane = &lanes->lanes[i];
        if (heir_of(lane) != holder->member)
            continue;
        if (lane->open == 0)
            return lane;
        found = lane;
    }
    return found;
}

enum err group_lanes_join(struct group_lanes *lanes, struct group_member *member)
{
    check(find_holder(lanes, member) == NULL);
    enum err err = add_holder(lanes, member);
    if (err != ERR_NONE)
        return err;
    struct lane_holder *holder = &lanes->holders[lanes->count - 1];
    for (uint32_t i = 0; i < GROUP_LANES; i++)
        if (heir_of(&lanes->lanes[i]) == NULL)
            promise(lanes, &lanes->lanes[i], holder);
    for (struct lane_holder *from; (from = heaviest(lanes))->lanes > holder->lanes + 1;) {
        struct group_lane *lane = choose_lane(lanes, from);
        check(lane != NULL);
        from->lanes--;
        promise(lanes, lane, holder);
    }
    return ERR_NONE;
}

static void pass_on(struct group_lanes *lanes, struct group_lane *lane, const struct group_member *leaver)
{
    bool was_heir = heir_of(lane) == leaver;
    if (lane->owner == leaver)
        lane->owner = NULL;
    if (!was_heir)
        return;
    if (lanes->count > 0) {
        promise(lanes, lane, lightest(lanes));
    } else if (lane->next != NULL) {
        lane->next = NULL;
        lanes->moving--;
    }
}

void group_lanes_leave(struct group_lanes *lanes, struct group_member *member)
{
    struct lane_holder *holder = find_holder(lanes, member);
    if (holder == NULL)
        return;
    *holder = lanes->holders[--lanes->count];
    for (uint32_t i = 0; i < GROUP_LANES; i++)
        pass_on(lanes, &lanes->lanes[i], member);
}

static bool may_move(const struct group_lane *lane)
{
    return lane->next != NULL && (lane->open == 0 || lane->next == lane->owner);
}

bool group_lanes_have_drained(const struct group_lanes *lanes)
{
    uint32_t drained = 0;
    for (uint32_t i = 0; lanes->moving > 0 && i < GROUP_LANES; i++)
        drained += may_move(&lanes->lanes[i]);
    return drained == lanes->moving;
}

bool group_lanes_hand_over(struct group_lanes *lanes)
{
    bool has_moved = false;
    for (uint32_t i = 0; lanes->moving > 0 && i < GROUP_LANES; i++) {
        struct group_lane *lane = &lanes->lanes[i];
        if (!may_move(lane))
            continue;
        struct lane_holder *holder = find_holder(lanes, lane->next);
        check(holder != NULL);
        holder->has_gained = true;
        lane->owner = lane->next;
        lane->next = NULL;
        lanes->moving--;
        has_moved = true;
    }
    return has_moved;
}
