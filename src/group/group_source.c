/* Replay: a range of a dead-letter partition as one more source of a topic's members. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "group/group_source.h"

#include <stdlib.h>

/* The name under which the store knows the group. */
static enum err find_group_name(struct store *store, uint32_t group, struct store_group *ret_group)
{
    uint32_t position = 0;
    while (store->outcomes->group_next(store, &position, ret_group))
        if (ret_group->id == group)
            return ERR_NONE;
    return ERR_NOT_FOUND;
}

enum err group_add_source(struct group *group,
                          uint32_t topic,
                          const struct group_range *range,
                          const struct group_source_events *events,
                          struct group_source **ret_source)
{
    struct store_group outcomes_of;
    struct group_unit *unit;
    enum err err = find_group_name(group->groups->core.store, range->outcomes_of, &outcomes_of);
    if (err == ERR_NONE)
        err = group_unit_open(group, topic, GROUP_ALL_PARTITIONS, &unit);
    if (err != ERR_NONE)
        return err;
    struct group_source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return ERR_MEMORY;
    err = group_unit_add_stream(unit, range->outcomes_of, span_from_text(outcomes_of.name), range->topic,
                                range->partition, &source->stream);
    if (err != ERR_NONE) {
        free(source);
        return err;
    }
    source->stream->from = range->from;
    source->stream->to = range->to;
    source->stream->source = source;
    source->events = *events;
    group->sources++;
    group_core_want_work(&group->groups->core);
    *ret_source = source;
    return ERR_NONE;
}

void group_source_credit(struct group_source *source, uint64_t records)
{
    source->credit += records;
    group_unit_wake(source->stream->unit);
}

void group_source_count(const struct group_source *source, uint64_t *ret_given, uint64_t *ret_settled)
{
    *ret_given = source->given;
    *ret_settled = source->settled;
}

struct group_source *group_remove_source(struct group_source *source)
{
    source->stream->unit->group->sources--;
    group_unit_remove_stream(source->stream);
    free(source);
    return NULL;
}

/* Every lane has an owner who has come to the range's end. */
static bool is_passed(const struct group_stream *stream)
{
    const struct group_lanes *lanes = &stream->unit->lanes;
    if (lanes->count == 0 || lanes->moving > 0)
        return false;
    LIST_EACH (&stream->cursors, link) {
        const struct group_cursor *cursor = LIST_OWNER(link, struct group_cursor, stream_link);
        uint64_t next = group_partition_first_free(stream->partition, cursor->next);
        if (!cursor->member->is_lapsed && next < stream->to)
            return false;
    }
    return true;
}

bool group_source_is_over(const struct group_source *source)
{
    const struct group_partition *partition = source->stream->partition;
    return !source->has_ended && source->stream->runs == 0 && partition->outcomes == 0 &&
           partition->waiting == 0 && partition->commits == 0 && is_passed(source->stream);
}
