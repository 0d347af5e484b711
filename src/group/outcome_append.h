/* The append of outcomes that is being put together, and those that are under way. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GROUP_OUTCOME_APPEND_H
#define GROUP_OUTCOME_APPEND_H

#include "group/settled_set.h"
#include "store/append_queue.h"

/* When an append is synced the marks of its partitions move, its seeks are done, its sets end; when it fails, all ends. */
struct load;

struct outcome_append {
    struct group_core *core;
    struct append_builder builder;
    struct append_queue appends;
    struct group_partition **partitions; /* that the builder speaks of; may be there twice */
    uint32_t count;
    uint32_t size;
    struct list sets;  /* whose last part is in the builder */
    struct load *last; /* of what is under way; NULL: nothing is */
};

void outcome_append_init(struct outcome_append *append, struct group_core *core);
void outcome_append_done(struct outcome_append *append);

/* Nothing is under way. */
bool outcome_append_is_idle(struct outcome_append *append);
/* Whether the store shall get more now. */
bool outcome_append_may_grow(const struct outcome_append *append);

/* Room for so many calls of outcome_append_note. MEMORY. */
enum err outcome_append_reserve(struct outcome_append *append, uint32_t count) MUST_CHECK;
/* Something about the partition is in the builder. */
void outcome_append_note(struct outcome_append *append, struct group_partition *partition);
/* The last of the set is in the builder. */
void outcome_append_take_set(struct outcome_append *append, struct settled_set *set);

/* What is in the builder goes. MEMORY: it stays there. */
enum err outcome_append_flush(struct outcome_append *append) MUST_CHECK;
/* The set, which speaks of nothing, ends with the last append under way; false when none is. */
bool outcome_append_follow(struct outcome_append *append, struct settled_set *set);

#endif
