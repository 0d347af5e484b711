/* The home loop: its groups, and deliveries as the configuration wants them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/home.h"

#include <stdlib.h>

#include "app/delivery_plan.h"
#include "base/random.h"

/* Runs of open records, of which one takes about 270 bytes: so all of them stay below 50 MiB. */
enum { OPEN_MAX = 180000 };

#define LOOK_NS (2 * CLOCK_NS_PER_MS)

static void end_drain(struct home *home)
{
    if (home->draining > 0 || !groups_is_idle(home->groups.groups) || !letters_are_idle(&home->letters)) {
        timer_start(&home->look, LOOK_NS);
        return;
    }
    void (*on_drained)(void *owner) = home->on_drained;
    home->on_drained = NULL;
    on_drained(home->owner);
}

static void on_look(struct timer *timer)
{
    end_drain(LIST_OWNER(timer, struct home, look));
}

enum err home_init(struct home *home,
                   struct loop *loop,
                   struct store *store,
                   const struct config *config,
                   const struct door_plans *plans)
{
    *home = (struct home){0};
    timer_init(&home->look, loop, on_look);
    enum err err = letters_init(&home->letters, loop, store, config);
    struct groups_settings settings = {.span_max = STORE_SPAN_MAX,
                                       .open_max = OPEN_MAX,
                                       .seed = random_u64(NULL),
                                       .on_commit = audit_add_done,
                                       .commit_owner = home->letters.audit};
    if (err == ERR_NONE)
        err = group_home_init(&home->groups, store, loop, &settings);
    return err == ERR_NONE ? letters_open(&home->letters, store, home->groups.groups, plans) : err;
}

/* --- Deliveries ----------------------------------------------------------------------------------------- */

enum err
home_open_deliveries(struct home *home, const struct config *config, struct store *store, struct why *why)
{
    const struct config_delivery *deliveries = config->deliveries.items;
    uint32_t count = config->deliveries.count;
    if (count == 0)
        return ERR_NONE;
    home->deliveries = (struct delivery **)calloc(count, sizeof(struct delivery *));
    enum err err = home->deliveries == NULL ? ERR_MEMORY : background_thread_new("files", &home->background);
    struct delivery_ground ground = {store, home->groups.groups, home->groups.loop, home->background};
    for (uint32_t i = 0; err == ERR_NONE && i < count; i++) {
        err = delivery_plan_open(&deliveries[i], &ground, why, &home->deliveries[i]);
        home->delivery_count += err == ERR_NONE;
    }
    return err;
}

static void on_delivery_drained(void *owner)
{
    ((struct home *)owner)->draining--;
}

void home_drain(struct home *home, void (*on_drained)(void *owner), void *owner)
{
    home->on_drained = on_drained;
    home->owner = owner;
    home->draining = home->delivery_count;
    for (uint32_t i = 0; i < home->delivery_count; i++)
        delivery_drain(home->deliveries[i], on_delivery_drained, home);
    timer_start(&home->look, 0);
}

void home_done(struct home *home)
{
    struct loop *loop = home->letters.loop;
    if (loop == NULL)
        return;
    for (uint32_t i = 0; i < home->delivery_count; i++)
        delivery_free(home->deliveries[i]);
    free((void *)home->deliveries);
    home->background = background_thread_free(home->background);
    (void)mailbox_deliver(&loop->mailbox); /* what the last jobs sent */
    timer_stop(&home->look);
    letters_close(&home->letters);
    group_home_done(&home->groups);
    letters_done(&home->letters);
    *home = (struct home){0};
}
