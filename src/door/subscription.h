/* What SUBSCRIBE makes: a plain stream of a topic, or a member of a group. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_SUBSCRIPTION_H
#define DOOR_SUBSCRIPTION_H

#include "door/member_reader.h"
#include "door/subscribe_shared.h"
#include "door/topic_reader.h"
#include "wire/line_subscribe.h"

/* None comes from inside a call but on_gap, and the subscription outlives it. */
struct subscription_events {
    /* Nothing more will be written: as the readers say. */
    void (*on_finished)(void *owner, enum err err, const struct why *why);
    /* Retention took [from, to); all before it is written. */
    void (*on_gap)(void *owner, uint32_t topic, uint32_t partition, uint64_t from, uint64_t to);
    void *owner;
};

struct subscription {
    struct subscription_events events;
    struct store_topic topic;
    struct topic_reader *stream; /* one of the two, or none */
    struct member_reader *member;
};

/* What `line` asks for, as lines to the writer; `peer` is who it is. Any other error than NONE: nothing has begun. */
enum line_error subscription_begin(struct subscription *subscription,
                                   struct subscribe_shared *shared,
                                   struct line_writer *writer,
                                   const struct line_subscription *line,
                                   const struct subscription_events *events) MUST_CHECK;
bool subscription_is_begun(const struct subscription *subscription);
/* NULL for a plain stream. */
struct group_member *subscription_member(const struct subscription *subscription);
/* The owner has resumed the writer. */
void subscription_resume(struct subscription *subscription);
/* A member leaves its group. Again does nothing. */
void subscription_close(struct subscription *subscription);

#endif
