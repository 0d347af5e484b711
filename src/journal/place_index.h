/* In which batch, and where in it, each number of a segment was stored: in memory, for the active segment. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_PLACE_INDEX_H
#define JOURNAL_PLACE_INDEX_H

#include "journal/chunk_list.h"
#include "journal/run_set.h"

enum { PLACE_INDEX_SEQUENCES_MAX = 64 };

/* Instead of a topic: the numbers of the run are scattered over the batches from number `partition` on. */
#define PLACE_SCATTERED UINT32_MAX

/*
 * What the numbers of a run share. Those in one partition stand at `number + shift`; of scattered ones the place is entry
 * `number + shift`. Numbers that go on at the next offset within a second share it, too.
 */
struct place_spot {
    uint32_t topic;
    uint32_t partition;
    uint64_t shift;
    int64_t wall_ns; /* of the append, within a second */
};

/* A batch that scattered numbers lie in. */
struct place_batch {
    uint32_t topic;
    uint32_t partition;
    uint64_t base_offset;
    uint32_t records; /* not kept in the file */
};

/* Of one scattered number: which of its append's batches, which record of it. */
struct place_entry {
    uint16_t batch;
    uint16_t record;
};

/* An append: its numbers in the order of its runs, and the batches that hold them. */
struct place_append {
    uint32_t sequence;
    const struct store_run *runs;
    uint32_t run_count;
    const uint16_t *places;       /* the append's own, or NULL */
    const uint8_t *places_framed; /* then as the frame RUNS has them, 2 bytes each */
    uint32_t place_count;
    const struct place_batch *batches;
    uint32_t batch_count;
    int64_t wall_ns;
};

/* For one thread at a time. */
struct place_index {
    struct run_set sequences[PLACE_INDEX_SEQUENCES_MAX]; /* the position of a run is the number of its spot */
    struct chunk_list spots;                             /* struct place_spot */
    struct chunk_list batches;                           /* struct place_batch */
    struct chunk_list entries;                           /* struct place_entry */
    size_t bytes;                                        /* allocated */
    uint32_t *counters;                                  /* of records, for the append that is being added */
    uint32_t counter_count;
};

void place_index_init(struct place_index *index);
void place_index_done(struct place_index *index);

/* Places that are not told, or that contradict the batches, are not known: nothing is added. MEMORY. */
enum err place_index_add(struct place_index *index, const struct place_append *append) MUST_CHECK;

/* Where a number stands. */
struct place_found {
    uint32_t topic;
    uint32_t partition;
    uint64_t offset;
    int64_t wall_ns;
};

/* How many were found, at most `size`. */
uint32_t place_index_find(const struct place_index *index,
                          uint32_t sequence,
                          uint64_t number,
                          struct place_found *found,
                          uint32_t size);

#endif
