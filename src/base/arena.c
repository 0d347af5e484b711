/* An arena is a list of blocks, one for each piece: configurations are small and live long. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

#include "base/check.h"

struct arena_block {
    struct arena_block *next;
    alignas(max_align_t) uint8_t bytes[];
};

void arena_init(struct arena *arena, size_t size_max)
{
    *arena = (struct arena){.size_max = size_max};
}

void arena_done(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    arena->size = 0;
}

void *arena_take(struct arena *arena, size_t size)
{
    check(arena->size <= arena->size_max);
    if (size > arena->size_max - arena->size)
        return NULL;
    struct arena_block *block = calloc(1, sizeof *block + size);
    if (block == NULL)
        return NULL;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->size += size;
    return block->bytes;
}

char *arena_copy_text(struct arena *arena, struct span text)
{
    char *copy = arena_take(arena, text.len + 1);
    if (copy != NULL && text.len > 0)
        memcpy(copy, text.data, text.len);
    return copy;
}
