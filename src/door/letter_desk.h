/* The control socket's operations for dead letters, replays and the audit (docs/protocols/control.md). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_LETTER_DESK_H
#define DOOR_LETTER_DESK_H

#include "deadletter/letter_drop.h"
#include "deadletter/replays.h"
#include "door/control_task.h"
#include "door/letter_request.h"
#include "door/reroute_table.h"

struct letter_desk {
    struct letter_seams seams; /* of the control socket's loop, which is the groups' */
    struct span audit_topic;   /* where it is read */
    struct replays *replays;   /* NULL: none can be started */
    struct reroute_doors doors;
    struct letter_request request; /* that is being read */
};

/* To be handed to the control door; the desk outlives it. */
struct control_operations letter_desk_operations(struct letter_desk *desk);

#endif
