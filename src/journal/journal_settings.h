/* What a journal is opened with, and what it tells: settings, seams, events. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_JOURNAL_SETTINGS_H
#define JOURNAL_JOURNAL_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/random.h"

enum journal_when_full { JOURNAL_BLOCK, JOURNAL_DROP_OLDEST };

struct journal_topic_settings {
    const char *name; /* NULL in the defaults */
    uint32_t partitions;
    enum journal_when_full when_full;
    int64_t retention_age_ns; /* 0: no limit */
    uint64_t retention_size;  /* bytes of the topic; 0: no limit */
    bool consumed;            /* records go as soon as all named groups are past */
};

/* A group that the configuration names: retention keeps what it has not completed. */
struct journal_named_group {
    const char *name;
    const char
        *topic; /* NULL: all that the settings do not name, but for those that the program alone writes */
    bool has_partition;
    uint32_t partition; /* the one that it reads; else all */
};

struct journal_settings {
    uint64_t segment_size; /* a multiple of 4 KiB */
    uint64_t size_max;     /* of all segments together */
    uint32_t record_size_max;
    uint32_t append_size_max;
    uint32_t topics_max; /* created by input; configured ones come on top */
    bool auto_create;
    bool ack_written; /* log.ack: written */
    int64_t receipts_keep_ns;
    uint64_t receipts_size_max; /* of index files whose segments are retired */
    int64_t scrub_every_ns;     /* from one pass over sealed data to the next; 0: none */
    uint64_t scrub_rate;        /* bytes a second */
    int64_t identities_keep_ns;
    uint32_t identities_max;
    struct journal_topic_settings defaults;
    const struct journal_topic_settings *topics; /* must live as long as the journal, or until it reloads */
    uint32_t topic_count;
    const struct journal_named_group *groups;
    uint32_t group_count;
};

/* What holds for a topic: its own settings, or the defaults. */
const struct journal_topic_settings *journal_settings_of_topic(const struct journal_settings *settings,
                                                               const char *name);

/* The values of the configuration page. */
void journal_settings_default(struct journal_settings *settings);

/* What an operator should hear; the text is logfmt fields. Any thread of the journal. */
enum journal_event {
    JOURNAL_EVENT_DAMAGE,
    JOURNAL_EVENT_TORN_TAIL,
    JOURNAL_EVENT_SET_ASIDE,
    JOURNAL_EVENT_FULL,
    JOURNAL_EVENT_OPEN_AGAIN,
    JOURNAL_EVENT_BROKEN,
    JOURNAL_EVENT_CLOCK_JUMP,
    JOURNAL_EVENT_DROPPED,
    JOURNAL_EVENT_CHORE_FAILED,
    JOURNAL_EVENT_COUNT
};

struct journal_seams {
    struct fs *fs;
    struct clock *clock;
    struct random *random; /* NULL: the kernel's */
    void (*on_event)(void *owner, enum journal_event event, const char *fields);
    void (*on_progress)(void *owner, uint64_t done, uint64_t total); /* bytes of recovery; may be NULL */
    void *owner;
};

struct journal_recovery {
    uint64_t segments_scanned;
    uint64_t bytes_scanned;
    uint64_t records_scanned;
    uint64_t damaged_ranges;
    uint64_t torn_bytes;
    int64_t took_ns;
    bool created; /* there was no journal */
};

/*
 * How many segments a checkpoint may list: it begins each segment and must leave it room. Those that are kept take at most
 * half of that, the rest is for retired ones whose numbers are still known. Small segments therefore make a small log: at
 * most 2 TiB of 64 MiB each, 512 MiB of 1 MiB each, and less with many sequences, each of which makes the entries longer
 * (retention.c).
 */
uint64_t journal_settings_listed_max(const struct journal_settings *settings);
uint64_t journal_settings_kept_max(const struct journal_settings *settings);
/* The segment_size that each kept segment asks for. */
uint64_t journal_settings_size_per_kept(void);

#endif
