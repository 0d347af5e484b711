/* Tests how lanes are spread over members, and how they move. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "group/group_lanes.h"

#include "support/test.h"

enum { MEMBERS = 5 };

/* Only their addresses count. */
static char places[MEMBERS];

static struct group_member *member_of(unsigned number)
{
    return (struct group_member *)(void *)&places[number];
}

static unsigned count_lanes(const struct group_lanes *lanes, unsigned number)
{
    unsigned count = 0;
    for (unsigned i = 0; i < GROUP_LANES; i++)
        count += group_lanes_give(lanes, (uint8_t)i, member_of(number));
    return count;
}

TEST(lanes_are_spread_evenly_whoever_comes_and_goes)
{
    struct group_lanes lanes;
    group_lanes_init(&lanes);
    for (unsigned i = 0; i < MEMBERS; i++) {
        expect_fine(group_lanes_join(&lanes, member_of(i)));
        expect(group_lanes_hand_over(&lanes));
        for (unsigned j = 0; j <= i; j++)
            expect(count_lanes(&lanes, j) >= GROUP_LANES / (i + 1) &&
                   count_lanes(&lanes, j) <= GROUP_LANES / (i + 1) + 1);
    }
    for (unsigned i = 0; i + 1 < MEMBERS; i++) {
        group_lanes_leave(&lanes, member_of(i));
        expect(group_lanes_hand_over(&lanes));
        unsigned left = MEMBERS - 1 - i;
        for (unsigned j = i + 1; j < MEMBERS; j++)
            expect(count_lanes(&lanes, j) >= GROUP_LANES / left - 1 &&
                   count_lanes(&lanes, j) <= GROUP_LANES / left + 1);
    }
    expect_equal_u64(count_lanes(&lanes, MEMBERS - 1), GROUP_LANES);
    group_lanes_leave(&lanes, member_of(MEMBERS - 1));
    group_lanes_leave(&lanes, member_of(MEMBERS - 1));
    expect_equal_u64(lanes.moving, 0);
    group_lanes_done(&lanes);
}

TEST(lane_with_open_records_is_given_to_nobody_until_they_are_settled)
{
    struct group_lanes lanes;
    group_lanes_init(&lanes);
    expect_fine(group_lanes_join(&lanes, member_of(0)));
    expect(group_lanes_hand_over(&lanes));
    for (unsigned i = 0; i < GROUP_LANES; i++)
        lanes.lanes[i].open = 1;
    expect_fine(group_lanes_join(&lanes, member_of(1)));
    expect(!group_lanes_have_drained(&lanes));
    expect(!group_lanes_hand_over(&lanes));
    expect_equal_u64(count_lanes(&lanes, 0), GROUP_LANES / 2);
    expect_equal_u64(count_lanes(&lanes, 1), 0);
    for (unsigned i = 0; i < GROUP_LANES; i++)
        lanes.lanes[i].open = 0;
    expect(group_lanes_have_drained(&lanes));
    expect(group_lanes_hand_over(&lanes));
    expect_equal_u64(count_lanes(&lanes, 1), GROUP_LANES / 2);
    group_lanes_done(&lanes);
}

TEST(owner_gets_back_at_once_what_it_was_to_give_to_one_who_left)
{
    struct group_lanes lanes;
    group_lanes_init(&lanes);
    expect_fine(group_lanes_join(&lanes, member_of(0)));
    expect(group_lanes_hand_over(&lanes));
    lanes.holders[0].has_gained = false;
    for (unsigned i = 0; i < GROUP_LANES; i++)
        lanes.lanes[i].open = 1;
    expect_fine(group_lanes_join(&lanes, member_of(1)));
    group_lanes_leave(&lanes, member_of(1));
    expect(group_lanes_hand_over(&lanes));
    expect_equal_u64(count_lanes(&lanes, 0), GROUP_LANES);
    expect(lanes.holders[0].has_gained); /* it has passed records over meanwhile */
    group_lanes_done(&lanes);
}

TEST(members_beyond_the_lanes_are_too_many)
{
    static char many[GROUP_LANES + 1];
    struct group_lanes lanes;
    group_lanes_init(&lanes);
    for (unsigned i = 0; i < GROUP_LANES; i++)
        expect_fine(group_lanes_join(&lanes, (struct group_member *)(void *)&many[i]));
    expect_err(group_lanes_join(&lanes, (struct group_member *)(void *)&many[GROUP_LANES]), ERR_TOO_MANY);
    group_lanes_done(&lanes);
}

TEST_MAIN(lanes_are_spread_evenly_whoever_comes_and_goes,
          lane_with_open_records_is_given_to_nobody_until_they_are_settled,
          owner_gets_back_at_once_what_it_was_to_give_to_one_who_left,
          members_beyond_the_lanes_are_too_many)
