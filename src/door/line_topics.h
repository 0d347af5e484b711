/* The topics that a loop has met, by name, so that a line costs no call to the store. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_LINE_TOPICS_H
#define DOOR_LINE_TOPICS_H

#include "base/map.h"
#include "store/store.h"
#include "wire/line_error.h"
#include "wire/record_batch.h"

/* What one append gathers for one partition; empty between appends. */
struct line_slot {
    uint32_t topic; /* id */
    uint32_t partition;
    uint32_t number; /* among all slots of the loop: those of a topic follow one another */
    uint32_t records;
    size_t size;   /* of the records, exactly */
    uint16_t part; /* of the append that is laid out */
    struct record_batch_writer writer;
    bool is_used;
};

struct line_topic {
    struct store_topic topic;
    struct span name; /* in `topic` */
    bool is_reserved;
    struct line_slot slots[]; /* one a partition */
};

struct line_topics {
    struct store *store;
    bool auto_create;
    struct map by_name;
    struct line_topic *last;  /* lines of one topic often follow each other */
    struct line_slot **slots; /* by number */
    uint32_t slot_count;
    uint64_t *marks; /* a bit for each slot, to put some of them in order; all clear between two calls */
};

void line_topics_init(struct line_topics *topics, struct store *store, bool auto_create);
void line_topics_done(struct line_topics *topics);

/*
 * The topic of that name. One that the configuration names is created in any case and may be a reserved one. NONE, or:
 * BAD_NAME, ACCESS (reserved), UNKNOWN_TOPIC, TOO_MANY mean that there is no such topic; anything else that the store cannot
 * say now.
 */
enum err line_topics_find(struct line_topics *topics,
                          struct span name,
                          bool is_configured,
                          struct line_topic **ret_topic) MUST_CHECK;

/* Puts slots, each there once, in the order of their numbers. */
void line_topics_sort(struct line_topics *topics, struct line_slot **slots, uint32_t count);

#endif
