/* Memory that is taken in pieces and given back all at once. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/span.h"

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t size;     /* handed out */
    size_t size_max; /* never more than this is handed out */
};

void arena_init(struct arena *arena, size_t size_max);
/* Gives everything back. */
void arena_done(struct arena *arena);

/* Zeroed bytes, aligned for anything; NULL beyond the maximum or without memory. */
void *arena_take(struct arena *arena, size_t size);
/* A copy with a zero byte behind it. */
char *arena_copy_text(struct arena *arena, struct span text);

#endif
