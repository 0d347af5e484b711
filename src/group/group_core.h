/* What all groups of one home loop share: the store, ceilings, and what is to be done at the end of the turn. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GROUP_GROUP_CORE_H
#define GROUP_GROUP_CORE_H

#include "base/clock.h"
#include "group/group.h"

struct group_core {
    struct store *store;
    struct mailbox *mailbox;
    struct clock *clock;
    struct groups_settings settings;
    struct groups_events events;
    bool is_work_wanted; /* on_work was called, groups_step was not yet */
    bool is_broken;      /* outcomes can be stored no more: nothing is given any more either */
    bool has_grown;      /* the log, perhaps: looked at in the next step */
    bool has_changed;    /* something else for which members may wait: all are woken in the next step */
    bool has_idle;       /* something may have no use any more */
    struct list ready;   /* members to be told, by their ready_link */
    struct list waiting; /* returned runs whose time has not come, by their link */
    int64_t due_ns;      /* the earliest of these and of all leases, or earlier; INT64_MAX */
    uint32_t held;   /* runs, claims and outcomes that are not synced: at most settings.open_max are given */
    bool is_starved; /* a member waits because of that, or for a buffer */
    size_t read_bytes;   /* in the hands of readers */
    uint32_t reads;      /* that the store has not answered */
    struct list readers; /* with a buffer, the one longest unused first */
};

void group_core_init(struct group_core *core,
                     struct store *store,
                     struct mailbox *mailbox,
                     struct clock *clock,
                     const struct groups_settings *settings,
                     const struct groups_events *events);

/* groups_step will be called. */
void group_core_want_work(struct group_core *core);
/* ... at this time at the latest. */
void group_core_want_work_at(struct group_core *core, int64_t due_ns);

static inline bool group_core_has_room(const struct group_core *core)
{
    return core->held < core->settings.open_max;
}

static inline int64_t group_core_now_ns(const struct group_core *core)
{
    return clock_now_ns(core->clock);
}

#endif
