/* Credit goes round about, a record at least, to sources that use theirs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "deadletter/replay_sources.h"

#include <stdlib.h>

struct replay_source {
    struct replay_sources *sources;
    const struct replay_lane *lane;
    uint32_t partition;
    uint32_t topic; /* of the members */
    struct group *group;
    struct group_source *source; /* NULL once it is closed */
    uint64_t credited;
    uint64_t given; /* when it was closed */
    uint64_t settled;
    bool has_ended;
};

void replay_sources_init(struct replay_sources *sources,
                         const struct replay_lanes *lanes,
                         void (*on_ended)(void *owner),
                         void *owner)
{
    *sources = (struct replay_sources){.lanes = lanes, .on_ended = on_ended, .owner = owner};
}

static bool wants(void *owner, const struct record *record)
{
    const struct replay_source *source = owner;
    return replay_lane_wants(source->lane, source->sources->lanes->filter, record);
}

static void on_end(void *owner)
{
    struct replay_source *source = owner;
    struct replay_sources *sources = source->sources;
    check(!source->has_ended);
    source->has_ended = true;
    if (++sources->ended == sources->count)
        sources->on_ended(sources->owner);
}

static enum err open_source(struct replay_sources *sources,
                            struct replay_source *source,
                            const struct replay_lane *lane,
                            uint32_t partition)
{
    const struct replay_lanes *lanes = sources->lanes;
    struct group_range range = {
        .topic = lanes->topic.id,
        .partition = partition,
        .from = lane->parts[partition].first,
        .to = lanes->ranges[partition].to,
        .outcomes_of = lane->group,
    };
    struct group_source_events events = {.wants = wants, .on_end = on_end, .owner = source};
    source->sources = sources;
    source->lane = lane;
    source->partition = partition;
    return group_add_source(source->group, source->topic, &range, &events, &source->source);
}

static enum err open_lane(struct replay_sources *sources,
                          struct groups *groups,
                          const struct replay_lane *lane,
                          struct span delivery,
                          struct why *why)
{
    const struct replay_lanes *lanes = sources->lanes;
    struct group *group;
    struct store_topic topic;
    struct span name = delivery.len > 0 ? delivery : span_from_text(lane->group_name);
    enum err err =
        lanes->store->ops->topic_open(lanes->store, span_from_text(lane->topic_name), 0, false, &topic);
    if (err == ERR_NONE)
        err = groups_open(groups, name, &group);
    for (uint32_t i = 0; i < lanes->topic.partitions && err == ERR_NONE; i++) {
        if (lane->parts[i].wanted == 0)
            continue;
        struct replay_source *source = &sources->items[sources->count];
        *source = (struct replay_source){.group = group, .topic = topic.id};
        err = open_source(sources, source, lane, i);
        sources->count += err == ERR_NONE;
    }
    if (err != ERR_NONE)
        return why_set(why, err, "topic %s, group %.*s: %s", lane->topic_name, (int)name.len,
                       (const char *)name.data, err_text(err));
    return ERR_NONE;
}

enum err replay_sources_open(struct replay_sources *sources,
                             struct groups *groups,
                             struct span delivery,
                             uint64_t rate,
                             int64_t now_ns,
                             struct why *why)
{
    const struct replay_lanes *lanes = sources->lanes;
    sources->items = calloc((size_t)lanes->lane_count * lanes->topic.partitions + 1, sizeof *sources->items);
    if (sources->items == NULL)
        return why_set(why, ERR_MEMORY, "%s", err_text(ERR_MEMORY));
    replay_pace_init(&sources->pace, rate, now_ns);
    enum err err = ERR_NONE;
    for (uint32_t i = 0; i < lanes->lane_count && err == ERR_NONE; i++)
        if (lanes->lanes[i]->wanted > 0)
            err = open_lane(sources, groups, lanes->lanes[i], delivery, why);
    return err;
}

void replay_sources_close(struct replay_sources *sources)
{
    for (uint32_t i = 0; i < sources->count; i++) {
        struct replay_source *source = &sources->items[i];
        if (source->source == NULL)
            continue;
        group_source_count(source->source, &source->given, &source->settled);
        source->source = group_remove_source(source->source);
    }
}

void replay_sources_done(struct replay_sources *sources)
{
    replay_sources_close(sources);
    free(sources->items);
    sources->items = NULL;
    sources->count = 0;
}

/* --- Pace ----------------------------------------------------------------------------------------- */

/* Whether it has used what it was given, up to a burst. */
static bool is_hungry(const struct replay_source *source)
{
    uint64_t given;
    uint64_t settled;
    if (source->source == NULL || source->has_ended)
        return false;
    group_source_count(source->source, &given, &settled);
    return source->credited < given + replay_pace_burst(&source->sources->pace);
}

static uint32_t count_hungry(const struct replay_sources *sources)
{
    uint32_t hungry = 0;
    for (uint32_t i = 0; i < sources->count; i++)
        hungry += is_hungry(&sources->items[i]);
    return hungry;
}

static void give(struct replay_source *source, uint64_t records)
{
    source->credited += records;
    group_source_credit(source->source, records);
}

static void share(struct replay_sources *sources, uint64_t earned, uint32_t hungry)
{
    uint32_t first = sources->turn;
    for (uint32_t i = 0; i < sources->count && earned > 0 && hungry > 0; i++) {
        uint32_t at = (first + i) % sources->count;
        if (!is_hungry(&sources->items[at]))
            continue;
        uint64_t part = (earned + hungry - 1) / hungry;
        hungry--;
        give(&sources->items[at], part);
        earned -= part;
        sources->turn = (at + 1) % sources->count;
    }
}

bool replay_sources_step(struct replay_sources *sources, int64_t now_ns)
{
    if (sources->ended == sources->count)
        return false;
    if (sources->pace.rate == 0) {
        for (uint32_t i = 0; i < sources->count; i++)
            if (sources->items[i].credited == 0)
                give(&sources->items[i], INT64_MAX);
        return false;
    }
    uint64_t earned = replay_pace_take(&sources->pace, now_ns);
    uint32_t hungry = count_hungry(sources);
    if (hungry > 0) /* what nobody can take is not saved up */
        share(sources, earned, hungry);
    return true;
}

void replay_sources_count(const struct replay_sources *sources, uint64_t *ret_given, uint64_t *ret_settled)
{
    *ret_given = 0;
    *ret_settled = 0;
    for (uint32_t i = 0; i < sources->count; i++) {
        uint64_t given = sources->items[i].given;
        uint64_t settled = sources->items[i].settled;
        if (sources->items[i].source != NULL)
            group_source_count(sources->items[i].source, &given, &settled);
        *ret_given += given;
        *ret_settled += settled;
    }
}

uint32_t replay_sources_waiting(const struct replay_sources *sources)
{
    const struct replay_lane *last = NULL;
    uint32_t waiting = 0;
    for (uint32_t i = 0; i < sources->count; i++) {
        const struct replay_source *source = &sources->items[i];
        struct group_view view;
        if (source->lane == last || source->source == NULL)
            continue;
        last = source->lane;
        group_look(source->group, source->topic, 0, &view);
        waiting += view.members == 0;
    }
    return waiting;
}
