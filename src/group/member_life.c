/* A member's life: it joins, sets its window, shows that it lives, leaves. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/metric.h"
#include "group/group_member.h"
#include "group/group_unit.h"
#include "group/lost_range.h"

static void on_read(void *owner)
{
    group_member_wake(owner);
}

static uint32_t legal_window(uint32_t window)
{
    return window == 0 ? 1 : window > GROUP_WINDOW_MAX ? GROUP_WINDOW_MAX : window;
}

static enum err new_member(struct group_unit *unit,
                           const struct group_member_settings *settings,
                           const struct group_member_events *events,
                           struct group_member **ret_member)
{
    struct group_member *member = calloc(1, sizeof *member);
    if (member == NULL)
        return ERR_MEMORY;
    member->unit = unit;
    member->events = *events;
    member->window = legal_window(settings->window);
    member->lease_ns = settings->lease_ns;
    member->renewed_ns = group_core_now_ns(group_unit_core(unit));
    list_init(&member->link);
    list_init(&member->cursors);
    list_init(&member->runs);
    list_init(&member->ready_link);
    list_init(&member->gaps);
    seq_index_init(&member->seqs);
    member->by = group_by_new(settings->by);
    enum err err = member->by == NULL
                       ? ERR_MEMORY
                       : group_reader_new(group_unit_core(unit), on_read, member, &member->reader);
    if (err == ERR_NONE) {
        *ret_member = member;
        return ERR_NONE;
    }
    group_by_unref(member->by);
    free(member);
    return err;
}

static void free_member(struct group_member *member)
{
    LIST_EACH_SAFE (&member->gaps, link)
        free(LIST_OWNER(link, struct group_gap, link));
    list_remove(&member->ready_link);
    group_reader_close(member->reader);
    group_by_unref(member->by);
    seq_index_done(&member->seqs);
    free(member);
}

/* What was lost while nobody was there is told to whoever comes. */
static void tell_lost(struct group_member *member)
{
    const struct group_unit *unit = member->unit;
    struct store *store = group_unit_core(unit)->store;
    for (uint32_t i = 0; i < unit->base_count; i++) {
        struct store_position from = {unit->topic, unit->base[i]->partition->key.partition, 0};
        uint64_t to;
        struct group_gap *gap;
        if (!lost_range_find(store, unit->group->id, from.topic, from.partition, &from.offset, &to) ||
            (gap = malloc(sizeof *gap)) == NULL)
            continue;
        metric_add(METRIC_GAPS, 1);
        *gap = (struct group_gap){.from = from, .to = to};
        list_insert_last(&member->gaps, &gap->link);
        group_member_call(member);
    }
}

enum err group_join(struct group *group,
                    const struct group_member_settings *settings,
                    const struct group_member_events *events,
                    struct group_member **ret_member)
{
    struct group_unit *unit;
    struct group_member *member;
    check(settings->by.len <= STORE_BY_MAX);
    enum err err = group_unit_open(group, settings->topic, settings->partition, &unit);
    if (err == ERR_NONE)
        err = new_member(unit, settings, events, &member);
    if (err != ERR_NONE)
        return err;
    err = group_unit_add_member(unit, member);
    if (err != ERR_NONE) {
        free_member(member);
        return err;
    }
    group_unit_begin(unit, settings);
    tell_lost(member);
    group_core_want_work(group_unit_core(unit));
    *ret_member = member;
    return ERR_NONE;
}

struct group_member *group_leave(struct group_member *member)
{
    struct group_unit *unit = member->unit;
    struct groups *groups = unit->group->groups;
    if (groups->told == member)
        groups->told = NULL;
    (void)group_unit_take_all_back(member);
    group_unit_remove_member(member);
    groups->core.has_idle = true;
    group_core_want_work(&groups->core);
    free_member(member);
    return NULL;
}

struct group *group_member_group(struct group_member *member)
{
    return member->unit->group;
}

void group_member_set_window(struct group_member *member, uint32_t window)
{
    member->window = legal_window(window);
    group_unit_note_windows(member->unit);
    group_unit_wake(member->unit); /* a larger window may be a longer span for all */
}

void group_member_renew(struct group_member *member)
{
    struct group_unit *unit = member->unit;
    if (member->lease_ns == 0)
        return;
    member->renewed_ns = group_core_now_ns(group_unit_core(unit));
    if (!member->is_lapsed || group_lanes_join(&unit->lanes, member) != ERR_NONE)
        return;
    member->is_lapsed = false;
    group_unit_hand_over(unit);
    group_member_wake(member);
}

uint32_t group_member_open(const struct group_member *member)
{
    return member->open;
}
