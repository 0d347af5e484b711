/* What the store in memory knows of the numbers of one sequence. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_MEMORY_SEQUENCE_H
#define STORE_MEMORY_SEQUENCE_H

#include "store/append.h"
#include "store/store.h"

struct memory_producer {
    uint8_t id[STORE_PRODUCER_MAX];
    size_t id_len;
    uint64_t last;
};

struct memory_sequence {
    char name[STORE_TOPIC_NAME_MAX + 1];
    uint64_t taken;         /* the highest number given out */
    struct store_run *runs; /* stored, ascending, not touching */
    uint32_t run_count;
    uint32_t run_size;
    struct memory_producer *producers;
    uint32_t producer_count;
    uint32_t producer_size;
};

void memory_sequence_done(struct memory_sequence *sequence);

void memory_sequence_add_run(struct memory_sequence *sequence, struct store_run run);
uint64_t memory_sequence_last(const struct memory_sequence *sequence);
bool memory_sequence_has(const struct memory_sequence *sequence, uint64_t number);
/* As store_ops.sequence_runs; its answer always covers all that was asked for, unless `size` is too small. */
void memory_sequence_runs(const struct memory_sequence *sequence, struct store_runs *question);

void memory_sequence_note_producer(struct memory_sequence *sequence, struct span id, uint64_t last);
uint64_t memory_sequence_producer_last(const struct memory_sequence *sequence, struct span id);

#endif
