/* The state that a segment begins with: written from the catalog and the segment table, read back at start. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_CHECKPOINT_H
#define JOURNAL_CHECKPOINT_H

#include "base/buffer.h"
#include "journal/catalog.h"
#include "journal/segment.h"

/* docs/formats/journal.md 5: entries of type 1, zero 3, length 4, body. */
enum checkpoint_entry {
    CHECKPOINT_JOURNAL = 1,
    CHECKPOINT_TOPIC = 2,
    CHECKPOINT_PARTITION = 3,
    CHECKPOINT_SEQUENCE = 4,
    CHECKPOINT_PRODUCER = 5,
    CHECKPOINT_SEGMENT = 6,
};

enum {
    CHECKPOINT_PIECE_MAX = 1 << 20, /* payload of one CHECKPOINT frame */
    CHECKPOINT_SIZE_MAX = 256 << 20,
};

/* Appends the entries; offsets are the writer's (next), so it stands behind all that was appended before. */
enum err checkpoint_write(struct buffer *buffer,
                          const struct catalog *catalog,
                          const struct segment_table *table) MUST_CHECK;

/* Fills an empty catalog and table. DAMAGED when it is not a checkpoint; then both must be thrown away. */
enum err checkpoint_read(struct span bytes, struct catalog *catalog, struct segment_table *table) MUST_CHECK;

#endif
