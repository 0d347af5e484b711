/* The control socket's operation `groups`: how far each group is, and what is open (docs/protocols/control.md). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_GROUP_DESK_H
#define DOOR_GROUP_DESK_H

#include "door/control_task.h"
#include "group/group.h"
#include "io/loop.h"

struct group_desk {
    struct store *store;
    struct loop *loop; /* the home of the groups */
    struct groups *groups;
};

/* The desk must outlive the door that has the operation. */
struct control_operations group_desk_operations(struct group_desk *desk);

#endif
