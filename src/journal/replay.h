/* What frames do to the state: the one reading of them, for recovery and for making an index again. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_REPLAY_H
#define JOURNAL_REPLAY_H

#include "base/buffer.h"
#include "journal/frame.h"
#include "journal/journal_state.h"

/* Any of the targets may be NULL: then frames do nothing to it. */
struct replay {
    struct catalog *catalog;
    struct segment_table *table;
    struct segment_index *index;
    struct identity_window *identities;
    uint64_t records;
    uint64_t gaps;         /* batches whose offset is not the expected one */
    uint64_t strange;      /* frames whose payload makes no sense */
    uint64_t set_position; /* of the set being applied: where appends begin */
    uint64_t synced_end;   /* that the last group speaks of */
    int64_t wall_ns;       /* of the last group */
    int64_t first_ns;
    int64_t last_ns;
    bool is_sealed;
    struct buffer batches;    /* struct place_batch of the set being applied */
    struct buffer runs;       /* struct store_run, of its RUNS frame */
    struct buffer checkpoint; /* the pieces so far */
    bool has_checkpoint;      /* a whole one was found; it is in `checkpoint` until the next begins */
    /* NULL: what belongs to a name whose frame is lost is strange. Otherwise it gets a name, and this is told. */
    void (*on_lost_name)(void *owner, const char *name);
    void (*on_gap)(void *owner, const struct frame_batch *batch, uint64_t expected, uint64_t found);
    void *owner;
};

void replay_init(struct replay *replay);
void replay_done(struct replay *replay);
/* Applies the frames of a set, in order. MEMORY; what makes no sense is only counted. */
enum err replay_set(struct replay *replay, struct span frames, uint64_t position) MUST_CHECK;

/*
 * Fills the index of a sealed segment from its frames; bad ranges are passed over. *ret_catalog: the state at its end; the
 * caller is done with it afterwards. NOT_FOUND, DAMAGED: the checkpoint that it begins with cannot be had.
 */
enum err
replay_index(struct journal *journal, struct segment *segment, struct catalog *ret_catalog) MUST_CHECK;
/* The state at the beginning of segment `number`; the caller is done with both afterwards. NOT_FOUND, DAMAGED. */
enum err replay_checkpoint_of(struct journal *journal,
                              uint64_t number,
                              struct catalog *ret_catalog,
                              struct segment_table *ret_table) MUST_CHECK;

/* The header page of a segment file. */
enum err replay_read_header(struct fs_file *file,
                            struct segment_header *ret_header,
                            enum segment_header_state *ret_state,
                            struct why *why) MUST_CHECK;

#endif
