/* Where the store in memory has put each number of a sequence. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_MEMORY_PLACES_H
#define STORE_MEMORY_PLACES_H

#include "store/append.h"
#include "store/outcomes.h"

/* Numbers that follow one another at offsets that do, too. */
struct memory_place {
    uint32_t sequence;
    bool is_placed; /* else only the numbers are known */
    struct store_run run;
    struct store_place place; /* of the first */
};

struct memory_places {
    struct memory_place *places; /* in order of time */
    uint32_t count;
    uint32_t size;
};

void memory_places_done(struct memory_places *places);

/* All numbers of an append whose parts have their offsets. */
void memory_places_add(struct memory_places *places, const struct store_append *append, int64_t stored_ns);

/* Walks the places of a number, starting with *position = 0; false at the end. */
bool memory_places_next(const struct memory_places *places,
                        uint32_t sequence,
                        uint64_t number,
                        uint32_t *position,
                        struct store_place *ret_place,
                        bool *ret_is_placed);

#endif
