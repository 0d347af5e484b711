/* Reads a topic and writes its records to a stream as canonical lines, as fast as the peer takes them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_TOPIC_READER_H
#define DOOR_TOPIC_READER_H

#include "door/line_writer.h"
#include "door/read_pool.h"
#include "store/store.h"
#include "wire/line_canonical.h"

enum topic_reader_from { TOPIC_READER_FROM_START, TOPIC_READER_FROM_END, TOPIC_READER_FROM_OFFSET };

enum { TOPIC_READER_ALL_PARTITIONS = -1 };

struct topic_reader_options {
    struct store_topic topic;
    enum topic_reader_from from;
    uint64_t offset;   /* with FROM_OFFSET; it holds for each partition that is read */
    int64_t partition; /* the one that is read, or TOPIC_READER_ALL_PARTITIONS */
    bool follow;       /* at the end waits for more; else stops where the end was when it began */
    uint64_t limit;    /* lines; 0: no limit */
    enum line_encoding encoding;
};

struct topic_reader_events {
    /*
     * Nothing more will be written, and what was ends with a whole line: NONE at the end, CLOSED when the stream is gone, else
     * what went wrong and where. TOO_MANY: the writer can hold no more, a line is torn. Not from inside a call.
     */
    void (*on_finished)(void *owner, enum err err, const struct why *why);
    /* Retention took [from, to) of a partition before they were read; all before it is written. May be NULL. Not from inside a call. */
    void (*on_gap)(void *owner, uint32_t partition, uint64_t from, uint64_t to);
    void *owner;
};

struct topic_reader;

/* Begins to write in a later turn. UNKNOWN_TOPIC for a partition that is not there, MEMORY. */
enum err topic_reader_new(const struct topic_reader_options *options,
                          struct store *store,
                          struct read_pool *pool,
                          struct line_writer *writer,
                          struct topic_reader_events events,
                          struct topic_reader **ret_reader) MUST_CHECK;

/* The owner has resumed the writer. */
void topic_reader_resume(struct topic_reader *reader);

/* Reads no more, and finishes with `outcome` when the lines that it has made are written. */
void topic_reader_end(struct topic_reader *reader, enum err outcome);

/* Writes no more and calls nobody; frees itself when the store owes it nothing. Takes NULL; returns NULL. */
struct topic_reader *topic_reader_close(struct topic_reader *reader);

#endif
