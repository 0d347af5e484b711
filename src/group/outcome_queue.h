/* Outcomes that have gathered, sent at the end of a turn as few appends. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GROUP_OUTCOME_QUEUE_H
#define GROUP_OUTCOME_QUEUE_H

#include "group/group_by.h"
#include "group/outcome_append.h"

/*
 *   outcome_queue_add     records of members    -> runs   sorted, merged       \
 *   outcome_queue_settle  records of nobody     -> sets   whole, in order       +-> outcome_queue_send -> appends
 *   outcome_queue_seek    a partition begins    -> seeks  when it is at rest   /
 */
struct outcome_run {
    struct group_partition *partition;
    uint64_t offset;
    uint32_t count;
    uint32_t status;
    struct group_by *by;
    uint16_t attempts;
};

struct outcome_queue {
    struct group_core *core;
    struct outcome_run *runs;
    uint32_t count;
    uint32_t size;
    bool is_sorted;
    struct list sets;    /* struct settled_set */
    struct list flushes; /* likewise, that speak of nothing: they end when all before them is synced */
    struct list seeks;   /* partitions, by their seek_link */
    struct outcome_append append;
};

void outcome_queue_init(struct outcome_queue *queue, struct group_core *core);
/* Idle. */
void outcome_queue_done(struct outcome_queue *queue);
/* Nothing waits, nothing is under way. */
bool outcome_queue_is_idle(struct outcome_queue *queue);

/* Room for so many more runs: outcome_queue_add cannot fail then. MEMORY. */
enum err outcome_queue_reserve(struct outcome_queue *queue, uint32_t runs) MUST_CHECK;
/* Records that a member had in its hands are done. It takes a reference to `by`. */
void outcome_queue_add(struct outcome_queue *queue, const struct outcome_run *run);
/* As settled_set_new. */
enum err outcome_queue_settle(struct outcome_queue *queue, const struct settled_set_parts *parts) MUST_CHECK;
/* The partition, which does not seek yet, goes on at `offset`, at most at its end, as soon as it is at rest. */
void outcome_queue_seek(struct outcome_queue *queue, struct group_partition *partition, uint64_t offset);

/* Sends what may be sent now. When the store is broken everything ends. */
void outcome_queue_send(struct outcome_queue *queue);

#endif
