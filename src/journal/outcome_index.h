/* What became of which offsets, as the outcomes in one segment tell it: in memory, for the active segment. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_OUTCOME_INDEX_H
#define JOURNAL_OUTCOME_INDEX_H

#include "journal/chunk_list.h"
#include "journal/run_set.h"
#include "store/settled.h"

/* Whose outcomes: a group's in a partition. */
struct outcome_key {
    uint32_t group;
    uint32_t topic;
    uint32_t partition;
};

/* What the offsets of a run share; also the time, within a second. */
struct outcome_mark {
    uint8_t outcome;
    uint8_t by_len;
    uint16_t attempts;
    uint32_t status;
    int64_t at_ns;
    uint32_t dead_topic; /* UINT32_MAX: there is no dead letter */
    uint32_t dead_partition;
    uint64_t dead_shift; /* the dead letter stands at offset + dead_shift */
    char by[STORE_BY_MAX];
};

struct outcome_runs {
    struct outcome_key key;
    struct run_set runs; /* the position of a run is the number of its mark */
};

/* For one thread at a time. */
struct outcome_index {
    struct outcome_runs **keys; /* by group, topic, partition */
    uint32_t key_count;
    uint32_t key_size;
    struct chunk_list marks; /* struct outcome_mark, in the order of time */
    size_t bytes;            /* allocated */
    uint32_t fresh;          /* earlier marks are not used again */
};

void outcome_index_init(struct outcome_index *index);
void outcome_index_done(struct outcome_index *index);

/* MEMORY: a part may have been added. */
enum err outcome_index_add(struct outcome_index *index,
                           const struct outcome_key *key,
                           uint64_t from,
                           uint64_t count,
                           const struct outcome_mark *mark) MUST_CHECK;
/* What was settled may be settled again from now on: the later one must be told from the earlier. */
void outcome_index_begin_anew(struct outcome_index *index);

/* NULL when nothing is told of the offset. */
const struct outcome_mark *
outcome_index_find(const struct outcome_index *index, const struct outcome_key *key, uint64_t offset);

int outcome_key_compare(const struct outcome_key *a, const struct outcome_key *b);
/* Dead letters are told by their distance. */
struct store_fate outcome_mark_fate(const struct outcome_mark *mark, uint64_t offset);

#endif
