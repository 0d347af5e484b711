/* A cache of topics in front of a store. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/line_topics.h"

#include <stdlib.h>

#include "base/random.h"

enum { TOPICS_MAX = 1 << 20 }; /* the store has its own limit, far below */

void line_topics_init(struct line_topics *topics, struct store *store, bool auto_create)
{
    *topics = (struct line_topics){.store = store, .auto_create = auto_create};
    map_init(&topics->by_name, TOPICS_MAX, random_u64(NULL));
}

void line_topics_done(struct line_topics *topics)
{
    size_t position = 0;
    for (struct line_topic *topic; (topic = map_next(&topics->by_name, &position)) != NULL;)
        free(topic);
    map_done(&topics->by_name);
    topics->last = NULL;
}

static enum err
meet(struct line_topics *topics, struct span name, bool is_configured, struct line_topic **ret_topic)
{
    struct store_topic met;
    bool is_reserved = store_topic_name_is_reserved(name);
    if (!store_topic_name_is_legal(name))
        return ERR_BAD_NAME;
    if (is_reserved && !is_configured)
        return ERR_ACCESS;
    bool create = topics->auto_create || is_configured;
    enum err err = topics->store->ops->topic_open(topics->store, name, 0, create, &met);
    if (err != ERR_NONE)
        return err;
    struct line_topic *topic = calloc(1, sizeof *topic + met.partitions * sizeof topic->slots[0]);
    if (topic == NULL)
        return ERR_MEMORY;
    topic->topic = met;
    topic->name = span_from_text(topic->topic.name);
    topic->is_reserved = is_reserved;
    for (uint32_t i = 0; i < met.partitions; i++) {
        topic->slots[i].topic = met.id;
        topic->slots[i].partition = i;
    }
    err = map_put(&topics->by_name, topic->name, topic);
    if (err != ERR_NONE) {
        free(topic);
        return err;
    }
    *ret_topic = topic;
    return ERR_NONE;
}

enum err line_topics_find(struct line_topics *topics,
                          struct span name,
                          bool is_configured,
                          struct line_topic **ret_topic)
{
    struct line_topic *topic = topics->last;
    if (topic == NULL || !span_equal(name, topic->name))
        topic = map_get(&topics->by_name, name);
    if (topic == NULL) {
        enum err err = meet(topics, name, is_configured, &topic);
        if (err != ERR_NONE)
            return err;
    }
    if (topic->is_reserved && !is_configured)
        return ERR_ACCESS;
    topics->last = topic;
    *ret_topic = topic;
    return ERR_NONE;
}
