/* Where the store in memory has put each number: runs in order of time, looked through one by one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/memory_places.h"

#include <stdlib.h>

void memory_places_done(struct memory_places *places)
{
    free(places->places);
    *places = (struct memory_places){.count = 0};
}

static bool continues(const struct memory_place *last, const struct memory_place *next)
{
    const struct store_place *a = &last->place;
    const struct store_place *b = &next->place;
    return last->sequence == next->sequence && last->is_placed == next->is_placed &&
           last->run.from + last->run.count == next->run.from && a->stored_ns == b->stored_ns &&
           a->position.topic == b->position.topic && a->position.partition == b->position.partition &&
           a->position.offset + last->run.count == b->position.offset;
}

static void add(struct memory_places *places, const struct memory_place *place)
{
    if (places->count > 0 && continues(&places->places[places->count - 1], place)) {
        places->places[places->count - 1].run.count += place->run.count;
        return;
    }
    if (places->count == places->size) {
        places->size = places->size == 0 ? 64 : places->size * 2;
        places->places = realloc(places->places, places->size * sizeof(*place));
        check(places->places != NULL);
    }
    places->places[places->count++] = *place;
}

/* The part of each number is known: its record is the next one there. */
static void add_placed(struct memory_places *places, const struct store_append *append, int64_t stored_ns)
{
    uint32_t *taken = calloc(append->part_count, sizeof(*taken));
    check(taken != NULL);
    uint32_t index = 0;
    for (uint32_t i = 0; i < append->run_count; i++) {
        for (uint64_t n = 0; n < append->runs[i].count; n++, index++) {
            uint32_t part = append->places == NULL ? 0 : append->places[index];
            check(part < append->part_count && taken[part] < append->parts[part].records);
            struct memory_place place = {.sequence = append->sequence,
                                         .is_placed = true,
                                         .run = {append->runs[i].from + n, 1},
                                         .place.stored_ns = stored_ns};
            place.place.position.topic = append->parts[part].topic;
            place.place.position.partition = append->parts[part].partition;
            place.place.position.offset = append->parts[part].ret_base_offset + taken[part]++;
            if (append->runs[i].from > 0)
                add(places, &place);
        }
    }
    check(append->places == NULL || index == append->place_count);
    free(taken);
}

void memory_places_add(struct memory_places *places, const struct store_append *append, int64_t stored_ns)
{
    uint64_t numbers = 0;
    for (uint32_t i = 0; i < append->run_count; i++)
        numbers += append->runs[i].count;
    bool is_plain = append->part_count == 1 && append->parts[0].records == numbers;
    if (append->part_count > 0 && (append->places != NULL || is_plain)) {
        add_placed(places, append, stored_ns);
        return;
    }
    for (uint32_t i = 0; i < append->run_count; i++) {
        struct memory_place place = {.sequence = append->sequence, .run = append->runs[i]};
        if (place.run.from > 0)
            add(places, &place);
    }
}

bool memory_places_next(const struct memory_places *places,
                        uint32_t sequence,
                        uint64_t number,
                        uint32_t *position,
                        struct store_place *ret_place,
                        bool *ret_is_placed)
{
    for (; *position < places->count; ++*position) {
        const struct memory_place *place = &places->places[*position];
        if (place->sequence != sequence || number < place->run.from ||
            number - place->run.from >= place->run.count)
            continue;
        *ret_place = place->place;
        ret_place->position.offset += number - place->run.from;
        *ret_is_placed = place->is_placed;
        ++*position;
        return true;
    }
    return false;
}
