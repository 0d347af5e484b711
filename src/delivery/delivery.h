/* A group that Waybill drives itself: takes records, sends them to a target, records what became of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DELIVERY_DELIVERY_H
#define DELIVERY_DELIVERY_H

#include "delivery/backoff.h"
#include "delivery/target.h"
#include "group/group.h"
#include "io/loop.h"

/*
 * The happy path: records are gathered into a batch; it is sent as soon as none of this delivery is in flight, or it is full, or
 * has waited long enough; the target takes it; its records are done.
 *
 * - The target is down: the batch is kept and sent again; failures in a row open the breaker, which then lets one batch through
 *   at a time, until one is delivered. Nothing more is read than what is gathered.
 * - The batch is refused, or failed: again after a back-off. Without limits for ever.
 * - The program stops: what is in flight is finished or given back unspent; it is given again after the start.
 */
struct delivery;

struct delivery_source {
    struct store_topic topic;
    int64_t partition; /* or GROUP_ALL_PARTITIONS */
};

struct delivery_settings {
    struct span name; /* of the delivery and its group */
    const struct delivery_source *sources;
    uint32_t source_count;
    uint32_t batch_records;
    int64_t batch_wait_ns; /* only while another batch is in flight */
    uint32_t in_flight;    /* records that are gathered, in flight or waiting */
    uint32_t parallel;     /* batches in flight at once; 1 keeps the order of everything */
    struct backoff backoff;
    uint32_t breaker_failures;
    int64_t breaker_every_ns;
};

struct delivery_view {
    uint64_t delivered;      /* records since the start */
    uint64_t failed;         /* sends that were not taken */
    uint32_t in_flight;      /* records */
    bool is_held;            /* the breaker is not closed */
    struct why last_failure; /* empty: none */
};

/* Takes the target, also when it fails. MEMORY, TOO_MANY, UNKNOWN_TOPIC with the reason. */
enum err delivery_new(const struct delivery_settings *settings,
                      struct groups *groups,
                      struct loop *loop,
                      struct target *take_target,
                      struct why *why,
                      struct delivery **ret_delivery) MUST_CHECK;

/* Takes no more records; on_drained comes when nothing is in flight. What waits for a retry is given back. */
void delivery_drain(struct delivery *delivery, void (*on_drained)(void *owner), void *owner);
/* Drained, or never started. Takes NULL; returns NULL. */
struct delivery *delivery_free(struct delivery *delivery);

void delivery_look(const struct delivery *delivery, struct delivery_view *ret_view);

#endif
