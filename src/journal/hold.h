/* Named readers that keep records from being retired. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_HOLD_H
#define JOURNAL_HOLD_H

#include "journal/journal_state.h"

struct hold {
    struct list link;
    uint32_t topic;
    uint32_t partition;
    uint64_t offset;
    size_t name_len;
    char name[STORE_TOPIC_NAME_MAX];
};

/* A reader that still needs some of these records; NULL when nobody does. The view lock is held. */
const struct hold *hold_find(const struct journal *journal, const struct index_partition *partition);
/* As journal_hold. */
enum err hold_set(struct journal *journal,
                  struct span name,
                  uint32_t topic,
                  uint32_t partition,
                  uint64_t offset) MUST_CHECK;
void hold_free_all(struct journal *journal);

#endif
