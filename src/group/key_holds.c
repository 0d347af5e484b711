/* Keys whose records wait because an earlier one of theirs waits. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "group/key_holds.h"

#include <stdlib.h>

struct key_hold {
    uint64_t hash;
    uint64_t offset;
};

void key_holds_init(struct key_holds *holds, size_t count_max)
{
    map_init(&holds->map, count_max, 0);
}

void key_holds_done(struct key_holds *holds)
{
    size_t position = 0;
    for (struct key_hold *hold; (hold = map_next(&holds->map, &position)) != NULL;)
        free(hold);
    map_done(&holds->map);
}

static struct span span_of_hash(const uint64_t *hash)
{
    return span_of(hash, sizeof *hash);
}

enum err key_holds_put(struct key_holds *holds, uint64_t hash, uint64_t offset)
{
    struct key_hold *hold = map_get(&holds->map, span_of_hash(&hash));
    if (hold != NULL) {
        hold->offset = offset;
        return ERR_NONE;
    }
    hold = malloc(sizeof *hold);
    if (hold == NULL)
        return ERR_MEMORY;
    *hold = (struct key_hold){hash, offset};
    enum err err = map_put(&holds->map, span_of_hash(&hold->hash), hold);
    if (err != ERR_NONE)
        free(hold);
    return err;
}

uint64_t key_holds_find(const struct key_holds *holds, uint64_t hash)
{
    const struct key_hold *hold = map_get(&holds->map, span_of_hash(&hash));
    return hold == NULL ? KEY_HOLDS_NONE : hold->offset;
}

void key_holds_remove(struct key_holds *holds, uint64_t hash)
{
    free(map_remove(&holds->map, span_of_hash(&hash)));
}
