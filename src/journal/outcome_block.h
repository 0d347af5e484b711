/* What an append says about groups and notes: checked, reserved and laid out as frames before it waits for the writer. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_OUTCOME_BLOCK_H
#define JOURNAL_OUTCOME_BLOCK_H

#include "journal/journal_state.h"
#include "journal/settle.h"

/* The frames stand back to back, padded; what is only known in the commit group is filled in there. */
struct outcome_block {
    uint8_t *frames;
    size_t len;
    uint32_t frame_count;
    size_t pending;      /* what it may add to the group book beyond what is reserved there */
    struct note **notes; /* of the append's, by number; NULL: it goes, or is put already */
    uint32_t note_count;
};

/* Whether the append has anything for such a block. */
static inline bool outcome_block_is_needed(const struct store_append *append)
{
    return append->settled_count > 0 || append->seek_count > 0 || append->note_count > 0;
}

/*
 * *ret_block NULL when none is needed. NOT_FOUND: no such group; UNKNOWN_TOPIC; BAD_INPUT: offsets that are not stored, or fields
 * that are not legal; TOO_MANY: it would not fit into a checkpoint; MEMORY. The view lock is not held.
 */
enum err outcome_block_new(struct journal *journal,
                           const struct store_append *append,
                           struct outcome_block **ret_block) MUST_CHECK;
/* Nothing came of it: also gives back what was reserved. The view lock is not held. Returns NULL. */
struct outcome_block *
outcome_block_drop(struct journal *journal, const struct store_append *append, struct outcome_block *block);
/* Takes and returns NULL. */
struct outcome_block *outcome_block_free(struct outcome_block *block);

/* Time and dead letters' offsets, the frame headers, and the bytes into the group: they end the set. */
void outcome_block_put(struct writer *writer,
                       const struct store_append *append,
                       struct outcome_block *block,
                       int64_t wall_ns);

/* The append is synced: all it says becomes true. The view lock is held. MEMORY. */
enum err outcome_block_publish(const struct settle *settle,
                               const struct store_append *append,
                               struct outcome_block *block) MUST_CHECK;

#endif
