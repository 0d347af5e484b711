/* A door of a plan, open on one loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_WORKER_DOOR_H
#define APP_WORKER_DOOR_H

#include "app/door_plan.h"
#include "app/home.h"
#include "door/acks_door.h"
#include "door/produce_door.h"
#include "door/status_door.h"
#include "door/subscribe_door.h"

struct worker_door {
    enum config_serve serve;
    const struct door_plan *plan;
    struct door *door; /* the one of them */
    union {
        struct produce_door produce;
        struct subscribe_door subscribe;
        struct acks_door acks;
        struct status_door status;
    };
};

/* What doors stand on: one loop's. */
struct worker_ground {
    struct append_gate gate;
    struct receipts *receipts;
    struct home home; /* empty but on the home loop */
};

/* Whether the door stands on the home loop of the groups alone: docs/threads.md. */
bool worker_door_is_at_home(const struct door_plan *plan);

/* Listens on the ground's loop; the plan and the ground must outlive it. CONFIG, MEMORY, SYSTEM with the reason. */
enum err worker_door_open(struct worker_door *door,
                          const struct door_plan *plan,
                          struct worker_ground *ground,
                          struct why *why) MUST_CHECK;
/* Drained. */
void worker_door_close(struct worker_door *door);

#endif
