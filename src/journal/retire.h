/* What it means that a segment retires: later first offsets, and a file to give away. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_RETIRE_H
#define JOURNAL_RETIRE_H

#include "journal/journal_state.h"
#include "journal/settle.h"

/* A start: topic 4, partition 4, first kept offset 8, bytes of the partition that went 8. */
enum {
    RETIRE_START_SIZE = 24,
    RETIRE_STARTS_MAX = 4096 * RETIRE_START_SIZE, /* bytes of starts in one frame */
};

struct retire_start {
    uint32_t topic;
    uint32_t partition;
    uint64_t offset;
    uint64_t bytes;
};

void retire_start_write(uint8_t *to, const struct retire_start *start);
/* What a RETIRE payload says, also to the groups; BAD_INPUT when it is malformed, MEMORY. *ret_number: the segment that went, or 0. */
enum err retire_apply(const struct settle *settle, struct span payload, uint64_t *ret_number) MUST_CHECK;
/* The payload of one frame; the last one of a segment names it, the others have number 0. To be freed; NULL without memory. */
uint8_t *retire_payload(uint64_t number, struct span starts, size_t *ret_len) MUST_CHECK;

/*
 * One frame for each lot of starts, counted as under way; the last one names the segment, when it goes; NULL: its file stays.
 * The view lock is held. MEMORY: none are made.
 */
enum err retire_make_frames(struct journal *journal,
                            struct segment *segment,
                            struct span starts,
                            struct list *frames) MUST_CHECK;
/* All that were made; the queue lock is not held. */
void retire_queue_frames(struct journal *journal, struct list *frames);

/* A RETIRE frame is synced, of this segment when it is not NULL; token and view are held. MEMORY. */
enum err retire_on_synced(struct journal *journal,
                          const struct settle *settle,
                          struct segment *segment,
                          struct span payload) MUST_CHECK;
/* The number of the segment that retired first, when nobody uses its file any more and more than `spare` of them wait; 0: none.
 * The oldest always goes first, so that what is left on disk has no hole. */
uint64_t retire_take_discarded(struct journal *journal, uint32_t spare);
/* A segment that retired in an earlier run, found at start: its file, if there still is one, is given away. */
void retire_adopt(struct journal *journal, struct segment *segment, bool has_file);

#endif
