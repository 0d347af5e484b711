/* A list of equal things that only grows, in blocks that never move. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_CHUNK_LIST_H
#define JOURNAL_CHUNK_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Its maximum is its owner's: whoever adds to it looks at its bytes. */
struct chunk_list {
    uint8_t **blocks;
    uint32_t block_count;
    uint32_t block_size; /* of the directory */
    uint32_t thing_size;
    uint32_t per_block; /* things */
    uint32_t count;
};

void chunk_list_init(struct chunk_list *list, uint32_t thing_size);
void chunk_list_done(struct chunk_list *list);

/* The new last one, of zeros or of old bytes: to be filled in; NULL without memory. */
void *chunk_list_add(struct chunk_list *list) MUST_CHECK;
/* One that is there. */
void *chunk_list_at(const struct chunk_list *list, uint32_t number);
/* Allocated. */
size_t chunk_list_bytes(const struct chunk_list *list);

#endif
