/* An append on its way from a producer's connection to the store: one allocation with all its parts. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_LINE_APPEND_H
#define DOOR_LINE_APPEND_H

#include "base/list.h"
#include "store/append.h"

struct append_gate;
struct gate_reader;

struct line_append {
    struct store_append append;
    struct append_gate *gate;
    struct list link;           /* while it waits for the store */
    struct gate_reader *reader; /* whose lines they are */
    size_t size;                /* what it counts against limits */
    /* Duplicates in it whose first ones were not synced yet: it is offered to the store only when they are. */
    const uint8_t (*awaited)[16];
    uint32_t awaited_count;
    uint32_t lines;
    uint64_t last_seq; /* of the last line that has one; 0: none */
};

/* What the arrays behind it have room for. */
struct line_append_room {
    uint32_t parts;
    uint32_t runs;
    uint32_t identities;
    uint32_t places;
    size_t bytes;
};

/* Arrays and bytes are there and not filled; NULL without memory. */
struct line_append *line_append_new(const struct line_append_room *room);
/* Returns NULL. */
struct line_append *line_append_free(struct line_append *append);

#endif
