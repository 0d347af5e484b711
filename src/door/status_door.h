/* The status port: "is the message with this number processed, and what became of it?" (docs/protocols/line.md, status). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_STATUS_DOOR_H
#define DOOR_STATUS_DOOR_H

#include "door/question_door.h"
#include "receipt/receipt.h"

struct status_options {
    uint32_t sequence; /* index, from the store's sequence_open */
    bool is_kmq;       /* one GET_STATUS, its answer, close; silence on a malformed one */
    bool has_keys;     /* a second word is the key: only records of that key count */
    struct span topic; /* of <partition>:<offset>; empty: none. Must outlive the door */
};

struct status_door {
    struct question_answerer answerer;
    struct question_door questions;
    struct store *store;
    struct receipts *receipts;
    struct status_options options;
};

/* One for each loop; `receipts` are that loop's. `name` must outlive it. */
void status_door_init(struct status_door *status,
                      struct loop *loop,
                      const char *name,
                      struct store *store,
                      struct receipts *receipts,
                      struct status_options options);
/* No connection is left. */
void status_door_done(struct status_door *status);

#endif
