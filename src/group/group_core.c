/* What all groups of one home loop share. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "group/group_core.h"

enum { OPEN_MAX = 1000000, READ_BYTES_MAX = 16 * 1024 * 1024 };

void group_core_init(struct group_core *core,
                     struct store *store,
                     struct mailbox *mailbox,
                     struct clock *clock,
                     const struct groups_settings *settings,
                     const struct groups_events *events)
{
    *core = (struct group_core){
        .store = store,
        .mailbox = mailbox,
        .clock = clock,
        .settings = *settings,
        .events = *events,
        .due_ns = INT64_MAX,
    };
    if (core->settings.span_max == 0)
        core->settings.span_max = STORE_SPAN_MAX;
    if (core->settings.open_max == 0)
        core->settings.open_max = OPEN_MAX;
    if (core->settings.read_bytes_max == 0)
        core->settings.read_bytes_max = READ_BYTES_MAX;
    list_init(&core->ready);
    list_init(&core->waiting);
    list_init(&core->readers);
}

void group_core_want_work(struct group_core *core)
{
    if (core->is_work_wanted)
        return;
    core->is_work_wanted = true;
    core->events.on_work(core->events.owner);
}

/* Many small times are one wake-up: groups_step asks for the timer. */
void group_core_want_work_at(struct group_core *core, int64_t due_ns)
{
    if (due_ns >= core->due_ns)
        return;
    core->due_ns = due_ns;
    group_core_want_work(core);
}
