/* Keys whose records wait because an earlier one of theirs waits. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GROUP_KEY_HOLDS_H
#define GROUP_KEY_HOLDS_H

#include "base/map.h"

/* By a key's hash, the offset at which a record of it waits: the lowest one, as the caller keeps it. */
struct key_holds {
    struct map map;
};

#define KEY_HOLDS_NONE UINT64_MAX

void key_holds_init(struct key_holds *holds, size_t count_max);
void key_holds_done(struct key_holds *holds);

static inline bool key_holds_are_empty(const struct key_holds *holds)
{
    return holds->map.count == 0;
}

/* A record of this key waits at `offset`, whatever was known before. TOO_MANY, MEMORY. */
enum err key_holds_put(struct key_holds *holds, uint64_t hash, uint64_t offset) MUST_CHECK;
/* KEY_HOLDS_NONE when the key is free. */
uint64_t key_holds_find(const struct key_holds *holds, uint64_t hash);
void key_holds_remove(struct key_holds *holds, uint64_t hash);

#endif
