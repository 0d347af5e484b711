/* The entries that a checkpoint is a list of: type 1, zero 3, length 4, body. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_CHECKPOINT_ENTRY_H
#define JOURNAL_CHECKPOINT_ENTRY_H

#include "base/buffer.h"

/* docs/formats/journal.md 5 */
enum checkpoint_entry {
    CHECKPOINT_JOURNAL = 1,
    CHECKPOINT_TOPIC = 2,
    CHECKPOINT_PARTITION = 3,
    CHECKPOINT_SEQUENCE = 4,
    CHECKPOINT_PRODUCER = 5,
    CHECKPOINT_SEGMENT = 6,
    CHECKPOINT_READER = 7,
    CHECKPOINT_PROGRESS = 8,
    CHECKPOINT_NOTE = 9,
};

enum { CHECKPOINT_ENTRY_HEADER = 8 };

/* Makes room for one entry of zeros and returns where its body goes; NULL without memory. */
uint8_t *checkpoint_put_entry(struct buffer *buffer, enum checkpoint_entry type, size_t len) MUST_CHECK;

#endif
