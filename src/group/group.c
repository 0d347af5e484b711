/* All groups of one home loop: their life, and what is done at the end of a turn. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "group/group.h"

#include <stdlib.h>

#include "group/group_source.h"

/* The store may owe its mail when the groups go. */
struct groups_watch {
    struct store_watch watch;
    struct groups *groups; /* NULL: gone */
    bool is_set;
};

/* --- Watching ----------------------------------------------------------------------------------------- */

static void on_watched(struct mail *mail)
{
    struct store_watch *watch = LIST_OWNER(mail, struct store_watch, mail);
    struct groups_watch *self = LIST_OWNER(watch, struct groups_watch, watch);
    self->is_set = false;
    if (self->groups == NULL) {
        free(self);
        return;
    }
    self->groups->core.has_grown = true;
    group_core_want_work(&self->groups->core);
}

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

static void unwatch(struct groups *groups)
{
    struct groups_watch *self = groups->watch;
    bool is_owed = self->is_set && !groups->core.store->ops->unwatch(groups->core.store, &self->watch);
    self->groups = NULL;
    if (!is_owed)
        free(self);
}

/* --- Life --------------------------------------------------------------------------------------------- */

enum err groups_new(struct store *store,
                    struct mailbox *mailbox,
                    struct clock *clock,
                    const struct groups_settings *settings,
                    const struct groups_events *events,
                    struct groups **ret_groups)
{
    struct groups *groups = calloc(1, sizeof *groups);
    struct groups_watch *watch = calloc(1, sizeof *watch);
    struct outcome_queue *outcomes = calloc(1, sizeof *outcomes);
    if (groups == NULL || watch == NULL || outcomes == NULL) {
        free(groups);
        free(outcomes);
        free(watch);
        return ERR_MEMORY;
    }
    group_core_init(&groups->core, store, mailbox, clock, settings, events);
    groups->outcomes = outcomes;
    outcome_queue_init(outcomes, &groups->core);
    map_init(&groups->groups, STORE_GROUPS_MAX, settings->seed);
    map_init(&groups->partitions, INT32_MAX, settings->seed);
    watch->groups = groups;
    watch->watch.mail.on_delivered = on_watched;
    watch->watch.reply_to = mailbox;
    list_init(&watch->watch.mail.link);
    list_init(&watch->watch.link);
    groups->watch = watch;
    *ret_groups = groups;
    return ERR_NONE;
}

static void free_group(struct group *group)
{
    (void)map_remove(&group->groups->groups, span_from_text(group->name));
    free(group);
}

/* What has no use any more goes. What came back is remembered for a while, but not when memory is short. */
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

static void sweep_groups(struct groups *groups, bool all)
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

struct groups *groups_free(struct groups *groups)
{
    check(groups_is_idle(groups) && list_is_empty(&groups->core.ready));
    sweep_groups(groups, true);
    check(groups->groups.count == 0 && groups->partitions.count == 0);
    unwatch(groups);
    outcome_queue_done(groups->outcomes);
    free(groups->outcomes);
    map_done(&groups->groups);
    map_done(&groups->partitions);
    free(groups);
    return NULL;
}

bool groups_is_idle(const struct groups *groups)
{
    return groups->core.reads == 0 && outcome_queue_is_idle(groups->outcomes);
}

enum err groups_open(struct groups *groups, struct span name, struct group **ret_group)
{
    struct group *group = map_get(&groups->groups, name);
    uint32_t id;
    if (group != NULL) {
        *ret_group = group;
        return ERR_NONE;
    }
    enum err err = groups->core.store->outcomes->group_open(groups->core.store, name, true, &id);
    if (err != ERR_NONE)
        return err;
    group = calloc(1, sizeof *group);
    if (group == NULL)
        return ERR_MEMORY;
    group->groups = groups;
    group->id = id;
    list_init(&group->units);
    memcpy(group->name, name.data, name.len);
    err = map_put(&groups->groups, span_from_text(group->name), group);
    if (err != ERR_NONE) {
        free(group);
        return err;
    }
    groups->core.has_idle = true;
    group_core_want_work(&groups->core);
    *ret_group = group;
    return ERR_NONE;
}

struct span group_name(const struct group *group)
{
    return span_from_text(group->name);
}

uint32_t group_id(const struct group *group)
{
    return group->id;
}

/* --- An operator's view, and wishes ------------------------------------------------------------------- */

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

/* --- The end of a turn -------------------------------------------------------------------------------- */

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
        struct group_unit *unit = run->stream->unit;
        if (run->time_ns > now_ns) {
            core->due_ns = run->time_ns < core->due_ns ? run->time_ns : core->due_ns;
            continue;
        }
        group_partition_release(run);
        group_unit_wake(unit);
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

/* The events may end the member, or call for more. */
static void tell(struct groups *groups, struct group_member *member)
{
    groups->told = member;
    for (struct list *link; groups->told != NULL && (link = list_take_first(&member->gaps)) != NULL;) {
        struct group_gap gap = *LIST_OWNER(link, struct group_gap, link);
        free(LIST_OWNER(link, struct group_gap, link));
        if (member->events.on_gap != NULL)
            member->events.on_gap(member->events.owner, gap.from.topic, gap.from.partition, gap.from.offset,
                                  gap.to);
    }
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
    sweep_groups(groups, core->held > core->settings.open_max / 2);
}

/* The timer fires once; one that fires too early does no harm. */
static void tell_due(struct group_core *core)
{
    int64_t now_ns = group_core_now_ns(core);
    if (core->told_ns <= now_ns)
        core->told_ns = INT64_MAX;
    if (core->due_ns == INT64_MAX || core->due_ns == core->told_ns)
        return;
    core->told_ns = core->due_ns;
    core->events.on_due(core->events.owner, core->due_ns > now_ns ? core->due_ns - now_ns : 0);
}

void groups_step(struct groups *groups)
{
    struct group_core *core = &groups->core;
    core->is_work_wanted = false;
    step_store(groups);
    step_time(groups);
    visit_units(groups, visit_for_lanes, 0);
    outcome_queue_send(groups->outcomes);
    step_events(groups);
    outcome_queue_send(groups->outcomes); /* what the events brought */
    step_sources(groups);
    step_idle(groups);
    tell_due(core);
}
