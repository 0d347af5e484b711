/* What the readers of a loop share: few buffers for what they read, one for the lines that they make of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_READ_POOL_H
#define DOOR_READ_POOL_H

#include "base/buffer.h"
#include "io/loop.h"

enum {
    READ_POOL_SEATS = 16,        /* so many readers hold a buffer; others wait in line */
    READ_POOL_SIZE = 512 * 1024, /* of a buffer; larger ones are made room for */
    READ_POOL_SPARE = 2,         /* buffers kept for whoever reads next */
    READ_POOL_LINES_KEPT = 1024 * 1024,
};

/* Embedded in a reader. */
struct read_seat {
    struct list link; /* among those that wait, or that sit */
    /* It asks again, and has a buffer; at the end of a turn. */
    void (*on_turn)(struct read_seat *seat);
    /* Another one needs the buffer and this one is idle: it is taken away when this returns. Only while it is idle. */
    void (*on_taken)(struct read_seat *seat);
    uint8_t *buffer; /* NULL: none */
    size_t size;
    bool is_idle; /* what it has read waits for a peer that does not read */
};

struct read_pool {
    struct loop *loop;
    struct loop_task task; /* gives turns */
    struct list sitting;
    struct list waiting;
    uint32_t sitting_count;
    uint8_t *spare[READ_POOL_SPARE];
    uint32_t spare_count;
    struct buffer lines; /* of the reader that makes some; empty in between */
};

void read_pool_init(struct read_pool *pool, struct loop *loop);
/* Nobody sits or waits. */
void read_pool_done(struct read_pool *pool);

void read_seat_init(struct read_seat *seat,
                    void (*on_turn)(struct read_seat *seat),
                    void (*on_taken)(struct read_seat *seat));

/* NONE: it has a buffer. PENDING: on_turn will come. MEMORY. */
enum err read_pool_take(struct read_pool *pool, struct read_seat *seat) MUST_CHECK;
/* Its buffer becomes one of `size` bytes; what it held is gone. MEMORY: it has none any more. */
enum err read_pool_enlarge(struct read_pool *pool, struct read_seat *seat, size_t size) MUST_CHECK;
/* Whether what it has read waits, and the buffer may be taken away. */
void read_pool_set_idle(struct read_pool *pool, struct read_seat *seat, bool is_idle);
/* Whether others wait: who has used up what it read lets them go first. */
bool read_pool_is_wanted(const struct read_pool *pool);
/* Gives the buffer back, or waits no more. */
void read_pool_leave(struct read_pool *pool, struct read_seat *seat);

/* Empties the lines, and keeps no more storage of them than is good for all. */
void read_pool_clear_lines(struct read_pool *pool);

#endif
