/* Lays an append and its arrays into one block. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/line_append.h"

#include <stdlib.h>

/* All members of the block begin at multiples of 8. */
struct line_append *line_append_new(const struct line_append_room *room)
{
    size_t parts_size = room->parts * sizeof(struct store_part);
    size_t runs_size = room->runs * sizeof(struct store_run);
    size_t identities_size = room->identities * sizeof(uint8_t[16]);
    size_t places_size = room->places * sizeof(uint16_t); /* at the end: they need no more alignment */
    size_t bytes_size = (room->bytes + 7) / 8 * 8;
    uint8_t *block = malloc(sizeof(struct line_append) + parts_size + runs_size + identities_size +
                            bytes_size + places_size);
    if (block == NULL)
        return NULL;
    struct line_append *append = (struct line_append *)(void *)block;
    *append = (struct line_append){0};
    block += sizeof *append;
    append->append.parts = (struct store_part *)(void *)block;
    block += parts_size;
    append->append.runs = (struct store_run *)(void *)block;
    block += runs_size;
    if (room->identities > 0)
        append->append.identities = (const uint8_t(*)[16])block;
    append->append.bytes = block + identities_size;
    append->append.places = (uint16_t *)(void *)(append->append.bytes + bytes_size);
    list_init(&append->link);
    return append;
}

struct line_append *line_append_free(struct line_append *append)
{
    free(append);
    return NULL;
}

_Static_assert(sizeof(struct line_append) % 8 == 0 && sizeof(struct store_part) % 8 == 0,
               "the block is aligned");
