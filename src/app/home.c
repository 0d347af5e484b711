/* The home loop: groups take their steps at the end of a turn, and when leases and delays are due. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/home.h"

#include <stdlib.h>

#include "app/delivery_plan.h"

/* --- Groups on the loop --------------------------------------------------------------------------------- */

static void on_work(void *owner)
{
    struct home *home = owner;
    loop_at_end_of_turn(home->loop, &home->step);
}

static void on_due(void *owner, int64_t after_ns)
{
    struct home *home = owner;
    timer_start(&home->timer, after_ns);
}

static void on_timer(struct timer *timer)
{
    struct home *home = LIST_OWNER(timer, struct home, timer);
    loop_at_end_of_turn(home->loop, &home->step);
}

static void end_drain(struct home *home)
{
    if (home->on_drained == NULL || home->draining > 0 || !groups_is_idle(home->groups))
        return;
    void (*on_drained)(void *owner) = home->on_drained;
    home->on_drained = NULL;
    on_drained(home->owner);
}

static void on_step(struct loop_task *step)
{
    struct home *home = LIST_OWNER(step, struct home, step);
    groups_step(home->groups);
    end_drain(home);
}

enum err home_init(struct home *home, struct loop *loop, struct store *store)
{
    static const struct groups_settings settings = {.span_max = STORE_SPAN_MAX, .open_max = 400000};
    struct groups_events events = {.on_work = on_work, .on_due = on_due, .owner = home};
    *home = (struct home){.loop = loop};
    loop_task_init(&home->step, on_step);
    timer_init(&home->timer, loop, on_timer);
    return groups_new(store, &loop->mailbox, loop->clock, &settings, &events, &home->groups);
}

/* --- Deliveries ----------------------------------------------------------------------------------------- */

enum err
home_open_deliveries(struct home *home, const struct config *config, struct store *store, struct why *why)
{
    const struct config_delivery *deliveries = config->deliveries.items;
    uint32_t count = config->deliveries.count;
    if (count == 0)
        return ERR_NONE;
    home->deliveries = (struct delivery **)calloc(count, sizeof *home->deliveries);
    enum err err = home->deliveries == NULL ? ERR_MEMORY : background_thread_new("files", &home->background);
    for (uint32_t i = 0; err == ERR_NONE && i < count; i++) {
        err = delivery_plan_open(&deliveries[i], store, home->groups, home->loop, home->background, why,
                                 &home->deliveries[i]);
        home->delivery_count += err == ERR_NONE;
    }
    return err;
}

static void on_delivery_drained(void *owner)
{
    struct home *home = owner;
    home->draining--;
    loop_at_end_of_turn(home->loop, &home->step);
}

void home_drain(struct home *home, void (*on_drained)(void *owner), void *owner)
{
    home->on_drained = on_drained;
    home->owner = owner;
    home->draining = home->delivery_count;
    for (uint32_t i = 0; i < home->delivery_count; i++)
        delivery_drain(home->deliveries[i], on_delivery_drained, home);
    loop_at_end_of_turn(home->loop, &home->step);
}

void home_done(struct home *home)
{
    if (home->loop == NULL)
        return;
    for (uint32_t i = 0; i < home->delivery_count; i++)
        delivery_free(home->deliveries[i]);
    free((void *)home->deliveries);
    home->background = background_thread_free(home->background);
    (void)mailbox_deliver(&home->loop->mailbox); /* what the last jobs sent */
    loop_task_cancel(&home->step);
    timer_stop(&home->timer);
    home->groups = groups_free(home->groups);
    *home = (struct home){0};
}
