/* The state that a segment begins with: written from the catalog and the segment table, read back at start. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_CHECKPOINT_H
#define JOURNAL_CHECKPOINT_H

#include "base/buffer.h"
#include "journal/catalog.h"
#include "journal/checkpoint_entry.h"
#include "journal/segment.h"

enum {
    CHECKPOINT_PIECE_MAX = 1 << 20, /* payload of one CHECKPOINT frame */
    CHECKPOINT_SIZE_MAX = 256 << 20,
    CHECKPOINT_PRODUCER_SIZE_MAX = 32 + STORE_PRODUCER_MAX,
};

/*
 * A checkpoint takes at most half of its segment: so many thirty-seconds for each kind of thing. What is left of the half is for
 * the sequences, and for what the table grows by before something is forgotten.
 */
enum checkpoint_share {
    CHECKPOINT_SHARE_TOPICS = 4,
    CHECKPOINT_SHARE_PRODUCERS = 3,
    CHECKPOINT_SHARE_SEGMENTS = 4,
    CHECKPOINT_SHARE_GROUPS = 3, /* with their progress */
    CHECKPOINT_SHARE_NOTES = 1,
    CHECKPOINT_SHARE_REST = 1,
    CHECKPOINT_SHARES = 32,
};

static inline uint64_t checkpoint_share(uint64_t segment_size, enum checkpoint_share share)
{
    return segment_size / CHECKPOINT_SHARES * share;
}

/* The least segment in which a share holds so many bytes. */
static inline uint64_t checkpoint_size_for(uint64_t bytes, uint32_t shares)
{
    return (bytes + shares - 1) / shares * CHECKPOINT_SHARES;
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
