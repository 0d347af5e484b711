/* The seam to where a delivery brings its records: a file, an HTTP backend, a log shipper, a cluster. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DELIVERY_TARGET_H
#define DELIVERY_TARGET_H

#include "base/why.h"
#include "group/group_member.h"

/* What a target says of a batch that it was sent. */
enum target_verdict {
    TARGET_DELIVERED, /* it took all of it */
    TARGET_RETRY,     /* the message's fault, perhaps: costs an attempt */
    TARGET_DOWN,      /* the target's own fault: costs no attempt, and counts for the breaker */
    TARGET_REFUSED,   /* it will never take it */
};

struct target_result {
    enum target_verdict verdict;
    uint32_t status;        /* of its protocol; 0: none */
    int64_t retry_after_ns; /* what it asked for; 0: nothing */
    struct why why;
};

/* Records that go out together, in the target's own form. Implementations embed it. */
struct target_batch {
    void (*on_result)(void *owner, const struct target_result *result); /* on the loop, once for each send */
    void *owner;
};

struct target;

/*
 * batch_new: MEMORY.
 * add: appends a record. FULL: the batch takes no more, send it first; TOO_LARGE: an empty batch could not take it either. MEMORY.
 * send: on_result comes later, never from inside the call; the same batch may be sent again after it.
 * batch_free: not while it is being sent. Returns NULL.
 * free: no batch is left. Returns NULL.
 */
struct target_ops {
    enum err (*batch_new)(struct target *target, struct target_batch **ret_batch);
    enum err (*add)(struct target_batch *batch,
                    const struct store_topic *topic,
                    const struct group_item *item);
    void (*send)(struct target_batch *batch);
    struct target_batch *(*batch_free)(struct target_batch *batch);
    struct target *(*free)(struct target *target);
};

struct target {
    const struct target_ops *ops;
    const char *name; /* for logs: "file:/var/log/orders" */
};

#endif
