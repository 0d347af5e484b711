/* What became of a record: computed from offsets and outcomes, never kept. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECEIPT_RECEIPT_H
#define RECEIPT_RECEIPT_H

#include "receipt/receipt_policy.h"
#include "store/store.h"

enum { RECEIPT_PLACES_MAX = 256 }; /* of one number */

enum receipt_state {
    RECEIPT_UNKNOWN, /* nothing is known of such a record, or no more */
    RECEIPT_STORED,
    RECEIPT_DELIVERED,     /* a group is done with it, though not all that decide */
    RECEIPT_PROCESSED,     /* all groups that decide are */
    RECEIPT_DEAD_LETTERED, /* a group gave it up */
    RECEIPT_REPLAYED,      /* processed by a replay, or sent on to another topic: counts as processed */
    RECEIPT_EXPIRED,       /* the record is gone and nothing better is known */
    RECEIPT_STATE_COUNT
};

struct receipt {
    struct store_position position;
    char topic[STORE_TOPIC_NAME_MAX + 1];
    enum receipt_state state;
    bool is_expired;   /* the record itself is gone */
    int64_t stored_ns; /* wall time; 0: not known */
};

/* What one group says of the record. */
struct receipt_group {
    struct store_group group;
    struct store_fate fate;            /* the latest: that of the replay when there was one */
    bool is_replayed;                  /* the fate is that of its dead letter; DONE means done after all */
    bool has_dead_letter;              /* it was given up, whatever came then */
    struct store_position dead_letter; /* the latest */
    bool decides;
};

struct receipts;

/* One for each loop. The policy must outlive it. MEMORY. */
enum err receipts_new(struct store *store,
                      const struct receipt_policy *policy,
                      struct receipts **ret_receipts) MUST_CHECK;
/* Takes NULL; returns NULL. */
struct receipts *receipts_free(struct receipts *receipts);

/* Before the first questions of a turn: which groups decide is looked at again. */
void receipts_refresh(struct receipts *receipts);

/* Whether every message of the number is processed, and there is one. No allocation. Errors are the store's. */
enum err receipts_is_processed(struct receipts *receipts,
                               uint32_t sequence,
                               uint64_t number,
                               bool *ret_is_processed) MUST_CHECK;
bool receipts_is_place_processed(struct receipts *receipts, struct store_position position);

/* The receipt of the record at a position; UNKNOWN in it when there never was one. */
void receipts_look(struct receipts *receipts, struct store_position position, struct receipt *ret_receipt);
/* The same for a place that the store gave for a number. */
void receipts_look_at_place(struct receipts *receipts,
                            const struct store_place *place,
                            struct receipt *ret_receipt);
/* Walks the groups that have begun in the record's partition, or decide; start with *position = 0; false at the end. */
bool receipts_next_group(struct receipts *receipts,
                         const struct receipt *receipt,
                         uint32_t *position,
                         struct receipt_group *ret_group);

/* The name of a topic; empty when there is none. Returns `name`. */
const char *
receipts_topic_name(struct receipts *receipts, uint32_t topic, char name[static STORE_TOPIC_NAME_MAX + 1]);
/* "dead_lettered" */
const char *receipt_state_name(enum receipt_state state);
/* "done", "replayed" ... */
const char *receipt_outcome_name(const struct receipt_group *group);

#endif
