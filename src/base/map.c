/* Open addressing with linear probing; a removal moves its followers back, so there are no tombstones. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <stdlib.h>

#include "base/hash.h"

enum { MAP_SIZE_FIRST = 16 };

struct map_slot {
    struct span key;
    uint64_t hash;
    void *value; /* NULL: free */
};

void map_init(struct map *map, size_t count_max, uint64_t seed)
{
    *map = (struct map){.count_max = count_max, .seed = seed};
}

void map_done(struct map *map)
{
    free(map->slots);
    *map = (struct map){0};
}

/* The slot that holds the key, or the free one where it would go; size > 0 and never all taken. */
static size_t slot_of(const struct map *map, struct span key, uint64_t hash)
{
    size_t at = hash & (map->size - 1);
    while (map->slots[at].value != NULL &&
           !(map->slots[at].hash == hash && span_equal(map->slots[at].key, key)))
        at = (at + 1) & (map->size - 1);
    return at;
}

void *map_get(const struct map *map, struct span key)
{
    if (map->size == 0)
        return NULL;
    return map->slots[slot_of(map, key, hash_bytes(key, map->seed))].value;
}

static enum err map_grow(struct map *map)
{
    size_t size = map->size == 0 ? MAP_SIZE_FIRST : map->size * 2;
    struct map_slot *slots = calloc(size, sizeof *slots);
    if (slots == NULL)
        return ERR_MEMORY;
    struct map old = *map;
    map->slots = slots;
    map->size = size;
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i].value != NULL)
            map->slots[slot_of(map, old.slots[i].key, old.slots[i].hash)] = old.slots[i];
    free(old.slots);
    return ERR_NONE;
}

enum err map_put(struct map *map, struct span key, void *value)
{
    check(value != NULL);
    if (map_get(map, key) != NULL)
        return ERR_EXISTS;
    if (map->count >= map->count_max)
        return ERR_TOO_MANY;
    if (map->size == 0 || map->count >= map->size / 4 * 3) {
        enum err err = map_grow(map);
        if (err != ERR_NONE)
            return err;
    }
    uint64_t hash = hash_bytes(key, map->seed);
    map->slots[slot_of(map, key, hash)] = (struct map_slot){key, hash, value};
    map->count++;
    return ERR_NONE;
}

void *map_remove(struct map *map, struct span key)
{
    if (map->size == 0)
        return NULL;
    size_t hole = slot_of(map, key, hash_bytes(key, map->seed));
    void *value = map->slots[hole].value;
    if (value == NULL)
        return NULL;
    size_t mask = map->size - 1;
    for (size_t at = (hole + 1) & mask; map->slots[at].value != NULL; at = (at + 1) & mask) {
        size_t home = map->slots[at].hash & mask;
        if (((at - home) & mask) < ((at - hole) & mask))
            continue; /* it lies between its home and itself: the hole is not on its way */
        map->slots[hole] = map->slots[at];
        hole = at;
    }
    map->slots[hole] = (struct map_slot){0};
    map->count--;
    return value;
}

void *map_next(const struct map *map, size_t *position)
{
    while (*position < map->size) {
        void *value = map->slots[(*position)++].value;
        if (value != NULL)
            return value;
    }
    return NULL;
}
