/* How far a group is in one partition: a low-water mark, and what is settled above it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_GROUP_PROGRESS_H
#define JOURNAL_GROUP_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
    PROGRESS_CHUNK = 4096, /* offsets that share a bitmap */
    PROGRESS_CHUNK_WORDS = PROGRESS_CHUNK / 64,
    PROGRESS_SPAN_MAX =
        2000000, /* above the mark: what may be settled out of order, and as much again on its way */
    PROGRESS_STRETCHES_MAX = 32,
    /* What it takes of a checkpoint: docs/formats/journal.md 5. */
    PROGRESS_STRETCH_COST = 16,
    PROGRESS_FIXED_COST = 72 + PROGRESS_STRETCHES_MAX * PROGRESS_STRETCH_COST,
    PROGRESS_CHUNK_COST = 16 + PROGRESS_CHUNK / 8,
    PROGRESS_RUN_COST = 16,
};

/* Offsets from `from` to before `to`. */
struct progress_range {
    uint64_t from;
    uint64_t to;
};

struct progress_chunk {
    uint32_t settled; /* bits that are set */
    uint64_t bits[PROGRESS_CHUNK_WORDS];
};

/*
 * Chunks stand at multiples of 4096, from the one that the mark is in; NULL: nothing in it is settled. One that is wholly settled
 * has no bitmap of its own. What lies below the mark is settled whatever the bits say. A chunk may also be there empty: it was
 * reserved for an append that is not synced yet. For one thread at a time.
 */
struct group_progress {
    uint32_t topic;
    uint32_t partition;
    uint32_t slot;
    bool has_begun;
    int64_t active_ns; /* wall time of the last outcome */
    uint64_t low;
    uint64_t end;           /* behind the highest settled one; low when there is none above */
    uint64_t settled_above; /* how many at or above low */
    struct progress_chunk **chunks;
    uint32_t chunk_count;
    uint32_t chunk_size;
    uint32_t partial_count; /* chunks with a bitmap */
    uint32_t full_count;
    /* Outcomes other than done lie in these alone; ascending, not touching; not all in them are such. */
    struct progress_range *stretches;
    uint32_t stretch_count;
};

/* Everything below `low` is settled. */
enum err group_progress_new(uint32_t topic,
                            uint32_t partition,
                            uint32_t slot,
                            uint64_t low,
                            struct group_progress **ret_progress) MUST_CHECK;
/* Takes and returns NULL. */
struct group_progress *group_progress_free(struct group_progress *progress);

/* Whether the range does not end too far above the mark. */
bool group_progress_can_settle(const struct group_progress *progress, struct progress_range range);
/* Makes room, so that settling the range cannot fail. TOO_MANY: it ends too far above the mark. MEMORY. */
enum err group_progress_reserve(struct group_progress *progress, struct progress_range range) MUST_CHECK;
/* Gives back what was reserved and never used. */
void group_progress_trim(struct group_progress *progress);
/* Marks the range; those that are settled already stay so. Errors as above: nothing is marked. */
enum err group_progress_settle(struct group_progress *progress, struct progress_range range) MUST_CHECK;
/* Everything below is settled, everything from there on is open. */
void group_progress_seek(struct group_progress *progress, uint64_t offset);

bool group_progress_is_settled(const struct group_progress *progress, uint64_t offset);
/* The first run of open offsets at or after `from`; its `to` may be UINT64_MAX. */
struct progress_range group_progress_open_from(const struct group_progress *progress, uint64_t from);

/* Offsets in the range may have outcomes other than done. MEMORY: the mark stays. */
enum err group_progress_add_stretch(struct group_progress *progress, struct progress_range range) MUST_CHECK;
bool group_progress_is_in_stretch(const struct group_progress *progress, uint64_t offset);

/* Bytes of a checkpoint, at most: with as many stretches as there may be. */
static inline size_t group_progress_cost(const struct group_progress *progress)
{
    return PROGRESS_FIXED_COST + (size_t)progress->partial_count * PROGRESS_CHUNK_COST +
           (size_t)progress->full_count * PROGRESS_RUN_COST;
}

/* What is settled at or above the mark, piece by piece: start with *place = 0; false at the end. */
struct progress_piece {
    uint64_t offset;
    uint32_t count;
    const struct progress_chunk
        *bits; /* NULL: all of them are; else it begins with the chunk's first offset */
};
bool group_progress_next_piece(const struct group_progress *progress,
                               uint32_t *place,
                               struct progress_piece *ret_piece);

#endif
