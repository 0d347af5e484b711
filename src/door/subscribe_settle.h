/* DONE, FAIL and RETRY of a subscriber, said to its group. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_SUBSCRIBE_SETTLE_H
#define DOOR_SUBSCRIBE_SETTLE_H

#include "door/subscribe_shared.h"
#include "group/group.h"
#include "wire/line_subscribe.h"

/* Who settles, and who is told of dead letters that are parked. */
struct subscribe_settler {
    const struct subscribe_shared *shared;
    struct group_member *member;
    uint32_t topic;
    void (*on_parked)(void *owner, enum err err); /* as often as *ret_parked says */
    void *owner;
};

/* NONE, NOT_OPEN or NO_MEMORY. *ret_parked: how often on_parked will come; not from inside this call. */
enum line_error subscribe_settle(const struct subscribe_settler *settler,
                                 const struct line_subscribe *command,
                                 uint32_t *ret_parked) MUST_CHECK;

#endif
