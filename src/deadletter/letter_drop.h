/* Drops dead letters: they are settled as skipped and audited, and no replay meets them again; nothing is erased. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEADLETTER_LETTER_DROP_H
#define DEADLETTER_LETTER_DROP_H

#include "audit/audit.h"
#include "deadletter/letter_list.h"

/* What the rooms' operations on dead letters stand on. */
struct letter_seams {
    struct store *store;
    struct mailbox *mailbox; /* of the thread that calls */
    struct clock *clock;
    struct audit *audit; /* NULL: none is written */
};

struct letter_drop_order {
    struct span topic;
    struct span from; /* see range_text.h */
    struct span to;
    struct span reason; /* patterns; empty: any */
    struct span key;
    struct span by;
};

struct letter_drop_events {
    /* So many were open and are dropped and synced; also after an error. Not from inside a call. */
    void (*on_end)(void *owner, enum err err, uint64_t dropped);
    void *owner;
};

struct letter_drop;

/* BAD_INPUT, UNKNOWN_TOPIC, MEMORY with the reason. */
enum err letter_drop_new(const struct letter_seams *seams,
                         const struct letter_drop_order *order,
                         const struct letter_drop_events *events,
                         struct why *why,
                         struct letter_drop **ret_drop) MUST_CHECK;
/* Nobody waits for it any more: what was not read stays open. Also from inside on_end. Takes and returns NULL. */
struct letter_drop *letter_drop_close(struct letter_drop *drop);

#endif
