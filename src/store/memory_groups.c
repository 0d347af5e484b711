/* The groups of the store in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/memory_groups.h"

#include <stdlib.h>

#include "base/check.h"

static void forget_partitions(struct memory_group *group)
{
    for (uint32_t i = 0; i < group->count; i++)
        memory_progress_done(&group->partitions[i]);
    free(group->partitions);
    group->partitions = NULL;
    group->count = 0;
    group->size = 0;
}

void memory_groups_done(struct memory_groups *groups)
{
    for (uint32_t i = 0; i < groups->count; i++)
        forget_partitions(&groups->groups[i]);
    groups->count = 0;
}

struct memory_group *memory_groups_at(struct memory_groups *groups, uint32_t id)
{
    return id < groups->count && !groups->groups[id].is_gone ? &groups->groups[id] : NULL;
}

struct memory_group *memory_groups_find(struct memory_groups *groups, struct span name)
{
    for (uint32_t i = 0; i < groups->count; i++)
        if (!groups->groups[i].is_gone && span_equal_text(name, groups->groups[i].group.name))
            return &groups->groups[i];
    return NULL;
}

struct memory_group *memory_groups_add(struct memory_groups *groups, struct span name)
{
    if (groups->count == STORE_GROUPS_MAX)
        return NULL;
    struct memory_group *group = &groups->groups[groups->count];
    *group = (struct memory_group){.group.id = groups->count++};
    memcpy(group->group.name, name.data, name.len);
    return group;
}

void memory_group_forget(struct memory_group *group)
{
    forget_partitions(group);
    group->is_gone = true;
}

struct memory_progress *
memory_group_find(const struct memory_group *group, uint32_t topic, uint32_t partition)
{
    for (uint32_t i = 0; i < group->count; i++)
        if (group->partitions[i].topic == topic && group->partitions[i].partition == partition)
            return &group->partitions[i];
    return NULL;
}

struct memory_progress *memory_group_progress(struct memory_group *group, uint32_t topic, uint32_t partition)
{
    struct memory_progress *found = memory_group_find(group, topic, partition);
    if (found != NULL)
        return found;
    if (group->count == group->size) {
        group->size = group->size == 0 ? 4 : group->size * 2;
        group->partitions = realloc(group->partitions, group->size * sizeof(*group->partitions));
        check(group->partitions != NULL);
    }
    found = &group->partitions[group->count++];
    *found = (struct memory_progress){.topic = topic, .partition = partition};
    return found;
}
