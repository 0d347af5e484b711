/* What is settled and what is open among 1024 neighbouring offsets of a partition. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GROUP_GROUP_CHUNK_H
#define GROUP_GROUP_CHUNK_H

#include "group/group_run.h"

enum {
    GROUP_CHUNK_BITS = 10,
    GROUP_CHUNK_SIZE = 1 << GROUP_CHUNK_BITS,
    GROUP_CHUNK_BLOCKS = GROUP_CHUNK_SIZE / GROUP_BLOCK_SIZE,
};

struct group_chunk {
    uint64_t number;                      /* offset / GROUP_CHUNK_SIZE; the key in the partition's map */
    uint64_t settled[GROUP_CHUNK_BLOCKS]; /* synced, or on the way there */
    uint64_t open[GROUP_CHUNK_BLOCKS];    /* in a member's hands, or claimed */
    struct group_run *runs[GROUP_CHUNK_BLOCKS]; /* of all members, and those that came back */
    uint32_t open_count;
    uint8_t lanes[GROUP_CHUNK_SIZE]; /* of the open ones */
};

static inline uint64_t group_chunk_start(const struct group_chunk *chunk)
{
    return chunk->number << GROUP_CHUNK_BITS;
}

static inline uint32_t group_chunk_block(uint64_t offset)
{
    return (uint32_t)(offset >> GROUP_BLOCK_BITS) % GROUP_CHUNK_BLOCKS;
}

/* Whether it is not to be given. */
static inline bool group_chunk_has(const struct group_chunk *chunk, uint64_t offset)
{
    uint32_t block = group_chunk_block(offset);
    return ((chunk->settled[block] | chunk->open[block]) & group_bit(offset)) != 0;
}

/* The first offset at or after `offset` that may be given; the chunk's end when there is none. */
uint64_t group_chunk_first_free(const struct group_chunk *chunk, uint64_t offset);

/* [from, to), as far as it lies in the chunk. */
void group_chunk_settle(struct group_chunk *chunk, uint64_t from, uint64_t to);

/* Those of 64 offsets from `block` * 64 on that lie in [from, to). */
uint64_t group_block_mask(uint64_t block, uint64_t from, uint64_t to);

#endif
