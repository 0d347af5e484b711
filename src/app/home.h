/* What lives on the home loop alone: the groups, and the deliveries that Waybill drives. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_HOME_H
#define APP_HOME_H

#include "app/letters.h"
#include "config/config.h"
#include "delivery/delivery.h"
#include "door/group_home.h"

struct home {
    struct group_home groups;
    struct letters letters;
    struct timer look;             /* while draining: whether the groups' outcomes are all out */
    struct background *background; /* NULL without deliveries */
    struct delivery **deliveries;
    uint32_t delivery_count;
    uint32_t draining; /* deliveries that are not drained */
    void (*on_drained)(void *owner);
    void *owner;
};

/* Configuration and plans must outlive it. BAD_NAME, MEMORY. */
enum err home_init(struct home *home,
                   struct loop *loop,
                   struct store *store,
                   const struct config *config,
                   const struct door_plans *plans) MUST_CHECK;
/* Errors of topics and targets with the reason; its deliveries begin when the loop runs. */
enum err home_open_deliveries(struct home *home,
                              const struct config *config,
                              struct store *store,
                              struct why *why) MUST_CHECK;

/* Deliveries finish what is in flight, groups their outcomes; on_drained comes once, on the loop. */
void home_drain(struct home *home, void (*on_drained)(void *owner), void *owner);
/* Drained, or the loop never ran; no member of a group is left but the deliveries. */
void home_done(struct home *home);

#endif
