/* The acks port: "is the message with this number stored?" (docs/protocols/line.md, acks). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_ACKS_DOOR_H
#define DOOR_ACKS_DOOR_H

#include "door/acks_shared.h"
#include "door/door.h"

struct acks_door {
    struct door door; /* to listen, drain and cut */
    struct acks_shared shared;
};

/* One for each loop. `name` must outlive it. */
void acks_door_init(struct acks_door *acks,
                    struct loop *loop,
                    const char *name,
                    struct store *store,
                    struct acks_options options);
/* No connection is left. */
void acks_door_done(struct acks_door *acks);

#endif
