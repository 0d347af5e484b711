/* Lists the dead letters of a topic: reads its ranges, and hands out those that a filter takes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEADLETTER_LETTER_LIST_H
#define DEADLETTER_LETTER_LIST_H

#include "deadletter/letter_json.h"
#include "store/range_text.h"

enum { LETTER_LIST_DEFAULT = 100, LETTER_LIST_MAX = 1000 };

struct letter_list_order {
    struct span topic;
    struct span from; /* see range_text.h */
    struct span to;
    struct span reason; /* patterns; empty: any */
    struct span key;
    uint64_t limit; /* letters, up to LETTER_LIST_MAX; 0: LETTER_LIST_DEFAULT */
    bool is_whole;  /* with value and headers */
};

struct letter_list_events {
    /* One JSON object, without a line end. False: wait for letter_list_resume. */
    bool (*on_letter)(void *owner, struct span json);
    /* Nothing more comes. `next`: the `from` with which a list goes on where this one had enough; empty at the end. */
    void (*on_end)(void *owner, enum err err, struct span next);
    void *owner;
};

struct letter_list;

/* Events come in later turns. BAD_INPUT, UNKNOWN_TOPIC, MEMORY with the reason. */
enum err letter_list_new(struct store *store,
                         struct mailbox *mailbox,
                         const struct letter_list_order *order,
                         const struct letter_list_events *events,
                         struct why *why,
                         struct letter_list **ret_list) MUST_CHECK;
void letter_list_resume(struct letter_list *list);
/* Also from inside its events. Takes and returns NULL. */
struct letter_list *letter_list_close(struct letter_list *list);

#endif
