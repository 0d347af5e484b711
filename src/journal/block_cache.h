/* Blocks of index files that were read and checked of late. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_BLOCK_CACHE_H
#define JOURNAL_BLOCK_CACHE_H

#include <stdint.h>

enum {
    BLOCK_CACHE_SETS = 256,
    BLOCK_CACHE_WAYS = 4,
    BLOCK_CACHE_BLOCK = 4096,
};

struct cached_block {
    uint64_t file; /* 0: empty */
    uint32_t block;
    uint32_t used; /* when it was asked for last, by the cache's clock */
    uint8_t *bytes;
};

/* At most 4 MiB, taken block by block as it is used. For one thread at a time: the view lock is held. */
struct block_cache {
    struct cached_block blocks[BLOCK_CACHE_SETS][BLOCK_CACHE_WAYS];
    uint32_t clock;
    uint64_t files; /* that were named so far */
};

void block_cache_done(struct block_cache *cache);
/* A name that no other file has had. */
uint64_t block_cache_name(struct block_cache *cache);

/* NULL when it is not there; valid until the next call of take. */
const uint8_t *block_cache_get(struct block_cache *cache, uint64_t file, uint32_t block);
/* Where the block is to be read into; counts as there from now on. NULL without memory. */
uint8_t *block_cache_take(struct block_cache *cache, uint64_t file, uint32_t block);
/* It could not be read. */
void block_cache_drop(struct block_cache *cache, uint64_t file, uint32_t block);

#endif
