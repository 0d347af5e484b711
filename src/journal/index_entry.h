/* The entries of an index file: one pair of functions for each section. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_INDEX_ENTRY_H
#define JOURNAL_INDEX_ENTRY_H

#include "journal/outcome_index.h"
#include "journal/place_index.h"
#include "journal/run.h"
#include "journal/segment_index.h"

/* topic 4 | partition 4 | first offset 8 | end offset 8 | bytes 8 | first time 8 | last time 8 | extents: first 4, count 4 */
struct index_partition {
    uint32_t topic;
    uint32_t partition;
    struct index_summary
        summary; /* without records in the segment: first offset = end offset, the rest is 0 */
    uint32_t extent_first;
    uint32_t extent_count;
};

/* sequence 4 | runs: first 4, count 4 | merged runs 4 | lowest 8 | highest 8 */
struct index_sequence {
    uint32_t sequence;
    uint32_t run_first;
    uint32_t run_count;
    uint32_t merged_count; /* 1: every number from lowest to highest */
    uint64_t lowest;
    uint64_t highest;
};

void index_partition_write(uint8_t *to, const struct index_partition *partition);
void index_partition_read(const uint8_t *from, struct index_partition *ret_partition);

/* base offset 8 | position 4 | length 4 | time 8 */
void index_extent_write(uint8_t *to, const struct index_extent *extent);
void index_extent_read(const uint8_t *from, struct index_extent *ret_extent);

void index_sequence_write(uint8_t *to, const struct index_sequence *sequence);
void index_sequence_read(const uint8_t *from, struct index_sequence *ret_sequence);

/* from 8 | count 4 | position 4. Reading is false when the run is not legal. */
void index_run_write(uint8_t *to, const struct run *run);
bool index_run_read(const uint8_t *from, struct run *ret_run);

/* sequence 4 | runs: first 4, count 4 | longest 4 */
struct index_place_sequence {
    uint32_t sequence;
    uint32_t run_first;
    uint32_t run_count;
    uint32_t longest; /* no run is longer */
};

void index_place_sequence_write(uint8_t *to, const struct index_place_sequence *sequence);
void index_place_sequence_read(const uint8_t *from, struct index_place_sequence *ret_sequence);

/* topic 4 | partition 4 | shift 8 | time 8 */
void index_spot_write(uint8_t *to, const struct place_spot *spot);
void index_spot_read(const uint8_t *from, struct place_spot *ret_spot);

/* topic 4 | partition 4 | base offset 8 */
void index_batch_write(uint8_t *to, const struct place_batch *batch);
void index_batch_read(const uint8_t *from, struct place_batch *ret_batch);

/* batch 2 | record 2 */
void index_place_write(uint8_t *to, const struct place_entry *entry);
void index_place_read(const uint8_t *from, struct place_entry *ret_entry);

/* group 4 | topic 4 | partition 4 | runs: first 4, count 4, longest 4 | lowest 8 | highest 8 */
struct index_outcomes {
    struct outcome_key key;
    uint32_t run_first;
    uint32_t run_count;
    uint32_t longest;
    uint64_t lowest;
    uint64_t highest;
};

void index_outcomes_write(uint8_t *to, const struct index_outcomes *outcomes);
void index_outcomes_read(const uint8_t *from, struct index_outcomes *ret_outcomes);

/* outcome 1 | length of `by` 1 | attempts 2 | status 4 | time 8 | dead letter: topic 4, partition 4, shift 8 | by 64.
 * Reading is false when the outcome or the length is not legal. */
void index_mark_write(uint8_t *to, const struct outcome_mark *mark);
bool index_mark_read(const uint8_t *from, struct outcome_mark *ret_mark);

/* time 8 | hash 16 */
void index_identity_write(uint8_t *to, const struct index_identity *identity);
void index_identity_read(const uint8_t *from, struct index_identity *ret_identity);

#endif
