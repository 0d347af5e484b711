/* Frees groups, units and partitions that have no use any more. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "group/groups_sweep.h"

#include <stdlib.h>

#include "group/group_unit.h"

static void free_group(struct group *group)
{
    (void)map_remove(&group->groups->groups, span_from_text(group->name));
    free(group);
}

static void sweep_group(struct group *group, bool all)
{
    LIST_EACH_SAFE (&group->units, link) {
        struct group_unit *unit = LIST_OWNER(link, struct group_unit, link);
        group_unit_sweep(unit);
        if (group_unit_is_idle(unit, !all))
            group_unit_free(unit);
        else
            group->groups->core.has_idle |= unit->member_count == 0;
    }
}

/* The map must not change while it is walked: begin anew after each. */
static void sweep_partitions(struct groups *groups)
{
    for (size_t position = 0;;) {
        struct group_partition *partition = map_next(&groups->partitions, &position);
        if (partition == NULL)
            return;
        if (!group_partition_is_idle(partition)) {
            groups->core.has_idle |= list_is_empty(&partition->streams);
            continue;
        }
        (void)map_remove(&groups->partitions, span_of(&partition->key, sizeof partition->key));
        group_partition_free(partition);
        position = 0;
    }
}

void groups_sweep(struct groups *groups, bool all)
{
    for (size_t position = 0;;) {
        struct group *group = map_next(&groups->groups, &position);
        if (group == NULL)
            break;
        sweep_group(group, all);
        if (!list_is_empty(&group->units))
            continue;
        free_group(group);
        position = 0;
    }
    sweep_partitions(groups);
}
