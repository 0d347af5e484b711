/* The inside of the store in memory, for the files that it is made of. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_STORE_MEMORY_IMPL_H
#define STORE_STORE_MEMORY_IMPL_H

#include "store/memory_groups.h"
#include "store/memory_identities.h"
#include "store/memory_notes.h"
#include "store/memory_places.h"
#include "store/memory_sequence.h"
#include "store/memory_topics.h"
#include "store/store.h"

struct clock;

enum { MEMORY_SEQUENCES_MAX = 64 };

struct store_memory {
    struct store store;
    struct clock *clock;
    enum store_state state;
    bool is_held;
    bool reads_are_slow;
    size_t inflight_bytes;
    size_t inflight_bytes_max;
    struct list appends; /* that wait, by their mail's link */
    struct list reads;   /* likewise */
    struct list watches;
    struct memory_topics topics;
    uint32_t topics_max;
    bool has_full_topic;
    uint32_t full_topic;
    struct memory_sequence sequences[MEMORY_SEQUENCES_MAX];
    uint32_t sequence_count;
    struct memory_identities identities;
    struct memory_groups groups;
    struct memory_places places;
    struct memory_notes notes;
};

static inline struct store_memory *store_memory_of(struct store *store)
{
    return LIST_OWNER(store, struct store_memory, store);
}

/* The second half of the interface. */
extern const struct outcomes_ops store_memory_outcomes;

/* The append is synced and its parts have their offsets: all else that it carries becomes true. */
void store_memory_settle(struct store_memory *memory, const struct store_append *append);

#endif
