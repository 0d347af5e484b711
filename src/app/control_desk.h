/* The control socket on one loop, and the producers that its `send` makes of connections. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_CONTROL_DESK_H
#define APP_CONTROL_DESK_H

#include "door/append_gate.h"
#include "door/control_door.h"
#include "door/group_desk.h"
#include "door/receipt_desk.h"

enum { CONTROL_SENDERS_MAX = 64, CONTROL_OPERATIONS_MAX = 4 };

struct control_desk {
    struct control_door control;
    struct append_gate *gate;
    struct receipt_desk receipts;
    struct group_desk groups;
    struct control_operations
        operations[CONTROL_OPERATIONS_MAX]; /* of other rooms, asked one after the other */
    unsigned operation_count;
    char operation_names[128];
    struct list senders;
    unsigned sender_count;
    bool is_draining;
};

/* Listens on the loop of the gate, which must outlive it, as must `receipts`, `groups`, whose home it is, and who owns `letters`. */
enum err control_desk_init(struct control_desk *desk,
                           struct append_gate *gate,
                           struct receipts *receipts,
                           struct groups *groups,
                           const struct control_operations *letters,
                           const struct listen_socket *socket) MUST_CHECK;
/* Drained. */
void control_desk_done(struct control_desk *desk);

/*
 * Drains the socket and every sender: on_drained comes once for each of the doors, whose number is
 * returned.
 */
unsigned control_desk_drain(struct control_desk *desk, void (*on_drained)(void *owner), void *owner);
void control_desk_cut(struct control_desk *desk);

#endif
