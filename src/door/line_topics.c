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
    free(topics->slots);
    free(topics->marks);
    *topics = (struct line_topics){0};
}

/* Room for the slots of one more topic among all of them, and for their marks. */
static enum err number_slots(struct line_topics *topics, struct line_topic *topic)
{
    uint32_t count = topics->slot_count + topic->topic.partitions;
    struct line_slot **slots = realloc(topics->slots, count * sizeof(struct line_slot *));
    if (slots == NULL)
        return ERR_MEMORY;
    topics->slots = slots;
    uint64_t *marks = realloc(topics->marks, (count / 64 + 1) * sizeof *marks);
    if (marks == NULL)
        return ERR_MEMORY;
    memset(marks, 0, (count / 64 + 1) * sizeof *marks);
    topics->marks = marks;
    for (uint32_t i = 0; i < topic->topic.partitions; i++) {
        topic->slots[i].number = topics->slot_count;
        topics->slots[topics->slot_count++] = &topic->slots[i];
    }
    return ERR_NONE;
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
    if (err == ERR_NONE) {
        err = number_slots(topics, topic);
        if (err != ERR_NONE)
            (void)map_remove(&topics->by_name, topic->name);
    }
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

/* A mark for each, then all marks from the first to the last: cheaper than comparing them with one another. */
void line_topics_sort(struct line_topics *topics, struct line_slot **slots, uint32_t count)
{
    uint32_t first = UINT32_MAX;
    uint32_t last = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t word = slots[i]->number / 64;
        topics->marks[word] |= UINT64_C(1) << (slots[i]->number % 64);
        first = word < first ? word : first;
        last = word > last ? word : last;
    }
    uint32_t at = 0;
    for (uint32_t word = first; at < count && word <= last; word++) {
        for (uint64_t marks = topics->marks[word]; marks != 0; marks &= marks - 1)
            slots[at++] = topics->slots[word * 64 + (uint32_t)__builtin_ctzll(marks)];
        topics->marks[word] = 0;
    }
    check(at == count);
}
