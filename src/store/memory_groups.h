/* The groups of the store in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_MEMORY_GROUPS_H
#define STORE_MEMORY_GROUPS_H

#include "store/memory_progress.h"

struct memory_group {
    struct store_group group;
    bool is_gone;
    struct memory_progress *partitions; /* in order of their beginning */
    uint32_t count;
    uint32_t size;
};

struct memory_groups {
    struct memory_group groups[STORE_GROUPS_MAX]; /* by id */
    uint32_t count;
};

void memory_groups_done(struct memory_groups *groups);

/* NULL when there is none. */
struct memory_group *memory_groups_at(struct memory_groups *groups, uint32_t id);
struct memory_group *memory_groups_find(struct memory_groups *groups, struct span name);
struct memory_progress *
memory_group_find(const struct memory_group *group, uint32_t topic, uint32_t partition);

/* The name is legal and not there yet; NULL when there is no room. */
struct memory_group *memory_groups_add(struct memory_groups *groups, struct span name);
void memory_group_forget(struct memory_group *group);
/* Found, or new and not begun. */
struct memory_progress *memory_group_progress(struct memory_group *group, uint32_t topic, uint32_t partition);

#endif
