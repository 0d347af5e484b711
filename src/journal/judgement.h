/* Which topics have expired in a segment: by age, by size, consumed, or given up; never what a named group still needs. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_JUDGEMENT_H
#define JOURNAL_JUDGEMENT_H

#include "journal/journal_state.h"

/* The sums of the topic that is being looked at. */
struct judged_topic {
    uint32_t id;
    uint64_t bytes;
    int64_t last_ns;
    bool is_held;
    uint64_t needed; /* records that a named group has not completed */
    struct why holder;
    size_t starts_from; /* its starts begin here */
};

struct judgement {
    struct journal *journal;
    int64_t now_ns;
    bool age_counts;
    /* Set by the caller: */
    bool is_forced;   /* the log's ceiling is reached: what has not expired goes too */
    bool lacks_space; /* the disk is full: so does what may be dropped */
    bool only_asked;  /* only topics that are asked about in this segment (struct topic_expiry) */
    /* The verdict: */
    bool is_kept;         /* something of what was looked at has not expired */
    struct buffer starts; /* of the topics that have (retire.h) */
    uint64_t dropped;     /* records in them that a policy gives up although a reader needs them */
    struct why holder;    /* who needs some */
    struct judged_topic topic;
    enum err err;
};

void judgement_begin(struct judgement *judgement, struct journal *journal);
void judgement_end(struct judgement *judgement);

/*
 * What has gone from the segment already is passed over. The view lock is held: partitions and holds stand still. One
 * directory is read under it; the index file is open. A topic that was asked about and has records there is asked no more.
 */
enum err judgement_of(struct judgement *judgement, struct segment *segment) MUST_CHECK;
/* Opens its index file, if that can be done: without the view lock, which is held before and behind. */
void judgement_open_index(struct journal *journal, struct segment *segment);
/* Counts and logs what is given up; no lock is held. */
void judgement_tell_dropped(const struct judgement *judgement, const struct segment *segment);

/* A wall clock that jumped would expire everything at once: age stops counting for a while. */
bool judgement_age_counts(struct journal *journal);

#endif
