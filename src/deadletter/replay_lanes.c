/* Counts record by record; what is foreign to a group gathers in runs that are settled when they end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "deadletter/replay_lanes.h"

#include <stdlib.h>

/* A group with letters in the ranges. */
struct letter_owner {
    uint32_t group; /* id, or UINT32_MAX */
    char name[STORE_TOPIC_NAME_MAX + 1];
    struct record_scan_range
        *foreign; /* one for each partition: the run of others' records that has not ended */
};

void replay_lanes_init(struct replay_lanes *lanes,
                       struct store *store,
                       const struct store_topic *topic,
                       const struct record_scan_range *ranges,
                       const struct letter_filter *filter,
                       bool is_dry)
{
    *lanes = (struct replay_lanes){
        .store = store, .topic = *topic, .ranges = ranges, .filter = filter, .is_dry = is_dry};
}

void replay_lanes_done(struct replay_lanes *lanes)
{
    for (uint32_t i = 0; i < lanes->lane_count; i++) {
        free(lanes->lanes[i]->parts);
        free(lanes->lanes[i]);
    }
    for (uint32_t i = 0; i < lanes->owner_count; i++) {
        free(lanes->owners[i]->foreign);
        free(lanes->owners[i]);
    }
    lanes->lane_count = 0;
    lanes->owner_count = 0;
}

/* --- Owners --------------------------------------------------------------------------------------- */

static void set_name(char to[static STORE_TOPIC_NAME_MAX + 1], struct span name)
{
    memcpy(to, name.data, name.len);
    to[name.len] = '\0';
}

/* All that was scanned before it was met is foreign to it. */
static void begin_foreign(const struct replay_lanes *lanes,
                          struct letter_owner *owner,
                          uint32_t partition,
                          uint64_t offset)
{
    for (uint32_t i = 0; i < lanes->topic.partitions; i++) {
        const struct record_scan_range *range = &lanes->ranges[i];
        owner->foreign[i] = (struct record_scan_range){range->from, i < partition ? range->to : range->from};
    }
    owner->foreign[partition].to = offset;
}

static enum err open_group(const struct replay_lanes *lanes, struct span name, uint32_t *ret_group)
{
    enum err err = lanes->store->outcomes->group_open(lanes->store, name, !lanes->is_dry, ret_group);
    if (err != ERR_NOT_FOUND)
        return err;
    *ret_group = UINT32_MAX;
    return ERR_NONE;
}

static enum err add_owner(
    struct replay_lanes *lanes, struct span name, uint32_t partition, uint64_t offset, uint32_t *ret_owner)
{
    uint32_t group;
    if (lanes->owner_count == REPLAY_LANES_MAX)
        return ERR_TOO_MANY;
    enum err err = open_group(lanes, name, &group);
    if (err != ERR_NONE)
        return err;
    struct letter_owner *owner = calloc(1, sizeof *owner);
    if (owner != NULL)
        owner->foreign = calloc(lanes->topic.partitions, sizeof *owner->foreign);
    if (owner == NULL || owner->foreign == NULL) {
        free(owner);
        return ERR_MEMORY;
    }
    owner->group = group;
    set_name(owner->name, name);
    begin_foreign(lanes, owner, partition, offset);
    *ret_owner = lanes->owner_count;
    lanes->owners[lanes->owner_count++] = owner;
    return ERR_NONE;
}

static enum err find_owner(
    struct replay_lanes *lanes, struct span name, uint32_t partition, uint64_t offset, uint32_t *ret_owner)
{
    for (uint32_t i = 0; i < lanes->owner_count; i++)
        if (span_equal_text(name, lanes->owners[i]->name)) {
            *ret_owner = i;
            return ERR_NONE;
        }
    return add_owner(lanes, name, partition, offset, ret_owner);
}

/* --- Foreign records ------------------------------------------------------------------------------ */

static bool is_settled(const struct replay_lanes *lanes, const struct letter_owner *owner, uint32_t partition)
{
    const struct record_scan_range *run = &owner->foreign[partition];
    struct store_position position = {lanes->topic.id, partition, run->from};
    uint64_t from = 0;
    uint64_t to;
    enum err err = lanes->store->outcomes->unsettled(lanes->store, owner->group, position, &from, &to);
    return err == ERR_NONE && from >= run->to;
}

/* The run has ended: its outcome, unless it has one. */
static enum err end_foreign(const struct replay_lanes *lanes,
                            struct letter_owner *owner,
                            uint32_t partition,
                            struct append_builder *builder)
{
    struct record_scan_range *run = &owner->foreign[partition];
    while (!lanes->is_dry && run->from < run->to && !is_settled(lanes, owner, partition)) {
        uint64_t count = run->to - run->from;
        struct store_settled settled = {
            .group = owner->group,
            .topic = lanes->topic.id,
            .partition = partition,
            .offset = run->from,
            .count = (uint32_t)(count < INT32_MAX ? count : INT32_MAX),
            .outcome = STORE_OUTCOME_SKIPPED,
        };
        enum err err = append_builder_add_settled(builder, &settled);
        if (err != ERR_NONE)
            return err == ERR_TOO_MANY ? ERR_TOO_LARGE : err;
        run->from += settled.count;
    }
    run->from = run->to;
    return ERR_NONE;
}

static void add_foreign(struct letter_owner *owner, uint32_t partition, uint64_t offset)
{
    struct record_scan_range *run = &owner->foreign[partition];
    if (run->from == run->to)
        run->from = offset;
    run->to = offset + 1;
}

/* Its own letter ends the run of an owner, and goes on with those of all others. `mine` may be none of them. */
static enum err note_foreign(struct replay_lanes *lanes,
                             uint32_t mine,
                             uint32_t partition,
                             uint64_t offset,
                             struct append_builder *builder)
{
    enum err err =
        mine < lanes->owner_count ? end_foreign(lanes, lanes->owners[mine], partition, builder) : ERR_NONE;
    for (uint32_t i = 0; i < lanes->owner_count && err == ERR_NONE; i++)
        if (i != mine)
            add_foreign(lanes->owners[i], partition, offset);
    return err;
}

enum err replay_lanes_finish(struct replay_lanes *lanes, struct append_builder *builder)
{
    for (uint32_t i = 0; i < lanes->owner_count; i++)
        for (uint32_t partition = 0; partition < lanes->topic.partitions; partition++) {
            enum err err = end_foreign(lanes, lanes->owners[i], partition, builder);
            if (err != ERR_NONE)
                return err;
        }
    return ERR_NONE;
}

/* --- Lanes ---------------------------------------------------------------------------------------- */

static enum err add_lane(struct replay_lanes *lanes,
                         const struct dead_letter *letter,
                         uint32_t owner,
                         struct replay_lane **ret_lane)
{
    if (lanes->lane_count == REPLAY_LANES_MAX)
        return ERR_TOO_MANY;
    struct replay_lane *lane = calloc(1, sizeof *lane);
    if (lane != NULL)
        lane->parts = calloc(lanes->topic.partitions, sizeof *lane->parts);
    if (lane == NULL || lane->parts == NULL) {
        free(lane);
        return ERR_MEMORY;
    }
    lane->group = lanes->owners[owner]->group;
    lane->owner = owner;
    set_name(lane->group_name, letter->group);
    set_name(lane->topic_name, letter->topic);
    lanes->lanes[lanes->lane_count++] = lane;
    *ret_lane = lane;
    return ERR_NONE;
}

static enum err find_lane(struct replay_lanes *lanes,
                          const struct dead_letter *letter,
                          uint32_t owner,
                          struct replay_lane **ret_lane)
{
    for (uint32_t i = 0; i < lanes->lane_count; i++)
        if (lanes->lanes[i]->owner == owner && span_equal_text(letter->topic, lanes->lanes[i]->topic_name)) {
            *ret_lane = lanes->lanes[i];
            return ERR_NONE;
        }
    return add_lane(lanes, letter, owner, ret_lane);
}

static bool
is_open(const struct replay_lanes *lanes, const struct replay_lane *lane, uint32_t partition, uint64_t offset)
{
    struct store_position position = {lanes->topic.id, partition, offset};
    return lane->group == UINT32_MAX ||
           lanes->store->outcomes->outcome(lanes->store, lane->group, position) == STORE_OUTCOME_OPEN;
}

static void count(struct replay_lanes *lanes,
                  struct replay_lane *lane,
                  uint32_t partition,
                  const struct letter_view *view)
{
    uint64_t offset = view->record->offset;
    struct lane_part *part = &lane->parts[partition];
    if (!is_open(lanes, lane, partition, offset)) {
        lanes->completed++;
    } else if (!letter_filter_takes(lanes->filter, view)) {
        lanes->left_out++;
    } else {
        if (part->wanted++ == 0)
            part->first = offset;
        lane->wanted++;
        lanes->wanted++;
    }
}

static bool is_usable(const struct letter_view *view)
{
    return view->is_letter && store_topic_name_is_legal(view->letter.group) &&
           store_topic_name_is_legal(view->letter.topic);
}

enum err replay_lanes_take(struct replay_lanes *lanes,
                           uint32_t partition,
                           const struct record *record,
                           struct append_builder *builder)
{
    struct letter_view view;
    uint32_t owner;
    struct replay_lane *lane;
    letter_look(record, &view);
    if (!is_usable(&view)) {
        enum err err = note_foreign(lanes, UINT32_MAX, partition, record->offset, builder);
        lanes->foreign += err == ERR_NONE;
        return err;
    }
    enum err err = find_owner(lanes, view.letter.group, partition, record->offset, &owner);
    if (err == ERR_NONE)
        err = find_lane(lanes, &view.letter, owner, &lane);
    if (err == ERR_NONE)
        err = note_foreign(lanes, owner, partition, record->offset, builder);
    if (err == ERR_NONE)
        count(lanes, lane, partition, &view);
    return err;
}

bool replay_lane_wants(const struct replay_lane *lane,
                       const struct letter_filter *filter,
                       const struct record *record)
{
    struct letter_view view;
    letter_look(record, &view);
    return view.is_letter && span_equal_text(view.letter.group, lane->group_name) &&
           span_equal_text(view.letter.topic, lane->topic_name) && letter_filter_takes(filter, &view);
}
