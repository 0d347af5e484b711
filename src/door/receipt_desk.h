/* The control socket's operation `receipt`: what became of a record (docs/protocols/control.md). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_RECEIPT_DESK_H
#define DOOR_RECEIPT_DESK_H

#include "door/control_task.h"
#include "io/loop.h"
#include "receipt/receipt.h"

struct receipt_desk {
    struct store *store;
    struct loop *loop;
    struct receipts *receipts; /* of that loop */
};

/* The desk must outlive the door that has the operation. */
struct control_operations receipt_desk_operations(struct receipt_desk *desk);

#endif
