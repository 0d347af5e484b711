/* What a live group knows of one partition: what is settled, open or came back, beyond what the store knows. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GROUP_GROUP_PARTITION_H
#define GROUP_GROUP_PARTITION_H

#include "base/map.h"
#include "group/group_chunk.h"
#include "group/group_core.h"
#include "group/group_lanes.h"
#include "group/seq_index.h"

/*
 * Chunks exist where a record was looked at since the low-water mark, and are filled from the store when they are made; from
 * then on all that changes goes through here. One partition is shared by all that read it for the outcomes of one group.
 */
enum partition_phase {
    PARTITION_OPEN,
    PARTITION_SEEKS,   /* waits until nothing of it is under way; nothing is given */
    PARTITION_IS_SENT, /* the seek is under way */
};

/* Offsets whose outcome is on its way to the store and stands in no chunk, for they were given to nobody. */
struct partition_pledge {
    struct list link; /* in its partition's */
    struct group_partition *partition;
    uint64_t from;
    uint64_t to;
};

struct group_partition_key {
    uint32_t group; /* whose outcomes they are */
    uint32_t topic;
    uint32_t partition;
};

struct group_partition {
    struct group_core *core;
    struct list link;
    struct group_partition_key key;
    char group_name[STORE_GROUP_NAME_MAX + 1];
    struct list streams; /* that read it */
    bool has_begun;      /* the store knows where the group is, or will be told */
    uint64_t low;        /* the store's: everything below is settled and synced */
    uint64_t end;        /* of the log, as far as it is known */
    struct list pledges;
    struct map chunks;
    struct group_chunk *last; /* the one looked at last, or NULL */
    uint64_t open;            /* records in members' hands, or claimed */
    uint32_t waiting;         /* runs that wait for their time */
    uint32_t returned;        /* runs that came back, with the waiting ones */
    uint32_t outcomes;        /* entries of the outcome queue for it */
    uint32_t commits;         /* appends under way with outcomes for it */
    enum partition_phase phase;
    struct list seek_link; /* in the outcome queue while it seeks */
    uint64_t seek_to;
    void (*on_sought)(void *owner, enum err err);
    void *sought_owner;
    bool is_span_full; /* a cursor has met the end of the span */
};

/* UNKNOWN_TOPIC, NOT_FOUND (group), MEMORY. */
enum err group_partition_new(struct group_core *core,
                             uint32_t group,
                             struct span group_name,
                             uint32_t topic,
                             uint32_t partition,
                             struct group_partition **ret_partition) MUST_CHECK;
/* No stream reads it, nothing of it is open or under way. Returns NULL. */
struct group_partition *group_partition_free(struct group_partition *partition);
/* Nobody reads it, and it is at rest. */
bool group_partition_is_idle(const struct group_partition *partition);
/* Of it nothing is open and nothing under way: a seek may go out. */
bool group_partition_is_at_rest(const struct group_partition *partition);

/* Asks the store how far the group and the log are. True when there may be more to give than before. */
bool group_partition_look_at_log(struct group_partition *partition);
bool group_partition_look_at_progress(struct group_partition *partition);
/* What came back counts as never given. */
void group_partition_forget_returned(struct group_partition *partition);
/* Everything is forgotten; the group is at `low`. */
void group_partition_reset(struct group_partition *partition, uint64_t low);

/* Where the offset stands; made when absent. NULL without memory. */
struct group_chunk *group_partition_chunk(struct group_partition *partition, uint64_t offset);
/* The first offset at or after `offset` that is not known to be settled or open. */
uint64_t group_partition_first_free(struct group_partition *partition, uint64_t offset);

/*
 * The record at `offset` is given: it is open, and in a run of the member. Its attempts are counted from what came back.
 * MEMORY: nothing happened.
 */
struct partition_give {
    struct group_member *member;
    struct group_stream *stream;
    struct seq_index *seqs; /* of the member: gets new runs that have a number */
    struct list *runs;      /* likewise: all new runs */
    uint64_t seq;           /* 0: none */
    uint8_t lane;
};
enum err group_partition_give(struct group_partition *partition,
                              uint64_t offset,
                              const struct partition_give *give,
                              uint16_t *ret_attempts) MUST_CHECK;

/* Whether the record came back and waits for its time. */
bool group_partition_waits(struct group_partition *partition, uint64_t offset);
/* The run of a member with this offset; NULL. */
struct group_run *group_partition_find_run(const struct group_partition *partition,
                                           const struct group_member *member,
                                           uint64_t offset);

/* Takes these offsets out of the run of a member, whose index it leaves and is freed with its last one. They stay open until
 * group_partition_close. */
void group_partition_take(struct group_run *run, uint64_t mask, struct seq_index *seqs);
/* They are in nobody's hands any more, settled or not; their lanes get lighter. The chunk may go with its last one. */
void group_partition_close(struct group_partition *partition,
                           uint64_t block,
                           uint64_t mask,
                           bool is_settled,
                           struct group_lanes *lanes);
/*
 * They came back: they will be given again, from `due_ns` on (0: now), counted from `attempts`; without room for that, now.
 * The cursors of the stream are the caller's to set back; those of other streams of the partition go back by themselves.
 */
void group_partition_return(
    struct group_stream *stream, uint64_t block, uint64_t mask, uint16_t attempts, int64_t due_ns);
/* Its time has come. */
void group_partition_release(struct group_run *run);

/* The first offset in [from, to) that is open, or settled here but perhaps not in the store yet; or `to`. */
uint64_t group_partition_next_taken(const struct group_partition *partition, uint64_t from, uint64_t to);
/* The range is settled, though nobody was given it: what is open there stays so, what came back from there is forgotten. */
void group_partition_pledge(struct partition_pledge *pledge);

#endif
