/* What a journal was asked to keep, and what of it must, may and must not be found in it again. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_JOURNAL_MODEL_H
#define SUPPORT_JOURNAL_MODEL_H

#include "support/journal_bench.h"

/*
 * Each append is an atomic set of up to three batches whose bytes follow from its id and its shape: the shape alone
 * decides topics, partitions, lengths and numbers, so that an append of the same shape takes the same bytes on disk.
 *
 * Times are operations of the file system (fs_memory_operations), so the model knows for every crash point what had
 * been asked for and what had been acknowledged by then.
 */
enum { JOURNAL_MODEL_PARTS_MAX = 3, JOURNAL_MODEL_TOPICS = 4, JOURNAL_MODEL_SEQUENCES = 2 };

#define JOURNAL_MODEL_NEVER UINT64_MAX

/* What an append says besides of a record that was stored before: its group gave it up, the first record of part 0 is its dead
 * letter. And a note with the append's id. */
struct journal_model_outcome {
    bool is_there;
    uint32_t topic; /* number of the model, as the partition is */
    uint32_t partition;
    uint64_t offset;
};

struct journal_model_append {
    uint32_t shape;
    uint64_t submitted_at;
    uint64_t stored_at; /* acknowledged, or found by a recovery: it must be there from then on */
    uint64_t gone_at;   /* a recovery did not find it: it must never come back */
    enum err err;       /* that its completion said; PENDING before */
    uint64_t bases[JOURNAL_MODEL_PARTS_MAX];
    struct journal_model_outcome outcome;
    bool has_note;
    uint32_t parts_seen; /* of the present check: bits */
    bool is_expired;     /* of the present check: retention passed a part of it */
};

struct journal_model {
    struct journal_model_append *appends; /* by id */
    uint32_t count;
    uint32_t size;
    struct journal_bench *bench;
    uint32_t pending;         /* submitted, not completed */
    bool forgets_numbers;     /* retention may have passed receipts.keep */
    bool has_damage;          /* what is stored may be missing, but nothing else may be wrong */
    uint32_t missing;         /* with has_damage: stored appends that the last check did not find */
    uint32_t missing_numbers; /* likewise, numbers of those that it did find */
    char where[400];          /* leads the words of a failure */
};

void journal_model_init(struct journal_model *model, struct journal_bench *bench);
void journal_model_done(struct journal_model *model);
/* What was known behind the first `operations`; for the bench of the crashed copy. */
void journal_model_copy(struct journal_model *model,
                        const struct journal_model *from,
                        uint64_t operations,
                        struct journal_bench *bench);

/* What an append of this shape takes at most. */
uint32_t journal_model_size_of(uint32_t shape);
/* Hands one append of this shape to the journal, creating its topics; the store's refusal, if any. */
enum err journal_model_submit(struct journal_model *model, uint32_t shape) MUST_CHECK;

/*
 * Reads everything back and compares, at `operations`: all that is stored, per partition without a hole, nothing that
 * was not submitted, byte for byte, none twice, sets whole, and numbers, outcomes and notes agree with what is there.
 */
void journal_model_check(struct journal_model *model, uint64_t operations);
/* After a recovery and its check: what was found is stored from now on, what was not is gone. */
void journal_model_settle(struct journal_model *model);
/* The shapes of those that are gone or were never completed, to be submitted again; false when there is none from *position on. */
bool journal_model_next_lost(const struct journal_model *model, uint32_t *position, uint32_t *ret_shape);

#endif
