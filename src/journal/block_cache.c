/* A few places for each block; of a full set the one goes that was asked for least lately. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/block_cache.h"

#include <stdlib.h>

#include "base/check.h"

void block_cache_done(struct block_cache *cache)
{
    for (uint32_t i = 0; i < BLOCK_CACHE_SETS; i++)
        for (uint32_t k = 0; k < BLOCK_CACHE_WAYS; k++)
            free(cache->blocks[i][k].bytes);
    *cache = (struct block_cache){0};
}

uint64_t block_cache_name(struct block_cache *cache)
{
    return ++cache->files;
}

static struct cached_block *set_of(struct block_cache *cache, uint64_t file, uint32_t block)
{
    uint64_t mixed = (file << 32 ^ block) * UINT64_C(0x9e3779b97f4a7c15);
    return cache->blocks[(mixed >> 40) % BLOCK_CACHE_SETS];
}

static struct cached_block *find(struct block_cache *cache, uint64_t file, uint32_t block)
{
    struct cached_block *set = set_of(cache, file, block);
    for (uint32_t i = 0; i < BLOCK_CACHE_WAYS; i++)
        if (set[i].file == file && set[i].block == block)
            return &set[i];
    return NULL;
}

const uint8_t *block_cache_get(struct block_cache *cache, uint64_t file, uint32_t block)
{
    struct cached_block *found = find(cache, file, block);
    if (found == NULL)
        return NULL;
    found->used = ++cache->clock;
    return found->bytes;
}

uint8_t *block_cache_take(struct block_cache *cache, uint64_t file, uint32_t block)
{
    struct cached_block *set = set_of(cache, file, block);
    struct cached_block *oldest = &set[0];
    check(file != 0 && find(cache, file, block) == NULL);
    for (uint32_t i = 1; i < BLOCK_CACHE_WAYS && oldest->file != 0; i++)
        if (set[i].file == 0 || cache->clock - set[i].used > cache->clock - oldest->used)
            oldest = &set[i];
    if (oldest->bytes == NULL)
        oldest->bytes = malloc(BLOCK_CACHE_BLOCK);
    if (oldest->bytes == NULL)
        return NULL;
    oldest->file = file;
    oldest->block = block;
    oldest->used = ++cache->clock;
    return oldest->bytes;
}

void block_cache_drop(struct block_cache *cache, uint64_t file, uint32_t block)
{
    struct cached_block *found = find(cache, file, block);
    if (found != NULL)
        found->file = 0;
}
