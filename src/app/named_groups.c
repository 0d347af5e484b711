/* Counted first, then noted. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/named_groups.h"

#include <stdlib.h>

static void add(struct named_groups *named, struct journal_named_group group)
{
    if (named->groups != NULL)
        named->groups[named->count] = group;
    named->count++;
}

static void add_words(struct named_groups *named, const struct config_topic *topic)
{
    for (uint32_t i = 0; i < topic->processed_by.count; i++)
        add(named, (struct journal_named_group){.name = topic->processed_by.items[i], .topic = topic->name});
}

/* One that pins partitions holds no others. */
static void
add_source(struct named_groups *named, const char *name, const struct config_delivery_source *source)
{
    struct journal_named_group group = {.name = name, .topic = source->topic};
    if (source->partitions.count == 0)
        add(named, group);
    for (uint32_t i = 0; i < source->partitions.count; i++) {
        uint64_t partition = 0;
        group.has_partition = span_to_u64(span_from_text(source->partitions.items[i]), &partition);
        group.partition = (uint32_t)partition;
        add(named, group);
    }
}

/* It does not expire, and holds back what names it in `processed_by` alone: a topic without lines in it would never end. */
static void add_log(struct named_groups *named, const struct config_door *door)
{
    if (door->serve == CONFIG_STATUS && door->processed_log != NULL)
        add(named,
            (struct journal_named_group){.name = door->group, .topic = ""}); /* no topic is called so */
}

static void add_all(struct named_groups *named, const struct config *config)
{
    const struct config_topic *topics = config->topics.items;
    const struct config_delivery *deliveries = config->deliveries.items;
    const struct config_door *doors = config->doors.items;
    named->count = 0;
    for (uint32_t i = 0; i < config->doors.count; i++)
        add_log(named, &doors[i]);
    add_words(named, config->topics.defaults);
    for (uint32_t i = 0; i < config->topics.count; i++)
        add_words(named, &topics[i]);
    for (uint32_t i = 0; i < config->deliveries.count; i++) {
        const struct config_delivery_source *sources = deliveries[i].from.items;
        for (uint32_t k = 0; k < deliveries[i].from.count; k++)
            add_source(named, deliveries[i].name, &sources[k]);
    }
}

enum err named_groups_init(struct named_groups *named, const struct config *config)
{
    *named = (struct named_groups){.groups = NULL};
    add_all(named, config);
    named->groups = calloc(named->count + 1, sizeof *named->groups);
    if (named->groups == NULL)
        return ERR_MEMORY;
    add_all(named, config);
    return ERR_NONE;
}

void named_groups_done(struct named_groups *named)
{
    free(named->groups);
    *named = (struct named_groups){.groups = NULL};
}
