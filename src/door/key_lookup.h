/* Finds the records with a number and a key, by looking at the batches that may hold them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_KEY_LOOKUP_H
#define DOOR_KEY_LOOKUP_H

#include "io/loop.h"
#include "store/store.h"

enum {
    KEY_LOOKUP_KEY_MAX = 1024,
    KEY_LOOKUP_BATCHES_MAX = 256, /* more that may hold a number are TOO_MANY */
    KEY_LOOKUP_FOUND_MAX = 64,    /* likewise */
};

/* One question at a time. */
struct key_lookup;

/* Where the records are that were found, the oldest batch first. */
struct key_lookup_found {
    struct store_position positions[KEY_LOOKUP_FOUND_MAX];
    uint32_t count;
};

/* `on_done` tells the answer: NONE and what was found, or TOO_MANY, NOT_SUPPORTED, MEMORY, or the store's error. */
enum err key_lookup_new(struct store *store,
                        struct loop *loop,
                        void (*on_done)(void *owner, enum err err, const struct key_lookup_found *found),
                        void *owner,
                        struct key_lookup **ret_lookup) MUST_CHECK;

struct key_lookup_question {
    uint32_t sequence;
    uint64_t number;
    struct span key; /* at most KEY_LOOKUP_KEY_MAX bytes; copied */
    bool wants_all;  /* else the first one is enough */
};

/* Asks; on_done comes in a later turn, once. */
void key_lookup_ask(struct key_lookup *lookup, const struct key_lookup_question *question);

/* Tells nothing any more; frees itself when the store owes it nothing. Takes NULL; returns NULL. */
struct key_lookup *key_lookup_close(struct key_lookup *lookup);

#endif
