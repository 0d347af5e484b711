/* Messages from any thread to one: a guarded list that its reader swaps out whole. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_MAILBOX_H
#define BASE_MAILBOX_H

#include <pthread.h>

#include "base/list.h"

/* A message says itself what is to be done with it, on the reader's thread. */
struct mail {
    struct list link;
    void (*on_delivered)(struct mail *mail);
};

struct mailbox {
    pthread_mutex_t lock;
    struct list mails;
    void (*wake)(void *owner); /* called on the sender's thread, only when the box was empty */
    void *owner;
};

void mailbox_init(struct mailbox *mailbox, void (*wake)(void *owner), void *owner);
/* Must be empty. */
void mailbox_done(struct mailbox *mailbox);

void mailbox_post(struct mailbox *mailbox, struct mail *mail);
/* Posts a whole list of mails (by their links) with one lock and at most one wake-up. */
void mailbox_post_all(struct mailbox *mailbox, struct list *mails);
/* Reader: delivers what has arrived; the number of mails. A delivery may post again. */
unsigned mailbox_deliver(struct mailbox *mailbox);

#endif
