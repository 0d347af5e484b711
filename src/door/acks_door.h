/* The acks port: "is the message with this number stored?" (docs/protocols/line.md, acks). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_ACKS_DOOR_H
#define DOOR_ACKS_DOOR_H

#include "door/question_door.h"
#include "store/store.h"

struct acks_options {
    uint32_t sequence; /* index, from the store's sequence_open */
    bool is_kmq;       /* one request, its answer, close; silence on a malformed one */
    bool has_keys;     /* a second word is the key: only a record of that key counts */
};

struct acks_door {
    struct question_answerer answerer;
    struct question_door questions;
    struct store *store;
    struct acks_options options;
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
