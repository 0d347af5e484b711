/* What the connections of one subscribe door share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_SUBSCRIBE_SHARED_H
#define DOOR_SUBSCRIBE_SHARED_H

#include "door/read_pool.h"
#include "group/group.h"
#include "store/store.h"

/* A FAIL: whose records they are, and why. */
struct subscribe_fault {
    uint32_t topic;    /* of the member */
    struct span group; /* its name */
    struct span reason;
};

struct subscribe_options {
    struct groups *groups; /* of this loop */
    bool auto_create;      /* topics that are not there are made, as producers make them */
    int64_t lease_ns;      /* a member that says nothing for so long gives its open records back */
    /*
     * Makes dead letters of the claims and ends them; the fault is copied. on_parked comes once, not from inside the call. MEMORY:
     * they were given back, and it does not come. NULL: nobody can.
     */
    enum err (*park)(void *owner,
                     struct group_claim **claims,
                     uint32_t count,
                     const struct subscribe_fault *fault,
                     void (*on_parked)(void *owner, enum err err),
                     void *parked_owner);
    void *owner;
};

struct subscribe_shared {
    struct store *store;
    struct subscribe_options options;
    struct read_pool pool;
};

#endif
