/* What the connections of one acks door share on a loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_ACKS_SHARED_H
#define DOOR_ACKS_SHARED_H

#include "base/buffer.h"
#include "store/store.h"

struct acks_options {
    uint32_t sequence; /* index, from the store's sequence_open */
    bool is_kmq;       /* one request, its answer, close; silence on a malformed one */
    bool has_keys;     /* a second word is the key: only a record of that key counts */
};

struct acks_shared {
    struct store *store;
    struct acks_options options;
    struct buffer answers; /* of the connection that is being read; empty in between */
};

#endif
