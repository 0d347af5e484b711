/* The subscribe port: records as lines, alone or shared in a group (docs/protocols/line.md, subscribe). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_SUBSCRIBE_DOOR_H
#define DOOR_SUBSCRIBE_DOOR_H

#include "door/door.h"
#include "door/subscribe_shared.h"

struct subscribe_door {
    struct door door; /* to listen, drain and cut */
    struct subscribe_shared shared;
};

/* On the home loop of the groups. `name` must outlive it. */
void subscribe_door_init(struct subscribe_door *subscribe,
                         struct loop *loop,
                         const char *name,
                         struct store *store,
                         struct subscribe_options options);
/* No connection is left. */
void subscribe_door_done(struct subscribe_door *subscribe);

#endif
