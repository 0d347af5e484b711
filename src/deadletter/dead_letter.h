/* The block of headers that makes a record a dead letter (docs/formats/dead-letter.md). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEADLETTER_DEAD_LETTER_H
#define DEADLETTER_DEAD_LETTER_H

#include "wire/record_batch.h"

enum {
    DEAD_LETTER_REASON_MAX = 1000,
    DEAD_LETTER_STACKTRACE_MAX = 16 * 1024,
    DEAD_LETTER_HEADERS_MAX = RECORD_BATCH_HEADERS_MAX - RECORD_HEADERS_MAX,
    DEAD_LETTER_SIZE_MAX =
        64 * 1024, /* of a block in a batch of its own, with everything around the original record */
};

/* What the block says. Spans that are empty were left out. */
struct dead_letter {
    struct span topic; /* of the original */
    uint32_t partition;
    uint64_t offset;
    int64_t timestamp_ms;
    struct span group; /* that gave it up */
    struct span by;
    struct span reason;
    uint16_t attempts;
    int64_t first_ms; /* when it was given up for the first time */
    int64_t last_ms;
    struct span stacktrace;
    struct span correlation_id; /* the consumer's: the record has no header for it */
    struct span traceability_id;
};

/*
 * False when the record has no block that is whole. *ret_headers: how many of its headers are the original's, all of them
 * without a block. Spans point into the record.
 */
bool dead_letter_read(const struct record *record, struct dead_letter *ret_letter, uint32_t *ret_headers);

/* A dead letter on its way into a batch, with room for what it points to. */
struct dead_letter_record {
    struct record record;
    struct record_header headers[RECORD_BATCH_HEADERS_MAX];
    struct dead_letter_numbers {
        uint8_t text[6][24];
        uint32_t count;
    } numbers;
};

/*
 * The original's key, value and first `headers` headers, and the block behind them. Longer reasons and stack traces are cut.
 * Whatever original and letter point to must stay; so must *ret_record, which may not be moved.
 */
void dead_letter_make(const struct record *original,
                      uint32_t headers,
                      const struct dead_letter *letter,
                      struct dead_letter_record *ret_record);

/* The value of the first header of that name, empty when there is none. */
struct span dead_letter_header(const struct record *record, uint32_t headers, const char *name);

/* By its name, <topic>.dlq. */
bool dead_letter_topic_is(struct span name);

#endif
