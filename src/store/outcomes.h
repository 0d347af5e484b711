/* The second half of a store's interface: groups with their progress, the fate of records, places of numbers, notes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_OUTCOMES_H
#define STORE_OUTCOMES_H

#include "base/buffer.h"
#include "base/err.h"
#include "store/settled.h"
#include "store/topic.h"

enum {
    STORE_GROUPS_MAX = 256,
    STORE_GROUP_NAME_MAX = 200, /* the same alphabet as a topic's name */
    STORE_SPAN_MAX = 1000000,   /* offsets above the low-water mark that may be settled out of order */
};

struct store;

struct store_group {
    uint32_t id;
    bool is_named;     /* in the configuration: it holds retention back, and does not expire */
    bool has_done;     /* it has said DONE at least once */
    int64_t active_ns; /* wall time of its last outcome, or of its making */
    char name[STORE_GROUP_NAME_MAX + 1];
};

/* How far a group is in one partition. */
struct store_progress {
    uint32_t topic;
    uint32_t partition;
    uint64_t low;           /* every offset below has an outcome */
    uint64_t end;           /* behind the highest one with an outcome; low when there is none above */
    uint64_t settled_above; /* how many at or above low have one */
    bool
        has_begun; /* the group was told where to begin, or has settled something; else low is the partition's start */
};

/* A producer's own number, in the sequence that it belongs to. */
struct store_number {
    uint32_t sequence;
    uint64_t number;
};

/* Where a number was stored. */
struct store_place {
    struct store_position position;
    int64_t stored_ns; /* when it was appended */
    bool is_expired;   /* the record is gone; the receipt still answers */
};

/*
 * Any thread may call any of these; answers are of what is synced; a lookup may read index blocks.
 * group_open: finds a group, or creates it; durable with the first append that speaks of it. BAD_NAME, TOO_MANY, NOT_FOUND.
 * group_next: walks groups in order of id, starting with *position = 0; false at the end. Ids have gaps when groups went.
 * group_forget: the group and all it knows go, durable soon.
 * progress: UNKNOWN_TOPIC, NOT_FOUND (no such group).
 * progress_next: walks the partitions that the group has begun, starting with *position = 0.
 * unsettled: the first run of offsets at or after `from` without an outcome: [*ret_from, *ret_to), never empty; *ret_to may be
 *   UINT64_MAX (all that will come).
 * outcome: of one offset; cheap.
 * fate: of one offset, with who and when. NONE also when it is OPEN. 
 * places: every place where a number is stored, the oldest first; TOO_MANY for more than `size`: the first ones are
 *   there. A number that is stored but whose place is not known (written before places were kept) is told by
 *   *ret_unplaced. No reading of records.
 * note: NOT_FOUND; appends the value to the buffer.
 * note_next: the first note whose key is after `after` and begins with `prefix`, in the order of bytes; copies the key (at most
 *   STORE_NOTE_KEY_MAX bytes) and appends the value. NOT_FOUND at the end.
 */
struct outcomes_ops {
    enum err (*group_open)(struct store *store, struct span name, bool create, uint32_t *ret_group);
    bool (*group_next)(struct store *store, uint32_t *position, struct store_group *ret_group);
    enum err (*group_forget)(struct store *store, uint32_t group);
    enum err (*progress)(struct store *store,
                         uint32_t group,
                         uint32_t topic,
                         uint32_t partition,
                         struct store_progress *ret_progress);
    bool (*progress_next)(struct store *store,
                          uint32_t group,
                          uint32_t *position,
                          struct store_progress *ret_progress);
    enum err (*unsettled)(struct store *store,
                          uint32_t group,
                          struct store_position from,
                          uint64_t *ret_from,
                          uint64_t *ret_to);
    enum store_outcome (*outcome)(struct store *store, uint32_t group, struct store_position position);
    enum err (*fate)(struct store *store,
                     uint32_t group,
                     struct store_position position,
                     struct store_fate *ret_fate);
    enum err (*places)(struct store *store,
                       struct store_number number,
                       struct store_place *places,
                       uint32_t size,
                       uint32_t *ret_count,
                       bool *ret_unplaced);
    enum err (*note)(struct store *store, struct span key, struct buffer *value);
    enum err (*note_next)(
        struct store *store, struct span prefix, struct span after, struct buffer *key, struct buffer *value);
};

#endif
