/* All groups of one home loop: their life. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <stdlib.h>

#include "group/groups_sweep.h"

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

struct groups *groups_free(struct groups *groups)
{
    check(groups_is_idle(groups) && list_is_empty(&groups->core.ready));
    groups_sweep(groups, true);
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
