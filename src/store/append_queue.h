/* Hands built appends to a store in order, and waits where the store has no room for them now. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_APPEND_QUEUE_H
#define STORE_APPEND_QUEUE_H

#include "store/append_builder.h"

struct append_queue {
    struct store *store;
    struct mailbox *mailbox;
    struct list waiting; /* that the store has not taken */
    struct store_watch watch;
    bool is_watching; /* its mail is yet to come */
    uint32_t count;   /* that are not complete */
    size_t bytes;     /* of these */
};

/* The mailbox is that of the thread which calls the queue. */
void append_queue_init(struct append_queue *queue, struct store *store, struct mailbox *mailbox);
/* Nothing is under way: append_queue_is_idle. */
void append_queue_done(struct append_queue *queue);
/* Whether all is complete and no mail is owed. Asks for none when nothing waits. */
bool append_queue_is_idle(struct append_queue *queue);

/*
 * Takes the append, which is urgent; on_complete comes later, never from inside this call, and looks at append.ret_err; the
 * append is freed behind it. MEMORY: it is freed and on_complete does not come.
 */
enum err append_queue_submit(struct append_queue *queue,
                             struct built_append *take_append,
                             void (*on_complete)(void *owner, const struct built_append *append),
                             void *owner) MUST_CHECK;

#endif
