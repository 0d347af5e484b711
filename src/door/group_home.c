/* Where the live groups are at home. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/group_home.h"

static void on_step(struct loop_task *step)
{
    groups_step(LIST_OWNER(step, struct group_home, step)->groups);
}

static void on_work(void *owner)
{
    struct group_home *home = owner;
    loop_at_end_of_turn(home->loop, &home->step);
}

static void on_time(struct timer *due)
{
    on_work(LIST_OWNER(due, struct group_home, due));
}

static void on_due(void *owner, int64_t after_ns)
{
    struct group_home *home = owner;
    timer_start(&home->due, after_ns);
}

enum err group_home_init(struct group_home *home,
                         struct store *store,
                         struct loop *loop,
                         const struct groups_settings *settings)
{
    struct groups_events events = {.on_work = on_work, .on_due = on_due, .owner = home};
    *home = (struct group_home){.loop = loop};
    loop_task_init(&home->step, on_step);
    timer_init(&home->due, loop, on_time);
    return groups_new(store, &loop->mailbox, loop->clock, settings, &events, &home->groups);
}

/* What is on its way comes back by mail, and what waits for it goes out, or ends, in a step. */
void group_home_done(struct group_home *home)
{
    if (home->groups == NULL)
        return;
    while (!groups_is_idle(home->groups)) {
        groups_step(home->groups);
        unsigned delivered = mailbox_deliver(&home->loop->mailbox);
        check(delivered > 0 || groups_is_idle(home->groups));
    }
    loop_task_cancel(&home->step);
    timer_stop(&home->due);
    home->groups = groups_free(home->groups);
}
