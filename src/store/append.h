/* What a door hands to a store: one atomic set of record batches, laid out ready to be written. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_APPEND_H
#define STORE_APPEND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mailbox.h"
#include "base/span.h"
#include "store/settled.h"

/*
 * The bytes of an append, so that a journal writes them without a copy:
 *
 *   [headroom][record batch][pad to 8] [headroom][record batch][pad to 8] ...
 *
 * Each headroom belongs to the store (its frame header); the pad is zeros. A batch is magic 2, uncompressed
 * or as the client compressed it; its base offset field is written by the store.
 */
enum {
    STORE_PART_HEADROOM = 48,
    STORE_PART_ALIGNMENT = 8,
    STORE_RUNS_MAX = 4096,       /* of one append: a door makes two of what has more */
    STORE_IDENTITIES_MAX = 4096, /* likewise */
    STORE_PLACES_MAX = 32768,    /* likewise: of more the places are not known */
    STORE_RUN_SIZE = 16,
    STORE_PLACE_SIZE = 2,
    STORE_IDENTITY_SIZE = 16,
    STORE_NUMBERS_SIZE =
        56, /* what runs with their producer, or identities, take beside themselves at most */
};

struct store_part {
    uint32_t topic; /* id, from store_topic_open */
    uint32_t partition;
    uint32_t position; /* of the batch in bytes; position - STORE_PART_HEADROOM is a multiple of 8 */
    uint32_t len;      /* of the batch */
    uint32_t records;
    uint64_t ret_base_offset; /* written by the store before completion */
};

/* Numbers from, from+1, ... of a producer's own counter: `count` of them. `from` 0: records without a number (see places). */
struct store_run {
    uint64_t from;
    uint64_t count;
};

/* What a store knows of an identity (`duplicates: drop`). */
enum store_identity {
    STORE_IDENTITY_NEW,
    STORE_IDENTITY_PENDING, /* admitted, its append is not synced yet: nobody may be told that it is stored */
    STORE_IDENTITY_STORED,
};

struct store_append {
    struct mail mail; /* the store posts it back to reply_to when done; its on_delivered is the caller's */
    struct mailbox *reply_to;
    uint8_t *bytes; /* the caller's; must stay until completion */
    size_t len;     /* a multiple of 8 */
    struct store_part *parts;
    uint32_t part_count; /* 0: a barrier, completes after all that was appended before it is synced */
    uint32_t sequence;   /* index of the sequence that the runs belong to (see sequences in store.h) */
    const struct store_run *runs; /* what this append stores of that sequence; may be unordered, may repeat */
    uint32_t run_count;
    /*
     * For each number of the runs, in their order, the part that holds its record (an index into parts); within one part
     * records stand in that order too, and records without a number are told by runs from 0. NULL: there is one part,
     * and every record in it has a number; or the places are not known.
     */
    const uint16_t *places;
    uint32_t place_count;            /* the sum of the runs' counts, or 0 */
    struct span producer;            /* id from HELLO, or empty; at most 200 bytes */
    uint64_t producer_last;          /* the highest sequence number of this producer in here; 0: none */
    const uint8_t (*identities)[16]; /* hashes to remember for `duplicates: drop`, or NULL */
    uint32_t identity_count;
    /* What becomes true with this append, all of it or nothing; with or without records: seeks, then outcomes, then notes. */
    const struct store_settled *settled;
    uint32_t settled_count;
    const struct store_seek *seeks;
    uint32_t seek_count;
    const struct store_note *notes;
    uint32_t note_count;
    bool
        urgent; /* outcomes, dead letters, audit: admitted while the log is full, for it is what makes room again */
    bool
        held; /* the caller calls store release() at the end of its turn: until then the writer is not woken */
    bool alone;     /* nothing else of the same connection is in flight: it may overtake larger appends */
    uint64_t place; /* the store's own */
    void *own;      /* likewise */
    uint32_t
        ret_full_part; /* when the store answered FULL: the part whose topic is; UINT32_MAX: the whole log */
    enum err ret_err;  /* written before completion: NONE (synced), or BROKEN, DRAINING, TOO_LARGE */
};

/* What counts against the store's `append` limit: the bytes, and the numbers that are stored in the same atomic set. */
static inline size_t store_append_size(const struct store_append *append)
{
    size_t size = append->len;
    if (append->run_count > 0 || append->producer.len > 0)
        size += STORE_NUMBERS_SIZE + append->run_count * (size_t)STORE_RUN_SIZE + append->producer.len +
                append->place_count * (size_t)STORE_PLACE_SIZE;
    if (append->identity_count > 0)
        size += STORE_NUMBERS_SIZE + append->identity_count * (size_t)STORE_IDENTITY_SIZE;
    return size;
}

#endif
