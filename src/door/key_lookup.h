/* Finds out whether a record with a number and a key is stored, by looking at the batches that may hold it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_KEY_LOOKUP_H
#define DOOR_KEY_LOOKUP_H

#include "io/loop.h"
#include "store/store.h"

enum {
    KEY_LOOKUP_KEY_MAX = 1024,
    KEY_LOOKUP_BATCHES_MAX = 256, /* more that may hold a number are TOO_MANY */
};

/* One question at a time. */
struct key_lookup;

/* `on_done` tells the answer: NONE and whether it is stored, or TOO_MANY, NOT_SUPPORTED, MEMORY, or the store's error. */
enum err key_lookup_new(struct store *store,
                        struct loop *loop,
                        void (*on_done)(void *owner, enum err err, bool is_stored),
                        void *owner,
                        struct key_lookup **ret_lookup) MUST_CHECK;

/* Asks; on_done comes in a later turn, once. The key is at most KEY_LOOKUP_KEY_MAX bytes and copied. */
void key_lookup_ask(struct key_lookup *lookup, uint32_t sequence, uint64_t number, struct span key);

/* Tells nothing any more; frees itself when the store owes it nothing. Takes NULL; returns NULL. */
struct key_lookup *key_lookup_close(struct key_lookup *lookup);

#endif
