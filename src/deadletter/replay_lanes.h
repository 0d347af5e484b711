/* Whose dead letters a range holds, and how many of them are open: what a replay finds out before it begins. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEADLETTER_REPLAY_LANES_H
#define DEADLETTER_REPLAY_LANES_H

#include "deadletter/letter_filter.h"
#include "store/append_builder.h"
#include "store/record_scan.h"

/*
 * A lane is a pair of the group that failed and the topic that it failed in: each becomes a source of its own. What belongs to
 * other groups is `skipped` for a group, so that its low-water mark does not wait for letters that never become its own.
 */
enum { REPLAY_LANES_MAX = 64 };

struct lane_part {
    uint64_t first;  /* open letter */
    uint64_t wanted; /* open letters that the filter takes */
};

struct replay_lane {
    uint32_t group; /* id; UINT32_MAX: a dry run, and the group is not there */
    char group_name[STORE_TOPIC_NAME_MAX + 1];
    char topic_name[STORE_TOPIC_NAME_MAX + 1];
    uint32_t owner;          /* in owners */
    uint64_t wanted;         /* of all parts */
    struct lane_part *parts; /* one for each partition of the dead-letter topic */
};

struct letter_owner;

struct replay_lanes {
    struct store *store;
    struct store_topic topic;
    const struct record_scan_range *ranges; /* one for each partition; the caller's */
    const struct letter_filter *filter;     /* the caller's */
    bool is_dry;                            /* nothing is written */
    struct replay_lane *lanes[REPLAY_LANES_MAX];
    uint32_t lane_count;
    struct letter_owner *owners[REPLAY_LANES_MAX]; /* the groups of the lanes */
    uint32_t owner_count;
    uint64_t wanted;
    uint64_t completed; /* that had an outcome already */
    uint64_t left_out;  /* by the filter */
    uint64_t foreign;   /* that are nobody's dead letters */
};

void replay_lanes_init(struct replay_lanes *lanes,
                       struct store *store,
                       const struct store_topic *topic,
                       const struct record_scan_range *ranges,
                       const struct letter_filter *filter,
                       bool is_dry);
void replay_lanes_done(struct replay_lanes *lanes);

/*
 * The next record of the ranges, in the order of a scan. TOO_LARGE: the builder is full, offer the record again; TOO_MANY: more
 * than REPLAY_LANES_MAX lanes, or groups than the store holds; MEMORY.
 */
enum err replay_lanes_take(struct replay_lanes *lanes,
                           uint32_t partition,
                           const struct record *record,
                           struct append_builder *builder) MUST_CHECK;
/* All records have come. TOO_LARGE: the builder is full, call again. */
enum err replay_lanes_finish(struct replay_lanes *lanes, struct append_builder *builder) MUST_CHECK;

/* Whether the record belongs to the lane and the filter takes it. */
bool replay_lane_wants(const struct replay_lane *lane,
                       const struct letter_filter *filter,
                       const struct record *record);

#endif
