/* Offers what waits again when something completes, or when the store has changed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/append_queue.h"

#include <stdlib.h>

struct queued_append {
    struct list link; /* while it waits for the store */
    struct append_queue *queue;
    struct built_append *built;
    void (*on_complete)(void *owner, const struct built_append *append);
    void *owner;
};

static void offer_all(struct append_queue *queue);

/* The watch is set before the store is asked, so that no change is missed; and only while something waits. */
static void watch_while_waiting(struct append_queue *queue)
{
    struct store *store = queue->store;
    if (!list_is_empty(&queue->waiting)) {
        if (!queue->is_watching)
            store->ops->watch(store, &queue->watch);
        queue->is_watching = true;
    } else if (queue->is_watching && store->ops->unwatch(store, &queue->watch)) {
        queue->is_watching = false;
    }
}

static void on_watched(struct mail *mail)
{
    struct store_watch *watch = LIST_OWNER(mail, struct store_watch, mail);
    struct append_queue *queue = LIST_OWNER(watch, struct append_queue, watch);
    queue->is_watching = false;
    offer_all(queue);
}

void append_queue_init(struct append_queue *queue, struct store *store, struct mailbox *mailbox)
{
    *queue = (struct append_queue){
        .store = store,
        .mailbox = mailbox,
        .watch = {.mail = {.on_delivered = on_watched}, .reply_to = mailbox},
    };
    list_init(&queue->waiting);
    list_init(&queue->watch.mail.link);
    list_init(&queue->watch.link);
}

bool append_queue_is_idle(struct append_queue *queue)
{
    watch_while_waiting(queue);
    return queue->count == 0 && !queue->is_watching;
}

void append_queue_done(struct append_queue *queue)
{
    check(append_queue_is_idle(queue));
}

static void on_completed(struct mail *mail)
{
    struct store_append *append = LIST_OWNER(mail, struct store_append, mail);
    struct built_append *built = LIST_OWNER(append, struct built_append, append);
    struct queued_append *queued = built->owner;
    struct append_queue *queue = queued->queue;
    queue->count--;
    queue->bytes -= built->size;
    offer_all(queue);
    queued->on_complete(queued->owner, built); /* the queue may be gone afterwards */
    built_append_free(built);
    free(queued);
}

/* False: not now. What the store will never take completes with the error. */
static bool offer(struct append_queue *queue, struct queued_append *queued)
{
    struct store_append *append = &queued->built->append;
    enum err err = queue->store->ops->append(queue->store, append);
    if (err == ERR_NONE)
        return true;
    if (err_class(err) == ERR_CLASS_RETRY_LATER && err != ERR_DRAINING)
        return false;
    append->ret_err = err;
    mailbox_post(queue->mailbox, &append->mail);
    return true;
}

static void offer_all(struct append_queue *queue)
{
    watch_while_waiting(queue);
    while (!list_is_empty(&queue->waiting)) {
        struct list *first = queue->waiting.next;
        if (!offer(queue, LIST_OWNER(first, struct queued_append, link)))
            return;
        list_remove(first);
    }
    watch_while_waiting(queue);
}

enum err append_queue_submit(struct append_queue *queue,
                             struct built_append *take_append,
                             void (*on_complete)(void *owner, const struct built_append *append),
                             void *owner)
{
    struct queued_append *queued = malloc(sizeof *queued);
    if (queued == NULL) {
        built_append_free(take_append);
        return ERR_MEMORY;
    }
    *queued = (struct queued_append){
        .queue = queue, .built = take_append, .on_complete = on_complete, .owner = owner};
    take_append->owner = queued;
    take_append->append.mail.on_delivered = on_completed;
    take_append->append.reply_to = queue->mailbox;
    take_append->append.urgent = true;
    queue->count++;
    queue->bytes += take_append->size;
    bool is_first = list_is_empty(&queue->waiting);
    list_insert_last(&queue->waiting, &queued->link);
    if (is_first)
        offer_all(queue);
    return ERR_NONE;
}
