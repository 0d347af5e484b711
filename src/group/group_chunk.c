/* What is settled and what is open among 1024 neighbouring offsets. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "group/group_chunk.h"

uint64_t group_chunk_first_free(const struct group_chunk *chunk, uint64_t offset)
{
    uint32_t first = group_chunk_block(offset);
    uint64_t below = group_bit(offset) - 1; /* of the first block: not asked for */
    for (uint32_t block = first; block < GROUP_CHUNK_BLOCKS; block++) {
        uint64_t taken = chunk->settled[block] | chunk->open[block] | below;
        if (taken != UINT64_MAX)
            return group_chunk_start(chunk) + block * GROUP_BLOCK_SIZE + (unsigned)__builtin_ctzll(~taken);
        below = 0;
    }
    return group_chunk_start(chunk) + GROUP_CHUNK_SIZE;
}

uint64_t group_block_mask(uint64_t block, uint64_t from, uint64_t to)
{
    uint64_t start = block * GROUP_BLOCK_SIZE;
    if (to <= start || from >= start + GROUP_BLOCK_SIZE)
        return 0;
    uint64_t mask = UINT64_MAX;
    if (from > start)
        mask &= UINT64_MAX << (from - start);
    if (to < start + GROUP_BLOCK_SIZE)
        mask &= ~(UINT64_MAX << (to - start));
    return mask;
}

void group_chunk_settle(struct group_chunk *chunk, uint64_t from, uint64_t to)
{
    uint64_t block = group_chunk_start(chunk) / GROUP_BLOCK_SIZE;
    for (uint32_t i = 0; i < GROUP_CHUNK_BLOCKS; i++)
        chunk->settled[i] |= group_block_mask(block + i, from, to);
}
