/* Outcomes of records that nobody was given, on their way to the store, with what is to become true with them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GROUP_SETTLED_SET_H
#define GROUP_SETTLED_SET_H

#include "group/group_partition.h"

struct settled_set {
    struct list link;
    struct group_core *core;
    struct store_settled *settled;
    struct partition_pledge *pledges; /* one for each */
    uint32_t count;
    uint32_t sent; /* so many stand in appends */
    bool has_note;
    struct store_note note;
    void (*on_settled)(void *owner, enum err err); /* or NULL */
    void *owner;
};

/* What it is made of; all is copied. */
struct settled_set_parts {
    const struct store_settled *settled;
    struct group_partition *const *partitions; /* one for each */
    uint32_t count;
    const struct store_note *note; /* or NULL */
    void (*on_settled)(void *owner, enum err err);
    void *owner;
};

/* From now on the records count as settled for those who read them. TOO_MANY (STORE_SETTLED_MAX), MEMORY. */
enum err settled_set_new(struct group_core *core,
                         const struct settled_set_parts *parts,
                         struct settled_set **ret_set) MUST_CHECK;
/* It is synced, or failed: tells, and is freed. */
void settled_set_end(struct settled_set *set, enum err err);

#endif
