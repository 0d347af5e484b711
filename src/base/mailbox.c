/* The one way from thread to thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mailbox.h"

void mailbox_init(struct mailbox *mailbox, void (*wake)(void *owner), void *owner)
{
    *mailbox = (struct mailbox){.wake = wake, .owner = owner};
    check(pthread_mutex_init(&mailbox->lock, NULL) == 0);
    list_init(&mailbox->mails);
}

void mailbox_done(struct mailbox *mailbox)
{
    check(list_is_empty(&mailbox->mails));
    check(pthread_mutex_destroy(&mailbox->lock) == 0);
}

/* Both return whether the box was empty: then its reader sleeps. */

static bool insert(struct mailbox *mailbox, struct mail *mail)
{
    check(pthread_mutex_lock(&mailbox->lock) == 0);
    bool was_empty = list_is_empty(&mailbox->mails);
    list_insert_last(&mailbox->mails, &mail->link);
    check(pthread_mutex_unlock(&mailbox->lock) == 0);
    return was_empty;
}

static bool insert_all(struct mailbox *mailbox, struct list *mails)
{
    check(pthread_mutex_lock(&mailbox->lock) == 0);
    bool was_empty = list_is_empty(&mailbox->mails);
    list_move_all(&mailbox->mails, mails);
    check(pthread_mutex_unlock(&mailbox->lock) == 0);
    return was_empty;
}

void mailbox_post(struct mailbox *mailbox, struct mail *mail)
{
    check(mail->on_delivered != NULL);
    if (insert(mailbox, mail))
        mailbox->wake(mailbox->owner);
}

void mailbox_post_all(struct mailbox *mailbox, struct list *mails)
{
    if (!list_is_empty(mails) && insert_all(mailbox, mails))
        mailbox->wake(mailbox->owner);
}

unsigned mailbox_deliver(struct mailbox *mailbox)
{
    struct list arrived;
    list_init(&arrived);
    check(pthread_mutex_lock(&mailbox->lock) == 0);
    list_move_all(&arrived, &mailbox->mails);
    check(pthread_mutex_unlock(&mailbox->lock) == 0);
    unsigned count = 0;
    for (struct list *link; (link = list_take_first(&arrived)) != NULL; count++) {
        struct mail *mail = LIST_OWNER(link, struct mail, link);
        mail->on_delivered(mail);
    }
    return count;
}
