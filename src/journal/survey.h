/* Looks at every segment and index of a journal without changing anything: for inspection and verification. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_SURVEY_H
#define JOURNAL_SURVEY_H

#include "base/fs.h"
#include "base/why.h"
#include "journal/segment_header.h"

enum survey_state {
    SURVEY_SEALED,
    SURVEY_ACTIVE,   /* the highest that has begun: it may end in a torn tail */
    SURVEY_PREPARED, /* waits to begin */
    SURVEY_LOST,     /* its header cannot be read */
};

struct survey_segment {
    uint64_t number;
    enum survey_state state;
    struct segment_header header; /* not of PREPARED and LOST */
    uint64_t end;                 /* behind the last good frame */
    uint64_t frames_bytes;
    uint64_t records;
    int64_t first_ns;
    int64_t last_ns;
    bool has_index;
};

enum survey_finding {
    SURVEY_DAMAGE,
    SURVEY_LOSS, /* records that damage costs, of one partition, told as soon as what lies behind them shows it */
    SURVEY_TORN_TAIL, /* what was never acknowledged: no damage */
};

/* A group as the log leaves it. */
struct survey_group {
    const char *name;
    uint32_t id;
    uint32_t partitions; /* that it has begun */
    uint64_t behind;     /* offsets above its low-water marks, settled or not */
    uint64_t settled_above;
    bool has_done;
};

struct survey {
    struct fs *fs; /* the journal's directory; a running journal's is fine too */
    void (*on_segment)(void *owner, const struct survey_segment *segment);
    void (*on_group)(void *owner, const struct survey_group *group); /* at the end; may be NULL */
    void (*on_finding)(void *owner, enum survey_finding finding, const char *fields); /* logfmt */
    void (*on_progress)(void *owner, uint64_t done, uint64_t total);                  /* bytes; may be NULL */
    void *owner;
    /* Found: */
    uint64_t segments;
    uint64_t active; /* the number of the active one; 0: none */
    uint64_t records;
    uint64_t damages;
    uint64_t losses;
    uint64_t torn_tails;
};

/* NEWER_FORMAT with the reason, MEMORY, or what reading ended with. Damage is a finding, not an error. */
enum err survey_run(struct survey *survey, struct why *why) MUST_CHECK;

#endif
