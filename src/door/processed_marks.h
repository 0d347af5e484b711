/* What the lines of a processed log speak of: records to be settled, and messages that are waited for. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_PROCESSED_MARKS_H
#define DOOR_PROCESSED_MARKS_H

#include "base/clock.h"
#include "door/processed_runs.h"

enum { PROCESSED_WAITING_MAX = 1024 };

/* A number, or (0) a record's place. */
struct processed_mark {
    uint64_t number;
    struct store_position position;
};

/* A line whose message is not there, or not yet. */
struct waiting_line {
    struct processed_mark mark;
    uint64_t inode; /* where it stands */
    uint64_t offset;
    int64_t due_ns;
};

struct processed_marks {
    struct store *store;
    uint32_t sequence;
    struct span topic; /* of <partition>:<offset>; empty: none */
    const char *path;  /* for messages */
    struct processed_runs runs;
    struct waiting_line waiting[PROCESSED_WAITING_MAX];
    uint32_t waiting_count;
};

/* Whether a line, of however many records, may be taken. */
bool processed_marks_have_room(const struct processed_marks *marks);
/* A whole line that stands at a place of the file. What is not stored waits; what is no number, or cannot be, is counted. */
void processed_marks_take(
    struct processed_marks *marks, struct span line, uint64_t inode, uint64_t offset, int64_t now_ns);
/* Messages that have come meanwhile wait no more, nor do those whose time is over: these are counted. */
void processed_marks_ask_again(struct processed_marks *marks, int64_t now_ns);

/* The first offset in a file at which a line waits, or `offset`. */
uint64_t processed_marks_first_waiting(const struct processed_marks *marks, uint64_t inode, uint64_t offset);

#endif
