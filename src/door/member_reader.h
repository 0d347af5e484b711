/* A member of a group that writes what it is given to a peer, as canonical lines, as fast as the peer takes them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_MEMBER_READER_H
#define DOOR_MEMBER_READER_H

#include "base/why.h"
#include "door/line_writer.h"
#include "door/read_pool.h"
#include "group/group.h"
#include "wire/line_canonical.h"

struct member_reader_options {
    struct group_member_settings member;
    enum line_encoding encoding;
    bool settles;   /* each record is done as soon as its line is handed to the stream */
    uint64_t limit; /* lines; 0: no limit */
};

/* None comes from inside a call but on_gap, and the reader outlives it. */
struct member_reader_events {
    /* Nothing more will be written: NONE at the limit or the end, CLOSED, TOO_MANY (a line is torn), MEMORY. */
    void (*on_finished)(void *owner, enum err err, const struct why *why);
    /* Retention took [from, to) before the group came to it; all before it is written. */
    void (*on_gap)(void *owner, uint32_t topic, uint32_t partition, uint64_t from, uint64_t to);
    void *owner;
};

struct member_reader;

/* Joins the group. The pool lends its lines. As group_join. */
enum err member_reader_new(const struct member_reader_options *options,
                           struct group *group,
                           struct read_pool *pool,
                           struct line_writer *writer,
                           const struct member_reader_events *events,
                           struct member_reader **ret_reader) MUST_CHECK;

/* For commands. */
struct group_member *member_reader_member(struct member_reader *reader);
/* After commands: so that the metric is true. */
void member_reader_count_open(struct member_reader *reader);
/* The owner has resumed the writer. */
void member_reader_resume(struct member_reader *reader);
/* Takes nothing more, and finishes with `outcome` when the lines that it has made are written. */
void member_reader_end(struct member_reader *reader, enum err outcome);
/* Leaves the group: open records go back. Takes NULL; returns NULL. */
struct member_reader *member_reader_close(struct member_reader *reader);

#endif
