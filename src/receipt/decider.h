/* The groups that decide whether the records of a topic are processed, as a policy and the store have it at the moment. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECEIPT_DECIDER_H
#define RECEIPT_DECIDER_H

#include "receipt/receipt_policy.h"
#include "store/store.h"

enum { DECIDER_TOPICS = 32 }; /* whose groups are remembered */

struct decider_set {
    uint32_t topic;
    bool is_taken;
    uint64_t round;       /* of its last look */
    uint32_t rounds_kept; /* it is true for so many rounds more */
    bool is_impossible;   /* a group that must be done does not exist */
    uint32_t count;
    uint32_t groups[STORE_GROUPS_MAX]; /* ids */
};

struct deciders {
    struct store *store;
    const struct receipt_policy *policy;
    uint64_t round;
    struct decider_set sets[DECIDER_TOPICS];
};

void deciders_init(struct deciders *deciders, struct store *store, const struct receipt_policy *policy);

/* Begins a round: what was found out before is looked at again. */
void deciders_refresh(struct deciders *deciders);

/* Those of a topic; valid until the next call. Where there are none, or is_impossible, nothing is processed. */
const struct decider_set *deciders_of(struct deciders *deciders, uint32_t topic);
bool decider_set_has(const struct decider_set *set, uint32_t group);

#endif
