/* One segment as the running journal knows it, and the table of all of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_SEGMENT_H
#define JOURNAL_SEGMENT_H

#include <stdint.h>

#include "base/fs.h"
#include "base/list.h"
#include "journal/index_file.h"
#include "journal/segment_index.h"
#include "journal/segment_name.h"

enum segment_state {
    SEGMENT_ACTIVE,     /* being written */
    SEGMENT_SEALED,     /* whole: read only */
    SEGMENT_RETIRING,   /* its RETIRE frame is under way; still read */
    SEGMENT_INDEX_ONLY, /* records gone, sequence numbers still answered (receipts.keep) */
    SEGMENT_STATE_COUNT
};

/* What a segment holds of one sequence. */
struct segment_summary {
    uint32_t sequence;
    uint32_t runs; /* 1: every number from lowest to highest */
    uint64_t lowest;
    uint64_t highest;
};

/* Guarded by the journal's view lock, but for what is opened once and then only read. */
struct segment {
    uint64_t number;
    uint64_t epoch;
    uint64_t size; /* of its file, whatever log.segment_size says today; 0: the format did not say it then */
    uint64_t end;  /* behind the last frame; of the active one: synced */
    uint64_t first_lsn;
    uint64_t last_lsn;
    int64_t first_ns;
    int64_t last_ns;
    enum segment_state state;
    uint32_t references;           /* readers in it; it is neither removed nor recycled meanwhile */
    struct fs_file *file;          /* NULL: not open */
    struct segment_index *index;   /* in memory until the index file is there */
    struct index_file *index_file; /* NULL: not open, or not written */
    bool index_is_lost;            /* nor can it be made again: what only it knew is not known any more */
    bool index_is_new;             /* it is known to have all that this program writes */
    bool index_is_bad;             /* a block of the file is damaged: it is to be made again */
    bool is_lost;                  /* it cannot be opened: readers step past it */
    struct segment_summary *summaries;
    uint32_t summary_count;
    uint32_t identity_count;  /* in its index */
    struct index_slot *slots; /* all partitions as it was sealed, until the index file is there */
    uint32_t slot_count;
    struct list link; /* when it is out of the table */
};

/* By number, ascending; the last is the active one. */
struct segment_table {
    struct segment **segments;
    uint32_t count;
    uint32_t size;
};

struct segment *segment_new(uint64_t number, uint64_t epoch);
/* Closes what is open. Returns NULL. */
struct segment *segment_free(struct segment *segment);

/* Moves along the permitted ways only. */
void segment_move(struct segment *segment, enum segment_state state);

/*
 * What was written and not synced may be in the kernel's memory alone; after a sync that failed it is even taken for
 * clean there. So what was read back from there and counts from now on is written once more, and synced.
 */
enum err segment_make_certain(struct fs_file *file, uint64_t from, uint64_t end) MUST_CHECK;

/* Takes the summaries out of the index in memory. */
enum err segment_summarise(struct segment *segment) MUST_CHECK;

/* What a lookup in the index file ended with. DAMAGED closes the file for good and becomes AGAIN: it must be made again. */
enum err segment_index_outcome(struct segment *segment, enum err err) MUST_CHECK;

enum err segment_table_add(struct segment_table *table, struct segment *segment) MUST_CHECK;
struct segment *segment_table_find(const struct segment_table *table, uint64_t number);
/* The one with the highest number below `number`; NULL when there is none. */
struct segment *segment_table_before(const struct segment_table *table, uint64_t number);
/* Takes it out; the caller owns it again. */
void segment_table_remove(struct segment_table *table, const struct segment *segment);
void segment_table_done(struct segment_table *table);
/* NULL in an empty table. */
static inline struct segment *segment_table_last(const struct segment_table *table)
{
    return table->count == 0 ? NULL : table->segments[table->count - 1];
}
/* Of a journal that has been recovered. */
static inline struct segment *segment_table_active(const struct segment_table *table)
{
    check(table->count > 0);
    return table->segments[table->count - 1];
}

#endif
