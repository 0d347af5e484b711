/* What is done at the end of a turn: time, the store, lanes, outcomes, events. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "group/group_source.h"
#include "group/groups_sweep.h"

/* Set first, then looked: nothing is missed. */
static void watch(struct groups *groups)
{
    struct groups_watch *self = groups->watch;
    if (self->is_set || groups->groups.count == 0)
        return;
    self->is_set = true;
    groups->core.has_grown = true;
    groups->core.store->ops->watch(groups->core.store, &self->watch);
}

static void lapse(struct group_member *member)
{
    member->lapsed_records = group_unit_take_all_back(member);
    member->is_lapsed = true;
    member->has_lapsed = true;
    group_lanes_leave(&member->unit->lanes, member);
    group_unit_hand_over(member->unit);
    group_member_call(member);
}

static void look_at_time(struct group_member *member, int64_t now_ns)
{
    struct group_core *core = group_member_core(member);
    if (member->read_after_ns > 0 && now_ns >= member->read_after_ns) {
        member->read_after_ns = 0;
        group_member_wake(member);
    }
    if (member->read_after_ns > 0 && member->read_after_ns < core->due_ns)
        core->due_ns = member->read_after_ns;
    if (member->lease_ns == 0 || member->open == 0)
        return;
    int64_t over_ns = member->renewed_ns + member->lease_ns;
    if (now_ns >= over_ns)
        lapse(member);
    else if (over_ns < core->due_ns)
        core->due_ns = over_ns;
}

static void release_due(struct group_core *core, int64_t now_ns)
{
    LIST_EACH_SAFE (&core->waiting, link) {
        struct group_run *run = LIST_OWNER(link, struct group_run, link);
        if (run->time_ns > now_ns) {
            core->due_ns = run->time_ns < core->due_ns ? run->time_ns : core->due_ns;
            continue;
        }
        group_partition_release(run);
    }
}

typedef void visit_unit(struct group_unit *unit, int64_t now_ns);

static void visit_units(struct groups *groups, visit_unit *visit, int64_t now_ns)
{
    size_t position = 0;
    for (struct group *group; (group = map_next(&groups->groups, &position)) != NULL;)
        LIST_EACH (&group->units, link)
            visit(LIST_OWNER(link, struct group_unit, link), now_ns);
}

static void visit_for_time(struct group_unit *unit, int64_t now_ns)
{
    LIST_EACH (&unit->members, link)
        look_at_time(LIST_OWNER(link, struct group_member, link), now_ns);
}

static void visit_for_lanes(struct group_unit *unit, int64_t now_ns)
{
    (void)now_ns;
    group_unit_hand_over(unit);
}

static void visit_for_growth(struct group_unit *unit, int64_t now_ns)
{
    (void)now_ns;
    group_unit_look(unit);
}

static void visit_to_wake(struct group_unit *unit, int64_t now_ns)
{
    (void)now_ns;
    group_unit_wake(unit);
}

static void step_time(struct groups *groups)
{
    struct group_core *core = &groups->core;
    int64_t now_ns = group_core_now_ns(core);
    if (now_ns < core->due_ns)
        return;
    core->due_ns = INT64_MAX;
    release_due(core, now_ns);
    visit_units(groups, visit_for_time, now_ns);
}

static void step_store(struct groups *groups)
{
    struct group_core *core = &groups->core;
    watch(groups);
    if (core->has_grown)
        visit_units(groups, visit_for_growth, 0);
    core->has_grown = false;
    if (core->is_starved)
        core->has_changed |= group_core_has_room(core) && group_readers_make_room(core);
    if (core->has_changed)
        visit_units(groups, visit_to_wake, 0);
    core->is_starved &= !core->has_changed;
    core->has_changed = false;
}

/* groups->told is the member while it is there. */
static void tell_gaps(struct groups *groups, struct group_member *member)
{
    const struct group_member_events events = member->events;
    struct list gaps;
    list_init(&gaps);
    list_move_all(&gaps, &member->gaps);
    LIST_EACH_SAFE (&gaps, link) {
        struct group_gap *gap = LIST_OWNER(link, struct group_gap, link);
        if (groups->told != NULL && events.on_gap != NULL)
            events.on_gap(events.owner, gap->from.topic, gap->from.partition, gap->from.offset, gap->to);
        free(gap);
    }
}

/* The events may end the member, or call for more. */
static void tell(struct groups *groups, struct group_member *member)
{
    groups->told = member;
    tell_gaps(groups, member);
    if (groups->told != NULL && member->has_lapsed) {
        member->has_lapsed = false;
        if (member->events.on_lease_over != NULL)
            member->events.on_lease_over(member->events.owner, member->lapsed_records);
    }
    if (groups->told != NULL && member->is_called) {
        member->is_called = false;
        member->events.on_ready(member->events.owner);
    }
    groups->told = NULL;
}

/* Those who are called meanwhile come in the next turn. */
static void step_events(struct groups *groups)
{
    struct list ready;
    list_init(&ready);
    list_move_all(&ready, &groups->core.ready);
    for (struct list *link; (link = list_take_first(&ready)) != NULL;)
        tell(groups, LIST_OWNER(link, struct group_member, ready_link));
}

/* One whose end is not told yet; NULL. */
static struct group_source *find_ended(struct groups *groups)
{
    size_t position = 0;
    for (struct group *group; (group = map_next(&groups->groups, &position)) != NULL;) {
        if (group->sources == 0)
            continue;
        LIST_EACH (&group->units, unit_link) {
            struct group_unit *unit = LIST_OWNER(unit_link, struct group_unit, link);
            LIST_EACH (&unit->streams, link) {
                struct group_source *source = LIST_OWNER(link, struct group_stream, unit_link)->source;
                if (source != NULL && group_source_is_over(source))
                    return source;
            }
        }
    }
    return NULL;
}

static void step_sources(struct groups *groups)
{
    for (struct group_source *source; (source = find_ended(groups)) != NULL;) {
        source->has_ended = true;
        if (source->events.on_end != NULL)
            source->events.on_end(source->events.owner);
    }
}

static void step_idle(struct groups *groups)
{
    struct group_core *core = &groups->core;
    if (!core->has_idle)
        return;
    core->has_idle = false;
    groups_sweep(groups, core->held > core->settings.open_max / 2);
}

/* In each step: one that was told before may have been set for another time. */
static void tell_due(struct group_core *core)
{
    if (core->due_ns == INT64_MAX)
        return;
    int64_t now_ns = group_core_now_ns(core);
    core->events.on_due(core->events.owner, core->due_ns > now_ns ? core->due_ns - now_ns : 0);
}

void groups_step(struct groups *groups)
{
    struct group_core *core = &groups->core;
    core->is_work_wanted = false;
    step_time(groups);
    step_store(groups);
    visit_units(groups, visit_for_lanes, 0);
    outcome_queue_send(groups->outcomes);
    step_events(groups);
    outcome_queue_send(groups->outcomes); /* what the events brought */
    step_sources(groups);
    step_idle(groups);
    tell_due(core);
}
