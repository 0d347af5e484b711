/* One reader in a group: a subscriber's connection or a delivery, for one topic. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GROUP_GROUP_MEMBER_H
#define GROUP_GROUP_MEMBER_H

#include "base/clock.h"
#include "base/mailbox.h"
#include "store/store.h"
#include "wire/record_batch.h"

struct group;
struct group_member;

enum { GROUP_WINDOW_MAX = 1000000, GROUP_ALL_PARTITIONS = -1 };

/* Where a group begins that has not begun in a partition yet; afterwards it goes on after what is completed. */
enum group_from { GROUP_FROM_START, GROUP_FROM_END, GROUP_FROM_OFFSET };

struct group_member_settings {
    uint32_t topic;
    int64_t partition; /* or GROUP_ALL_PARTITIONS */
    enum group_from from;
    uint64_t offset;  /* with GROUP_FROM_OFFSET */
    uint32_t window;  /* records that may be open at once */
    int64_t lease_ns; /* after so long without a command its open records go back; 0: never */
    struct span by;   /* who it is, at most STORE_BY_MAX bytes; copied */
};

struct group_member_events {
    /* group_member_next may give something again. Not from inside a call. */
    void (*on_ready)(void *owner);
    /* Retention took [from, to) of a partition before the group came to it: they are settled as EXPIRED. */
    void (*on_gap)(void *owner, uint32_t topic, uint32_t partition, uint64_t from, uint64_t to);
    /* The lease ran out: its open records went back to the group; it is given nothing more until it is renewed. */
    void (*on_lease_over)(void *owner, uint64_t records);
    void *owner;
};

/* One record that was given out. Spans and record are valid until the next call to its member or to groups_step. */
struct group_item {
    struct store_position position; /* of the record itself: a replayed one stands in its dead-letter topic */
    const struct record *record;
    uint64_t seq;      /* its producer's number; 0: none, then <partition>:<offset> stands for it */
    uint16_t attempts; /* how often it was given out, this time included, since the program began */
    bool is_replayed;
};

/* UNKNOWN_TOPIC, TOO_MANY, MEMORY, BAD_INPUT (partition). */
enum err group_join(struct group *group,
                    const struct group_member_settings *settings,
                    const struct group_member_events *events,
                    struct group_member **ret_member) MUST_CHECK;
/* Its open records go back; outcomes under way are still committed. From inside its events, too. Returns NULL. */
struct group_member *group_leave(struct group_member *member);
struct group *group_member_group(struct group_member *member);

/*
 * The next record, open from now on. AGAIN: none now, on_ready will come. DAMAGED: at ret_item->position, settled as SKIPPED
 * by "damage"; later calls go on behind it. IO, MEMORY: at ret_item->position, to be tried again later.
 */
enum err group_member_next(struct group_member *member, struct group_item *ret_item) MUST_CHECK;
void group_member_set_window(struct group_member *member, uint32_t window);
/* A sign of life: the lease begins anew. */
void group_member_renew(struct group_member *member);
uint32_t group_member_open(const struct group_member *member);

/* Which open records are spoken of: those with a number in [from, to], or (from == 0) the one at a position. */
struct group_select {
    uint64_t from;
    uint64_t to;
    struct store_position position; /* its topic is the member's when it was named as <partition>:<offset> */
};

/* All of them are done; how many, 0 when the member holds none of them. Never waits. */
uint64_t group_member_done(struct group_member *member, const struct group_select *select, uint32_t status);
/* All of them will be given again, after `delay_ns`, before later records of their keys; how many. */
uint64_t group_member_retry(struct group_member *member, const struct group_select *select, int64_t delay_ns);

/*
 * For outcomes that need more than a word (dead letters): takes records out of the member's hands until the claim is settled or
 * given back. At most `size` positions; how many, 0 when the member holds none. The rest stays open: ask again.
 */
struct group_claim; /* one each */
uint32_t group_member_claim(struct group_member *member,
                            const struct group_select *select,
                            struct group_claim **claims,
                            uint32_t size);
struct store_position group_claim_position(const struct group_claim *claim);
uint16_t group_claim_attempts(const struct group_claim *claim);
/* The run to put into an append of the caller's: one record, `by` of its member. The append must not end before the claim. */
struct store_settled group_claim_settled(const struct group_claim *claim, enum store_outcome outcome);
/* The append with it is synced (NONE), or failed: then it is open for the group again. Returns NULL. */
struct group_claim *group_claim_end(struct group_claim *claim, enum err err);

#endif
