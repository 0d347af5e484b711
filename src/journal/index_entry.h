/* The entries of an index file: one pair of functions for each section. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_INDEX_ENTRY_H
#define JOURNAL_INDEX_ENTRY_H

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

/* time 8 | hash 16 */
void index_identity_write(uint8_t *to, const struct index_identity *identity);
void index_identity_read(const uint8_t *from, struct index_identity *ret_identity);

#endif
