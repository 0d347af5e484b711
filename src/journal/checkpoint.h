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
    CHECKPOINT_PRODUCER_SIZE_MAX = 32 + STORE_PRODUCER_MAX,
};

/*
 * A checkpoint takes at most half of its segment: one share each for the topics, the producers and the segments; the last
 * one is for the sequences, and for what the table grows by before something is forgotten.
 */
static inline uint64_t checkpoint_share(uint64_t segment_size)
{
    return segment_size / 8;
}

/* What the entry of a segment with this many summaries takes. */
size_t checkpoint_segment_size(uint32_t summary_count);
/* The most that this many topics and partitions take; and all sequences that there may be. */
uint64_t checkpoint_topics_size(uint64_t topics, uint64_t partitions);
uint64_t checkpoint_sequences_size(void);

/* Appends the entries; offsets are the writer's (next), so it stands behind all that was appended before. */
enum err checkpoint_write(struct buffer *buffer,
                          const struct catalog *catalog,
                          const struct segment_table *table) MUST_CHECK;

/* Fills an empty catalog and table. DAMAGED when it is not a checkpoint; then both must be thrown away. */
enum err checkpoint_read(struct span bytes, struct catalog *catalog, struct segment_table *table) MUST_CHECK;

#endif
