/* Blocks of 8 KiB and a directory of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/chunk_list.h"

#include <stdlib.h>

enum { BLOCK_BYTES = 8192, DIRECTORY_FIRST = 8 };

void chunk_list_init(struct chunk_list *list, uint32_t thing_size)
{
    check(thing_size > 0 && thing_size <= BLOCK_BYTES);
    *list = (struct chunk_list){.thing_size = thing_size, .per_block = BLOCK_BYTES / thing_size};
}

void chunk_list_done(struct chunk_list *list)
{
    for (uint32_t i = 0; i < list->block_count; i++)
        free(list->blocks[i]);
    free(list->blocks);
    *list = (struct chunk_list){0};
}

static enum err add_block(struct chunk_list *list)
{
    if (list->block_count == list->block_size) {
        uint32_t size = list->block_size == 0 ? DIRECTORY_FIRST : list->block_size * 2;
        uint8_t **blocks = realloc(list->blocks, size * sizeof(uint8_t *));
        if (blocks == NULL)
            return ERR_MEMORY;
        list->blocks = blocks;
        list->block_size = size;
    }
    uint8_t *block = calloc(1, BLOCK_BYTES);
    if (block == NULL)
        return ERR_MEMORY;
    list->blocks[list->block_count++] = block;
    return ERR_NONE;
}

void *chunk_list_add(struct chunk_list *list)
{
    if (list->count == UINT32_MAX)
        return NULL;
    if (list->count / list->per_block == list->block_count && add_block(list) != ERR_NONE)
        return NULL;
    return chunk_list_at(list, list->count++);
}

void *chunk_list_at(const struct chunk_list *list, uint32_t number)
{
    check(number < list->count);
    return list->blocks[number / list->per_block] + (size_t)(number % list->per_block) * list->thing_size;
}

size_t chunk_list_bytes(const struct chunk_list *list)
{
    return (size_t)list->block_count * BLOCK_BYTES + (size_t)list->block_size * sizeof(uint8_t *);
}
