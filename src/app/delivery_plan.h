/* From the configuration to a delivery: its topics, its target. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_DELIVERY_PLAN_H
#define APP_DELIVERY_PLAN_H

#include "base/background.h"
#include "config/config.h"
#include "delivery/delivery.h"

/* Whether `config` could be made a delivery, without making it: names and paths. BAD_NAME, CONFIG with the reason. */
enum err delivery_plan_examine(const struct config_delivery *config, struct why *why) MUST_CHECK;

/* What deliveries stand on: the home loop's. */
struct delivery_ground {
    struct store *store;
    struct groups *groups;
    struct loop *loop;
    struct background *background;
};

/* Topics are created when they are absent; the target's directory likewise. Errors with the reason. */
enum err delivery_plan_open(const struct config_delivery *config,
                            const struct delivery_ground *ground,
                            struct why *why,
                            struct delivery **ret_delivery) MUST_CHECK;

#endif
