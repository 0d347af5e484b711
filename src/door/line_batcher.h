/* Makes one append of many lines: split and routed one by one, then sized, laid out and encoded together. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_LINE_BATCHER_H
#define DOOR_LINE_BATCHER_H

#include "door/line_append.h"
#include "door/line_identity.h"
#include "door/line_routes.h"
#include "door/line_topics.h"

enum {
    LINE_BATCHER_LINES_MAX = 16384, /* in one append */
    LINE_BATCHER_SLOTS_MAX = 4096,  /* partitions in one append */
};

enum line_fate {
    LINE_TAKEN,
    LINE_REFUSED, /* it will be in no append */
    LINE_FULL,    /* finish the append, then offer the line again */
    LINE_STALLED, /* the store cannot say now where it belongs: offer it again later */
};

struct line_entry;

/* One a loop and door. Lines are borrowed until line_batcher_finish. */
struct line_batcher {
    const struct produce_settings *settings;
    struct store *store;
    uint32_t sequence;
    struct line_routes routes;
    struct line_topics topics;
    struct line_identity identity;
    struct line_topic *otherwise; /* once it was needed */
    struct line_entry *entries;
    uint32_t entry_count;
    enum store_identity *states; /* of the entries' identities */
    struct line_slot **slots;    /* that the entries use */
    uint32_t slot_count;
    uint32_t run_count;   /* of consecutive numbers, if no line is dropped */
    uint64_t run_end;     /* the number that would extend the last of them */
    size_t size_bound;    /* the append's bytes are not more */
    size_t numbers_bound; /* nor what its numbers take of the store's limit beside them */
    size_t record_overhead_max;
    uint32_t turn; /* which partition keyless records go to */
};

/* `settings` must outlive the batcher. Errors: those of line_routes_init and of the store's sequence_open; CONFIG when no
 * line would fit into an append. */
enum err line_batcher_init(struct line_batcher *batcher,
                           const struct produce_settings *settings,
                           struct store *store,
                           struct why *why) MUST_CHECK;
void line_batcher_done(struct line_batcher *batcher);
/* The longest line that is never too long for an append: max_line, or less when the store's limit asks for it. */
uint32_t line_batcher_line_max(const struct line_batcher *batcher);

/* One line without its end; `fault` is NONE, or TOO_LONG for the first part of a line. REFUSED writes *ret_error. */
enum line_fate line_batcher_add(struct line_batcher *batcher,
                                struct span line,
                                enum line_error fault,
                                enum line_error *ret_error) MUST_CHECK;

static inline bool line_batcher_is_empty(const struct line_batcher *batcher)
{
    return batcher->entry_count == 0;
}

/*
 * The append of all lines taken since, at least one; the caller owns it. A record's time is `timestamp_ms`. MEMORY: nothing
 * happened to the store, and the lines are forgotten.
 */
enum err line_batcher_finish(struct line_batcher *batcher,
                             int64_t timestamp_ms,
                             struct line_append **ret_append) MUST_CHECK;

/* Gives up the lines taken since. */
void line_batcher_forget(struct line_batcher *batcher);

#endif
