/* The inside of live groups, for the files that they are made of. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GROUP_LIVE_GROUP_H
#define GROUP_LIVE_GROUP_H

#include "group/group_reader.h"
#include "group/outcome_queue.h"

struct groups;

/* The store may owe its mail when the groups go. */
struct groups_watch {
    struct store_watch watch;
    struct groups *groups; /* NULL: gone */
    bool is_set;
};

struct groups {
    struct group_core core;
    struct outcome_queue *outcomes;
    struct map groups;     /* by name */
    struct map partitions; /* by group, topic and partition */
    struct groups_watch *watch;
    struct group_member *told; /* whose events are running; NULL when it left meanwhile */
};

struct group {
    struct groups *groups;
    uint32_t id;
    struct list units;
    uint32_t sources;
    char name[STORE_GROUP_NAME_MAX + 1];
};

/* The members of a group that share a topic, or one partition of it: keys are spread over them. */
struct group_unit {
    struct group *group;
    struct list link; /* in group->units */
    uint32_t topic;
    int64_t partition;          /* or GROUP_ALL_PARTITIONS */
    struct list streams;        /* the topic's own and sources, by their unit_link */
    struct group_stream **base; /* the topic's own, by partition, or the one */
    uint32_t base_count;
    struct list members;
    uint32_t member_count;
    uint64_t span; /* how many offsets above the low-water mark may be given: never fewer than a window */
    uint32_t claims;
    struct group_lanes lanes;
    int64_t handed_over_ns; /* when lanes last moved */
};

struct group_gap {
    struct list link;
    struct store_position from;
    uint64_t to;
};

struct group_member {
    struct list link; /* in unit->members */
    struct group_unit *unit;
    struct group_member_events events;
    uint32_t window;
    uint32_t open;
    int64_t lease_ns;
    int64_t renewed_ns; /* the latest command, or the first record after nothing was open */
    bool is_lapsed;     /* has no lanes until it is renewed */
    struct group_by *by;
    struct list cursors; /* by their member_link; the one whose turn it is first */
    struct list runs;
    struct seq_index seqs;
    struct group_reader *reader;
    bool wants;            /* its last call was answered AGAIN */
    bool is_called;        /* on_ready is due */
    int64_t read_after_ns; /* a read failed: not before */
    struct list ready_link;
    struct list gaps;        /* to be told */
    uint64_t lapsed_records; /* likewise */
    bool has_lapsed;
};

struct group_source {
    struct group_stream *stream;
    struct group_source_events events;
    uint64_t credit;
    uint64_t given;
    uint64_t settled;
    bool has_ended; /* on_end was called */
};

struct group_claim {
    struct group_stream *stream;
    struct group_by *by;
    uint64_t offset;
    uint16_t attempts;
};

static inline struct group_core *group_unit_core(const struct group_unit *unit)
{
    return &unit->group->groups->core;
}

static inline struct group_core *group_member_core(const struct group_member *member)
{
    return group_unit_core(member->unit);
}

#endif
