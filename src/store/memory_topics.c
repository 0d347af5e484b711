/* The topics of the store in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/memory_topics.h"

#include <stdlib.h>

#include "base/check.h"

void memory_topics_done(struct memory_topics *topics)
{
    for (uint32_t i = 0; i < topics->count; i++) {
        for (uint32_t p = 0; p < topics->topics[i]->topic.partitions; p++)
            memory_partition_done(&topics->topics[i]->partitions[p]);
        free(topics->topics[i]->partitions);
        free(topics->topics[i]);
    }
    topics->count = 0;
}

struct memory_topic *memory_topics_at(const struct memory_topics *topics, uint32_t id)
{
    return id < topics->count ? topics->topics[id] : NULL;
}

struct memory_topic *memory_topics_find(const struct memory_topics *topics, struct span name)
{
    for (uint32_t i = 0; i < topics->count; i++)
        if (span_equal_text(name, topics->topics[i]->topic.name))
            return topics->topics[i];
    return NULL;
}

struct memory_partition *
memory_topics_partition(const struct memory_topics *topics, uint32_t id, uint32_t partition)
{
    struct memory_topic *topic = memory_topics_at(topics, id);
    return topic != NULL && partition < topic->topic.partitions ? &topic->partitions[partition] : NULL;
}

struct memory_topic *memory_topics_add(struct memory_topics *topics, struct span name, uint32_t partitions)
{
    check(topics->count < MEMORY_TOPICS_MAX);
    struct memory_topic *topic = calloc(1, sizeof(*topic));
    check(topic != NULL);
    topic->topic.id = topics->count;
    topic->topic.partitions = partitions == 0 ? 1 : partitions;
    memcpy(topic->topic.name, name.data, name.len);
    topic->partitions = calloc(topic->topic.partitions, sizeof(*topic->partitions));
    check(topic->partitions != NULL);
    topics->topics[topics->count++] = topic;
    return topic;
}
