/* Sends parked lines to where they belong now: record, number and the end of the parked one in one append. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_REROUTE_H
#define DOOR_REROUTE_H

#include "deadletter/letter_drop.h"
#include "door/reroute_table.h"

struct reroute_order {
    struct span topic; /* that lines are parked in */
    struct span from;  /* see range_text.h */
    struct span to;
    struct span reason; /* patterns; empty: any */
    struct span key;
    struct span by;
    bool is_dry; /* counts only */
};

struct reroute_counts {
    uint64_t rerouted; /* synced; a dry run: that would be */
    uint64_t left;     /* still without a place */
    uint64_t passed;   /* records of the range that were looked at */
    uint64_t total;    /* in the range */
};

struct reroute_events {
    /* After each append; not to be closed from inside. */
    void (*on_progress)(void *owner, const struct reroute_counts *counts);
    void (*on_end)(void *owner, enum err err, const struct reroute_counts *counts);
    void *owner;
};

struct reroute;

/* Events come in later turns. NOT_FOUND (no door parks there), BAD_INPUT, UNKNOWN_TOPIC, MEMORY with the reason. */
enum err reroute_new(const struct letter_seams *seams,
                     const struct reroute_doors *doors,
                     const struct reroute_order *order,
                     const struct reroute_events *events,
                     struct why *why,
                     struct reroute **ret_reroute) MUST_CHECK;
/* What was not sent stays open. Also from inside on_end. Takes and returns NULL. */
struct reroute *reroute_close(struct reroute *self);

#endif
