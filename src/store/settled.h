/* What became of records: the outcomes that an append carries, and the answer about one record. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_SETTLED_H
#define STORE_SETTLED_H

#include <stdint.h>

#include "base/span.h"

enum {
    STORE_BY_MAX = 64,         /* bytes of who it was: an address, a certificate's name, a delivery's */
    STORE_SETTLED_MAX = 16384, /* runs of one append */
    STORE_NOTE_KEY_MAX = 200,
    STORE_NOTE_VALUE_MAX = 4096,
    STORE_NOTES_MAX = 64, /* of one append */
};

/* What a group says of an offset; OPEN: nothing yet. The numbers are stored. */
enum store_outcome {
    STORE_OUTCOME_OPEN = 0,
    STORE_OUTCOME_DONE = 1,
    STORE_OUTCOME_DEAD = 2,    /* given up; a dead letter stands elsewhere */
    STORE_OUTCOME_SKIPPED = 3, /* passed over by an operator */
    STORE_OUTCOME_EXPIRED = 4, /* retention took it before the group came to it */
    STORE_OUTCOME_COUNT
};

/* Offsets from `offset` on, `count` of them, have this outcome for the group. One that has an outcome already keeps it. */
struct store_settled {
    uint32_t group; /* id, from group_open */
    uint32_t topic;
    uint32_t partition;
    uint32_t count;
    uint64_t offset;
    enum store_outcome outcome;
    uint16_t attempts;
    uint32_t status; /* of a protocol, HTTP's for example; 0: none */
    struct span by;  /* at most STORE_BY_MAX bytes, the caller's until completion */
    uint32_t
        dead_part; /* DEAD: the part of the same append with the dead letters, in the order of the offsets */
    uint32_t dead_record; /* the number of the first one in that part's batch */
};

/* Where a group that is new to the partition begins, or goes on after an operator's wish: everything below counts as settled,
 * from there on everything is open again. */
struct store_seek {
    uint32_t group;
    uint32_t topic;
    uint32_t partition;
    uint64_t offset;
};

/* A small durable value by name, for rooms above the store; it goes with the append that changes what it speaks of. */
struct store_note {
    struct span key;   /* 1 to STORE_NOTE_KEY_MAX bytes */
    struct span value; /* at most STORE_NOTE_VALUE_MAX; data NULL: the note goes */
};

struct store_position {
    uint32_t topic;
    uint32_t partition;
    uint64_t offset;
};

/* The answer about one record: synced, as all answers of a store. */
struct store_fate {
    enum store_outcome outcome;
    uint16_t attempts;
    uint32_t status;
    int64_t at_ns;              /* wall time of the outcome, within a second; 0: not known any more */
    struct store_position dead; /* DEAD: where its dead letter stands */
    bool dead_is_known;
    uint8_t by_len;
    char by[STORE_BY_MAX];
};

#endif
