/* A hash map from byte strings to pointers, with a maximum and a seed of its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/err.h"
#include "base/span.h"

struct map_slot;

/* Keys are borrowed: they must live, unchanged, inside what the value points to. */
struct map {
    struct map_slot *slots;
    size_t size; /* slots, a power of two, or 0 */
    size_t count;
    size_t count_max;
    uint64_t seed;
};

/* A random seed keeps a peer that chooses keys from making them collide. */
void map_init(struct map *map, size_t count_max, uint64_t seed);
void map_done(struct map *map);

/* NULL when absent. */
void *map_get(const struct map *map, struct span key);
/* TOO_MANY at the maximum, EXISTS, MEMORY; value is not NULL. */
enum err map_put(struct map *map, struct span key, void *value) MUST_CHECK;
/* The value that was there, or NULL. */
void *map_remove(struct map *map, struct span key);

/* Walks all values in no order: start with *position = 0; NULL at the end. Not while it changes. */
void *map_next(const struct map *map, size_t *position);

#endif
