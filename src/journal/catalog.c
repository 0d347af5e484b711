/* Topics, partitions, sequences and producers in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/catalog.h"

#include <stdlib.h>

#include "base/bytes.h"

enum { SLOTS_FIRST = 64, TOPICS_FIRST = 16 };

void catalog_init(struct catalog *catalog, const struct catalog_limits *limits, uint64_t seed)
{
    check(limits->producers_max > 0 && limits->producers_max <= CATALOG_PRODUCERS_MAX);
    *catalog = (struct catalog){.topics_max = limits->topics_max, .producers_max = limits->producers_max};
    map_init(&catalog->topics_by_name, limits->topics_max, seed);
    map_init(&catalog->producers, limits->producers_max, seed);
    group_book_init(&catalog->groups, limits->groups_size_max);
    note_book_init(&catalog->notes, limits->notes_size_max);
}

void catalog_done(struct catalog *catalog)
{
    for (uint32_t i = 0; i < catalog->topic_count; i++) {
        free(catalog->topics[i]->partitions);
        free(catalog->topics[i]);
    }
    size_t position = 0;
    for (struct producer *producer; (producer = map_next(&catalog->producers, &position)) != NULL;)
        free(producer);
    map_done(&catalog->topics_by_name);
    map_done(&catalog->producers);
    group_book_done(&catalog->groups);
    note_book_done(&catalog->notes);
    free(catalog->topics);
    free(catalog->slots);
    *catalog = (struct catalog){0};
}

struct topic *catalog_topic_by_name(const struct catalog *catalog, struct span name)
{
    return map_get(&catalog->topics_by_name, name);
}

struct partition *catalog_partition(const struct catalog *catalog, uint32_t topic, uint32_t partition)
{
    if (topic >= catalog->topic_count || partition >= catalog->topics[topic]->public.partitions)
        return NULL;
    return &catalog->topics[topic]->partitions[partition];
}

static enum err reserve_slots(struct catalog *catalog, uint32_t count)
{
    uint32_t size = catalog->slots_size == 0 ? SLOTS_FIRST : catalog->slots_size;
    while (size < catalog->slot_count + count)
        size *= 2;
    if (size == catalog->slots_size)
        return ERR_NONE;
    struct partition **slots = realloc(catalog->slots, size * sizeof(struct partition *));
    if (slots == NULL)
        return ERR_MEMORY;
    catalog->slots = slots;
    catalog->slots_size = size;
    return ERR_NONE;
}

static enum err reserve_topic(struct catalog *catalog)
{
    if (catalog->topic_count < catalog->topics_size)
        return ERR_NONE;
    uint32_t size = catalog->topics_size == 0 ? TOPICS_FIRST : 2 * catalog->topics_size;
    struct topic **topics = realloc(catalog->topics, size * sizeof(struct topic *));
    if (topics == NULL)
        return ERR_MEMORY;
    catalog->topics = topics;
    catalog->topics_size = size;
    return ERR_NONE;
}

static struct topic *topic_new(uint32_t id, struct span name, uint32_t partitions, int64_t created_ns)
{
    struct topic *topic = calloc(1, sizeof *topic);
    struct partition *list = calloc(partitions, sizeof *list);
    if (topic == NULL || list == NULL) {
        free(topic);
        free(list);
        return NULL;
    }
    topic->public = (struct store_topic){.id = id, .partitions = partitions};
    memcpy(topic->public.name, name.data, name.len);
    topic->created_ns = created_ns;
    topic->partitions = list;
    for (uint32_t i = 0; i < partitions; i++)
        list[i] = (struct partition){.topic = id, .partition = i};
    return topic;
}

enum err catalog_topic_add(struct catalog *catalog,
                           uint32_t id,
                           struct span name,
                           uint32_t partitions,
                           int64_t created_ns,
                           struct topic **ret_topic)
{
    if (!store_topic_name_is_legal(name))
        return ERR_BAD_NAME;
    if (id != catalog->topic_count || partitions == 0 || partitions > STORE_PARTITIONS_MAX)
        return ERR_BAD_INPUT;
    if (catalog->topic_count >= catalog->topics_max)
        return ERR_TOO_MANY;
    if (catalog_topic_by_name(catalog, name) != NULL)
        return ERR_EXISTS;
    enum err err = reserve_slots(catalog, partitions);
    if (err == ERR_NONE)
        err = reserve_topic(catalog);
    struct topic *topic = err == ERR_NONE ? topic_new(id, name, partitions, created_ns) : NULL;
    if (topic == NULL)
        return ERR_MEMORY;
    err = map_put(&catalog->topics_by_name, span_from_text(topic->public.name), topic);
    if (err != ERR_NONE) {
        free(topic->partitions);
        free(topic);
        return err;
    }
    for (uint32_t i = 0; i < partitions; i++) {
        topic->partitions[i].slot = catalog->slot_count;
        catalog->slots[catalog->slot_count++] = &topic->partitions[i];
    }
    catalog->topics[catalog->topic_count++] = topic;
    *ret_topic = topic;
    return ERR_NONE;
}

int catalog_sequence_by_name(const struct catalog *catalog, struct span name)
{
    for (uint32_t i = 0; i < catalog->sequence_count; i++)
        if (span_equal(span_of(catalog->sequences[i].name, catalog->sequences[i].name_len), name))
            return (int)i;
    return -1;
}

enum err catalog_sequence_add(struct catalog *catalog, uint32_t index, struct span name)
{
    if (index != catalog->sequence_count || name.len == 0)
        return ERR_BAD_INPUT;
    if (index >= CATALOG_SEQUENCES_MAX || name.len > CATALOG_SEQUENCE_NAME_MAX)
        return ERR_TOO_MANY;
    struct sequence *sequence = &catalog->sequences[catalog->sequence_count++];
    sequence->highest = 0;
    atomic_store(&sequence->next, 1);
    sequence->name_len = name.len;
    memcpy(sequence->name, name.data, name.len);
    return ERR_NONE;
}

void catalog_sequence_raise(struct catalog *catalog, uint32_t sequence, uint64_t number)
{
    check(sequence < catalog->sequence_count);
    struct sequence *raised = &catalog->sequences[sequence];
    if (number <= raised->highest)
        return;
    raised->highest = number;
    uint64_t next = atomic_load(&raised->next);
    while (next <= number && !atomic_compare_exchange_weak(&raised->next, &next, number + 1))
        ;
}

static size_t producer_key(uint8_t *key, uint32_t sequence, struct span id)
{
    check(id.len > 0 && id.len <= STORE_PRODUCER_MAX);
    bytes_put_le32(key, sequence);
    memcpy(key + 4, id.data, id.len);
    return 4 + id.len;
}

struct producer *catalog_producer(const struct catalog *catalog, uint32_t sequence, struct span id)
{
    uint8_t key[4 + STORE_PRODUCER_MAX];
    size_t len = producer_key(key, sequence, id);
    return map_get(&catalog->producers, span_of(key, len));
}

/* Whether there is a place now for one that was heard of last at `lsn`. */
static bool make_room_for_producer(struct catalog *catalog, uint64_t lsn)
{
    struct producer *oldest = NULL;
    if (catalog->producers.count < catalog->producers_max)
        return true;
    size_t position = 0;
    for (struct producer *producer; (producer = map_next(&catalog->producers, &position)) != NULL;)
        if (oldest == NULL || producer->lsn < oldest->lsn)
            oldest = producer;
    if (oldest == NULL || oldest->lsn > lsn)
        return false;
    (void)map_remove(&catalog->producers, span_of(oldest->key, oldest->key_len));
    free(oldest);
    return true;
}

enum err catalog_producer_raise(
    struct catalog *catalog, uint32_t sequence, struct span id, uint64_t number, uint64_t lsn)
{
    struct producer *producer = catalog_producer(catalog, sequence, id);
    if (producer == NULL) {
        if (!make_room_for_producer(catalog, lsn))
            return ERR_NONE;
        producer = calloc(1, sizeof *producer);
        if (producer == NULL)
            return ERR_MEMORY;
        producer->sequence = sequence;
        producer->key_len = producer_key(producer->key, sequence, id);
        enum err err = map_put(&catalog->producers, span_of(producer->key, producer->key_len), producer);
        if (err != ERR_NONE) {
            free(producer);
            return err;
        }
    }
    producer->lsn = lsn;
    if (number > producer->last)
        producer->last = number;
    return ERR_NONE;
}

struct span catalog_producer_id(const struct producer *producer)
{
    return span_of(producer->key + 4, producer->key_len - 4);
}
