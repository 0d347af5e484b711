/* What the log knows beside its records: topics, partitions, sequences, producers, groups, notes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_CATALOG_H
#define JOURNAL_CATALOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/map.h"
#include "journal/group_book.h"
#include "journal/note_book.h"
#include "store/store.h"

enum {
    CATALOG_SEQUENCES_MAX = 64,
    CATALOG_SEQUENCE_NAME_MAX = 200,
    CATALOG_PRODUCERS_MAX = 4096,
    CATALOG_TOPICS_MAX =
        1 << 18, /* more than any configuration allows: those of an earlier one are still known */
};

struct journal_topic_settings;

struct partition {
    uint32_t topic;
    uint32_t partition;
    uint32_t slot;  /* dense over all partitions, in order of creation */
    uint64_t start; /* first offset that is kept */
    uint64_t end;   /* behind the last synced record */
    uint64_t next;  /* the writer's: the next offset to give */
    uint64_t bytes; /* frames of this partition in kept segments */
};

/* See topic_limit.h. */
struct topic_limit {
    bool is_full;
    bool has_group;
    uint32_t version; /* of the settings that the two others were found in */
    const struct journal_topic_settings *settings;
};

/* See expiry.c. */
struct topic_expiry {
    uint64_t from;  /* no sealed segment with a number below this holds a record of the topic that is kept */
    uint64_t asked; /* the segment in which it is to be judged; 0: none */
};

struct topic {
    struct store_topic public;
    struct topic_limit limit;
    struct topic_expiry expiry;
    int64_t created_ns;
    struct partition *partitions; /* public.partitions of them */
};

struct sequence {
    uint64_t highest;      /* synced */
    _Atomic uint64_t next; /* the next number to give away */
    size_t name_len;
    char name[CATALOG_SEQUENCE_NAME_MAX];
};

struct producer {
    uint32_t sequence;
    uint64_t last; /* the highest number synced from it */
    uint64_t lsn;  /* of its last change */
    size_t key_len;
    uint8_t key[4 + STORE_PRODUCER_MAX]; /* sequence, id: what the map is keyed by */
};

/* Guarded by the journal's view lock; topics and partitions never move once they exist. */
struct catalog {
    struct topic **topics; /* by id, dense from 0 */
    uint32_t topic_count;
    uint32_t topics_size;
    uint32_t topics_max;
    struct map topics_by_name;
    struct partition **slots;
    uint32_t slot_count;
    uint32_t slots_size;
    struct sequence sequences[CATALOG_SEQUENCES_MAX];
    uint32_t sequence_count;
    struct map producers;
    uint32_t producers_max;
    struct group_book groups;
    struct note_book notes;
};

struct catalog_limits {
    uint32_t topics_max;
    uint32_t producers_max; /* of more than these, those are forgotten that have been silent longest */
    size_t groups_size_max; /* bytes of a checkpoint */
    size_t notes_size_max;
};

/* Memory comes with what is in it. */
void catalog_init(struct catalog *catalog, const struct catalog_limits *limits, uint64_t seed);
void catalog_done(struct catalog *catalog);

struct topic *catalog_topic_by_name(const struct catalog *catalog, struct span name);
/* NULL when there is none. */
struct partition *catalog_partition(const struct catalog *catalog, uint32_t topic, uint32_t partition);
/* `id` must be the next free one when it comes from the log (BAD_INPUT otherwise); TOO_MANY, BAD_NAME, MEMORY. */
enum err catalog_topic_add(struct catalog *catalog,
                           uint32_t id,
                           struct span name,
                           uint32_t partitions,
                           int64_t created_ns,
                           struct topic **ret_topic) MUST_CHECK;

/* The sequence's index; -1 when there is none of this name. */
int catalog_sequence_by_name(const struct catalog *catalog, struct span name);
enum err catalog_sequence_add(struct catalog *catalog, uint32_t index, struct span name) MUST_CHECK;
/* `number` is synced. */
void catalog_sequence_raise(struct catalog *catalog, uint32_t sequence, uint64_t number);

struct producer *catalog_producer(const struct catalog *catalog, uint32_t sequence, struct span id);
/* One that is new and has been silent for longer than all that are known does not enter. */
enum err catalog_producer_raise(
    struct catalog *catalog, uint32_t sequence, struct span id, uint64_t number, uint64_t lsn) MUST_CHECK;
struct span catalog_producer_id(const struct producer *producer);

#endif
