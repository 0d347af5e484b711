/* Which lines of an acknowledged connection are open, and what is to be said about the others, in order. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_SETTLE_QUEUE_H
#define DOOR_SETTLE_QUEUE_H

#include <stdint.h>

#include "base/err.h"
#include "wire/line_error.h"

struct settle_entry;

struct settle_queue {
    struct settle_entry *entries; /* a ring */
    uint32_t size;                /* a power of two, or 0 */
    uint32_t first;
    uint32_t count;
    uint64_t taken;    /* lines */
    uint64_t settled;  /* lines that have been spoken of */
    uint64_t last_seq; /* of the last stored line that was spoken of */
};

/* What to say next: an error of one line, or that all lines up to `line` are settled. */
struct settlement {
    enum line_error error; /* NONE: acknowledged */
    uint64_t line;
    uint64_t seq;
};

void settle_queue_init(struct settle_queue *queue);
void settle_queue_done(struct settle_queue *queue);

/* Makes room for one more entry. */
enum err settle_queue_reserve(struct settle_queue *queue) MUST_CHECK;
/* The next `lines` lines are in an append; last_seq is that of the last of them with one, or 0. After a reserve. */
void settle_queue_append(struct settle_queue *queue, uint32_t lines, uint64_t last_seq);
/* The next line is refused. After a reserve. */
void settle_queue_refuse(struct settle_queue *queue, enum line_error error);
/* The oldest append that was not complete is: appends complete in order. */
void settle_queue_complete(struct settle_queue *queue);

/* Takes the next thing to say off the queue; false when the next line is still open. */
bool settle_queue_next(struct settle_queue *queue, struct settlement *ret_settlement);

/* Lines that have not been spoken of. */
static inline uint64_t settle_queue_open(const struct settle_queue *queue)
{
    return queue->taken - queue->settled;
}

#endif
