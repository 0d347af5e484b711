/* What the active segment holds and where, in memory: extents per partition, runs per sequence, identities. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_SEGMENT_INDEX_H
#define JOURNAL_SEGMENT_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "journal/outcome_index.h"
#include "journal/place_index.h"
#include "journal/run_set.h"

enum {
    SEGMENT_INDEX_SEQUENCES_MAX = 64,
    SEGMENT_INDEX_HASH_SIZE = 16,
    SEGMENT_INDEX_GAP_MAX = 4096,      /* between two batches of one extent */
    SEGMENT_INDEX_STRETCH = 64 * 1024, /* what an extent of more than one batch may span */
    SEGMENT_INDEX_OVERSHOOT = 4,       /* adding goes on up to this many times bytes_max */
};

/* A stretch of the segment in which batches of one partition lie, from its first batch to the end of its last. */
struct index_extent {
    uint64_t base_offset;
    uint32_t position;
    uint32_t len;
    /* The highest append time up to and including its first batch: rises even when the clock falls. */
    int64_t wall_ns;
};

/* What the segment holds of one partition. */
struct index_summary {
    uint64_t first_offset;
    uint64_t end_offset;
    uint64_t bytes; /* of frames */
    int64_t first_ns;
    int64_t last_ns; /* the highest append time */
};

struct index_identity {
    int64_t wall_ns;
    uint8_t hash[SEGMENT_INDEX_HASH_SIZE];
};

struct index_batch {
    uint32_t slot;
    uint32_t records;
    uint64_t base_offset;
    uint32_t position; /* of its frame in the segment */
    uint32_t len;      /* of its frame with the pad */
    int64_t wall_ns;
};

/* For one thread at a time. Partitions are known by slots, dense numbers that the caller gives. */
struct segment_index;

enum err segment_index_new(size_t bytes_max, struct segment_index **ret_index) MUST_CHECK;
/* Takes and returns NULL. */
struct segment_index *segment_index_free(struct segment_index *index);

/*
 * All that is added comes in the order of the log, so that positions do not fall. MEMORY, or TOO_MANY when nobody has
 * looked at segment_index_is_full for too long: then a part may have been added.
 */

/* BAD_INPUT when the offsets of a slot do not rise. */
enum err segment_index_add_batch(struct segment_index *index, const struct index_batch *batch) MUST_CHECK;
/* What the append that begins at `position` holds of a sequence. BAD_INPUT when sequence or runs are not legal. */
enum err segment_index_add_runs(struct segment_index *index,
                                uint32_t sequence,
                                const struct store_run *runs,
                                uint32_t count,
                                uint32_t position) MUST_CHECK;
enum err segment_index_add_identity(struct segment_index *index,
                                    const uint8_t hash[SEGMENT_INDEX_HASH_SIZE],
                                    int64_t wall_ns) MUST_CHECK;

/* Where these numbers stand. */
enum err segment_index_add_places(struct segment_index *index, const struct place_append *append) MUST_CHECK;
enum err segment_index_add_outcome(struct segment_index *index,
                                   const struct outcome_key *key,
                                   uint64_t from,
                                   uint64_t count,
                                   const struct outcome_mark *mark) MUST_CHECK;
/* As outcome_index_begin_anew. */
void segment_index_begin_outcomes_anew(struct segment_index *index);

/* Allocated. */
size_t segment_index_bytes(const struct segment_index *index);
/* At its maximum: the segment is to be sealed, so that memory has a ceiling. */
bool segment_index_is_full(const struct segment_index *index);

/* False when the segment holds nothing of this slot. */
bool segment_index_summary(const struct segment_index *index,
                           uint32_t slot,
                           struct index_summary *ret_summary);
/* All extents of a slot in order; valid until the next batch is added. NULL and 0 when there are none. */
const struct index_extent *
segment_index_extents(const struct segment_index *index, uint32_t slot, uint32_t *ret_count);
/* The extents where a reader from `offset` on looks: the first may hold it, or lies behind it. At most `size`. */
uint32_t segment_index_extents_from(const struct segment_index *index,
                                    uint32_t slot,
                                    uint64_t offset,
                                    struct index_extent *extents,
                                    uint32_t size);
/* Where the search begins for the first batch that was appended at or after `wall_ns`; false when there is none. */
bool segment_index_extent_at_time(const struct segment_index *index,
                                  uint32_t slot,
                                  int64_t wall_ns,
                                  struct index_extent *ret_extent);

/* NULL when the segment holds nothing of this sequence. */
const struct run_set *segment_index_runs(const struct segment_index *index, uint32_t sequence);

const struct place_index *segment_index_places(const struct segment_index *index);
const struct outcome_index *segment_index_outcomes(const struct segment_index *index);

/* In the order in which they were added. */
uint32_t segment_index_identity_count(const struct segment_index *index);
const struct index_identity *segment_index_identity(const struct segment_index *index, uint32_t number);

#endif
