/* What an operator sees of a group, and wishes: seeks, and outcomes for records that nobody was given. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "group/group_unit.h"

static void look_at_member(const struct group_member *member,
                           const struct group_partition *partition,
                           struct group_view *view)
{
    LIST_EACH (&member->runs, link) {
        const struct group_run *run = LIST_OWNER(link, struct group_run, link);
        if (run->stream->partition != partition)
            continue;
        if (view->oldest_open_ns == 0 || run->time_ns < view->oldest_open_ns)
            view->oldest_open_ns = run->time_ns;
        return;
    }
}

static struct group_partition *find_partition(const struct group *group, uint32_t topic, uint32_t partition)
{
    struct group_partition_key key = {group->id, topic, partition};
    return map_get(&group->groups->partitions, span_of(&key, sizeof key));
}

void group_look(const struct group *group, uint32_t topic, uint32_t partition, struct group_view *ret_view)
{
    const struct group_partition *found = find_partition(group, topic, partition);
    struct group_view view = {.open = found == NULL ? 0 : found->open};
    LIST_EACH (&group->units, unit_link) {
        const struct group_unit *unit = LIST_OWNER(unit_link, struct group_unit, link);
        if (unit->topic != topic)
            continue;
        view.members += unit->member_count;
        LIST_EACH (&unit->members, link)
            look_at_member(LIST_OWNER(link, struct group_member, link), found, &view);
    }
    *ret_view = view;
}

static enum err
open_partition(struct group *group, uint32_t topic, uint32_t number, struct group_partition **ret)
{
    *ret = find_partition(group, topic, number);
    if (*ret != NULL)
        return ERR_NONE;
    struct group_unit *unit;
    enum err err = group_unit_open(group, topic, number, &unit);
    if (err != ERR_NONE)
        return err;
    *ret = unit->base[0]->partition;
    group->groups->core.has_idle = true;
    return ERR_NONE;
}

/* Records of the partition leave the member's hands and are settled by nobody. */
static void take_from_member(struct group_member *member, const struct group_partition *partition)
{
    LIST_EACH_SAFE (&member->runs, link) {
        struct group_run *run = LIST_OWNER(link, struct group_run, link);
        struct group_stream *stream = run->stream;
        uint64_t block = run->block;
        uint64_t mask = run->mask;
        if (stream->partition != partition)
            continue;
        member->open -= (uint32_t)__builtin_popcountll(mask);
        group_partition_take(run, mask, &member->seqs);
        group_partition_close(stream->partition, block, mask, false, &member->unit->lanes);
    }
}

enum err group_seek(struct group *group,
                    uint32_t topic,
                    uint32_t partition,
                    uint64_t offset,
                    void (*on_done)(void *owner, enum err err),
                    void *owner)
{
    struct group_partition *found;
    enum err err = open_partition(group, topic, partition, &found);
    if (err != ERR_NONE)
        return err;
    if (found->phase != PARTITION_OPEN)
        return ERR_BUSY;
    LIST_EACH (&found->streams, stream_link) {
        struct group_stream *stream = LIST_OWNER(stream_link, struct group_stream, partition_link);
        LIST_EACH (&stream->unit->members, link)
            take_from_member(LIST_OWNER(link, struct group_member, link), found);
    }
    found->has_begun = true;
    found->on_sought = on_done;
    found->sought_owner = owner;
    outcome_queue_seek(group->groups->outcomes, found, offset);
    return ERR_NONE;
}

enum err group_settle_unseen(struct group *group,
                             const struct store_settled *settled,
                             uint32_t count,
                             const struct store_note *note,
                             void (*on_settled)(void *owner, enum err err),
                             void *owner)
{
    if (count > STORE_SETTLED_MAX)
        return ERR_TOO_MANY;
    struct group_partition **partitions = malloc((count + 1) * sizeof(struct group_partition *));
    enum err err = partitions == NULL ? ERR_MEMORY : ERR_NONE;
    for (uint32_t i = 0; i < count && err == ERR_NONE; i++) {
        err = open_partition(group, settled[i].topic, settled[i].partition, &partitions[i]);
        if (err == ERR_NONE)
            partitions[i]->has_begun = true;
    }
    struct settled_set_parts parts = {settled, partitions, count, note, on_settled, owner};
    if (err == ERR_NONE)
        err = outcome_queue_settle(group->groups->outcomes, &parts);
    free(partitions);
    return err;
}
