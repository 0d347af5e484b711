/* What the connections of one subscribe door share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_SUBSCRIBE_SHARED_H
#define DOOR_SUBSCRIBE_SHARED_H

#include "deadletter/parking.h"
#include "door/read_pool.h"
#include "group/group.h"
#include "store/store.h"

struct subscribe_options {
    struct groups *groups;   /* of this loop */
    struct parking *parking; /* likewise: where FAIL brings records */
    bool auto_create;        /* topics that are not there are made, as producers make them */
    int64_t lease_ns;        /* a member that says nothing for so long gives its open records back */
};

struct subscribe_shared {
    struct store *store;
    struct subscribe_options options;
    struct read_pool pool;
};

#endif
