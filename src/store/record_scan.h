/* Reads the records of some ranges of a topic one by one, in bounded reads, a stretch each turn of its thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_RECORD_SCAN_H
#define STORE_RECORD_SCAN_H

#include "store/store.h"
#include "wire/record_batch.h"

/* Of one partition; empty when from >= to. */
struct record_scan_range {
    uint64_t from;
    uint64_t to; /* exclusive */
};

enum record_scan_next {
    RECORD_SCAN_GO_ON,
    RECORD_SCAN_WAIT, /* the record was not taken: it comes again after record_scan_resume */
    RECORD_SCAN_STOP, /* enough: on_end comes next */
};

/* Neither comes from inside a call. In both the scan may be closed. */
struct record_scan_events {
    enum record_scan_next (*on_record)(void *owner, uint32_t partition, const struct record *record);
    /* NONE at the end of all ranges or after STOP; else what failed: record_scan_place says where. */
    void (*on_end)(void *owner, enum err err);
    void *owner;
};

/* What is read: partitions one behind the other, ranges[i] of partition i; ranges are copied. */
struct record_scan_order {
    uint32_t topic;
    const struct record_scan_range *ranges;
    uint32_t count;
};

struct record_scan;

/* What retention has taken, or what is damaged, is passed over. MEMORY. */
enum err record_scan_new(struct store *store,
                         struct mailbox *mailbox,
                         const struct record_scan_order *order,
                         const struct record_scan_events *events,
                         struct record_scan **ret_scan) MUST_CHECK;
void record_scan_resume(struct record_scan *scan);
/* Calls nobody any more; frees itself when the store owes it nothing. Takes and returns NULL. */
struct record_scan *record_scan_close(struct record_scan *scan);

/* The first record that was not taken yet. */
struct store_position record_scan_place(const struct record_scan *scan);
/* Offsets of the ranges that were passed over because they were damaged. */
uint64_t record_scan_damaged(const struct record_scan *scan);

/* The ranges of a whole topic as it is now, one for each partition; the caller frees them. UNKNOWN_TOPIC, MEMORY. */
enum err record_scan_ranges(struct store *store,
                            const struct store_topic *topic,
                            struct record_scan_range **ret_ranges) MUST_CHECK;

#endif
