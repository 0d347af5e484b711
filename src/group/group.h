/* A named reader of topics, alive on its home loop: who was given which record, and what became of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GROUP_GROUP_H
#define GROUP_GROUP_H

#include "group/group_member.h"

/*
 * The happy path: a member joins a group for a topic, takes records with group_member_next, each of them open from then on;
 * settles them in any order; the outcomes of a turn go out in one append; when that is synced they are true.
 *
 * - Keys are spread over lanes, lanes over the members of the topic: records of one key go to one member at a time, in order.
 * - A member that leaves, or lets its lease run out, gives its open records back: their lanes' next owners get them again.
 * - Records above the low-water mark are given out up to a span; then the partition waits.
 * - Failing appends: while the log is full or busy outcomes wait here; when it is broken nothing is settled any more.
 */
struct append_builder;
struct groups;
struct group;

/* Zeros stand for the defaults. */
struct groups_settings {
    uint64_t span_max;     /* offsets above the low-water mark; STORE_SPAN_MAX */
    uint32_t open_max;     /* runs of open and of just settled records of all members together; 1,000,000 */
    size_t read_bytes_max; /* what members hold together to read into; 16 MiB */
    uint64_t seed;         /* which keys share a lane */
    /*
     * Adds what shall be true together with these outcomes of a group (audit_add_done); runs of one partition stand together.
     * TOO_LARGE, TOO_MANY: the builder is full; then the outcomes go with the next append. NULL: nothing is added.
     */
    enum err (*on_commit)(void *owner,
                          struct append_builder *builder,
                          struct span group,
                          const struct store_settled *settled,
                          uint32_t count);
    void *commit_owner;
};

struct groups_events {
    void (*on_work)(void *owner); /* groups_step wants to be called at the end of this turn */
    void (*on_due)(void *owner,
                   int64_t after_ns); /* ... and after this time (leases, delays); the latest call counts */
    void *owner;
};

/* All of one home loop; `mailbox` is that loop's. */
enum err groups_new(struct store *store,
                    struct mailbox *mailbox,
                    struct clock *clock,
                    const struct groups_settings *settings,
                    const struct groups_events *events,
                    struct groups **ret_groups) MUST_CHECK;
/* No member is left, nothing is under way. Returns NULL. */
struct groups *groups_free(struct groups *groups);
/* Sends outcomes that have gathered, looks at leases and delays, wakes members. Never blocks. */
void groups_step(struct groups *groups);
/* Whether appends are under way or waiting: a drain waits until there are none. */
bool groups_is_idle(const struct groups *groups);

/* The live group of this name, made when absent: BAD_NAME, TOO_MANY, MEMORY. It stays while it has members, sources or work;
 * otherwise until the next groups_step. */
enum err groups_open(struct groups *groups, struct span name, struct group **ret_group) MUST_CHECK;
struct span group_name(const struct group *group);
uint32_t group_id(const struct group *group);

/* What an operator sees: members, and how many records are open in a partition. */
struct group_view {
    uint32_t members;
    uint64_t open;
    int64_t oldest_open_ns; /* monotonic time at which the oldest open one was given; 0: none */
};
void group_look(const struct group *group, uint32_t topic, uint32_t partition, struct group_view *ret_view);

/*
 * One more source of the group's topic: the records of `range` in a dead-letter partition are given to the members of `topic`
 * as if they were its own, until `to`. Those that a filter leaves out stay open. `on_end` comes when all of them are settled.
 * The pace is the caller's: a source gives nothing beyond `credit` records until it gets more.
 */
struct group_source;
struct group_range {
    uint32_t topic; /* the dead-letter topic */
    uint32_t partition;
    uint64_t from;
    uint64_t to; /* exclusive, fixed */
    uint32_t
        outcomes_of; /* the group whose outcomes they are: the one that failed them, also when another one gets them */
};
struct group_source_events {
    bool (*wants)(void *owner, const struct record *record); /* the filter; NULL: all */
    void (*on_end)(void *owner);
    void *owner;
};
enum err group_add_source(struct group *group,
                          uint32_t topic,
                          const struct group_range *range,
                          const struct group_source_events *events,
                          struct group_source **ret_source) MUST_CHECK;
void group_source_credit(struct group_source *source, uint64_t records);
/* How many records it has given, how many of them are settled. */
void group_source_count(const struct group_source *source, uint64_t *ret_given, uint64_t *ret_settled);
/* Gives no more; what is open stays open. Returns NULL. */
struct group_source *group_remove_source(struct group_source *source);

/*
 * An operator's wish: everything below `offset` counts as settled, from there on everything is given again. Open records of
 * the partition are taken from their members' hands. on_done comes with NONE when it is synced. BUSY: another one is under way.
 */
enum err group_seek(struct group *group,
                    uint32_t topic,
                    uint32_t partition,
                    uint64_t offset,
                    void (*on_done)(void *owner, enum err err),
                    void *owner) MUST_CHECK;

/*
 * Outcomes for records that nobody was given: `settled` (group and outcome filled in) goes out with the next append; on_settled
 * comes with NONE when it is synced. For files that consumers write, and for operators. Without any (and no note) it comes when
 * all outcomes that were said before are synced.
 */
enum err group_settle_unseen(struct group *group,
                             const struct store_settled *settled,
                             uint32_t count,
                             const struct store_note *note,
                             void (*on_settled)(void *owner, enum err err),
                             void *owner) MUST_CHECK;

#endif
