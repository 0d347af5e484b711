/* The control socket of the command line (docs/protocols/control.md). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_CONTROL_DOOR_H
#define DOOR_CONTROL_DOOR_H

#include "door/control_shared.h"
#include "door/door.h"

struct control_door {
    struct door door; /* to listen, drain and cut */
    struct control_shared shared;
};

/* One for the program. `name` must outlive it. */
void control_door_init(struct control_door *control,
                       struct loop *loop,
                       const char *name,
                       struct store *store,
                       struct control_options options);
/* No connection is left. */
void control_door_done(struct control_door *control);

#endif
