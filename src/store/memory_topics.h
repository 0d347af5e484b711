/* The topics of the store in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_MEMORY_TOPICS_H
#define STORE_MEMORY_TOPICS_H

#include "base/span.h"
#include "store/memory_partition.h"
#include "store/topic.h"

enum { MEMORY_TOPICS_MAX = 1000 };

struct memory_topic {
    struct store_topic topic;
    struct memory_partition *partitions;
};

struct memory_topics {
    struct memory_topic *topics[MEMORY_TOPICS_MAX]; /* by id */
    uint32_t count;
};

void memory_topics_done(struct memory_topics *topics);

/* NULL when there is none. */
struct memory_topic *memory_topics_at(const struct memory_topics *topics, uint32_t id);
struct memory_topic *memory_topics_find(const struct memory_topics *topics, struct span name);
struct memory_partition *
memory_topics_partition(const struct memory_topics *topics, uint32_t id, uint32_t partition);

/* The name is legal and not there yet; there is room. */
struct memory_topic *memory_topics_add(struct memory_topics *topics, struct span name, uint32_t partitions);

#endif
