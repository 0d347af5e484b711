/* One frame of a segment: the header in front of everything the journal writes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_FRAME_H
#define JOURNAL_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/span.h"
#include "store/append.h"

/*
 *   0 crc 4 | 4 length 4 | 8 kind 1 | 9 flags 1 | 10 zero 2 | 12 incarnation 4 | 16 lsn 8 | 24 payload | pad to 8
 *
 * docs/formats/journal.md 2. The CRC covers the segment's epoch and then byte 4 to the end of the pad.
 */
enum {
    FRAME_HEADER_SIZE = 24,
    FRAME_ALIGNMENT = 8,
    FRAME_GROUP_SIZE = FRAME_HEADER_SIZE + 32,
    FRAME_BATCH_PREFIX = 24, /* between the frame header and the record batch */
    FRAME_MORE = 1,          /* flag: the next frame belongs to the same atomic set */
};

_Static_assert(FRAME_HEADER_SIZE + FRAME_BATCH_PREFIX == STORE_PART_HEADROOM,
               "doors leave room for the frame");

enum frame_kind {
    FRAME_GROUP = 1,
    FRAME_BATCH = 2,
    FRAME_TOPIC = 3,
    FRAME_SEQUENCE = 4,
    FRAME_RUNS = 5,
    FRAME_IDENTITIES = 6,
    FRAME_CHECKPOINT = 7,
    FRAME_RETIRE = 8,
    FRAME_SEAL = 9,
    FRAME_MOVED = 10, /* reserved */
    FRAME_OUTCOMES = 11,
    FRAME_READER = 12,
    FRAME_SEEK = 13,
    FRAME_NOTE = 14,
    FRAME_KIND_END
};

struct frame {
    uint32_t len; /* header and payload, without the pad */
    uint8_t kind;
    uint8_t flags;
    uint32_t incarnation;
    uint64_t lsn;
    struct span payload;
};

static inline size_t frame_padded(size_t len)
{
    return (len + FRAME_ALIGNMENT - 1) & ~(size_t)(FRAME_ALIGNMENT - 1);
}

/* The part of the CRC that all frames of a segment share. */
uint32_t frame_crc_of_epoch(uint64_t epoch);

/* Fills in the header in front of a payload that stands already at `to` + 24, its pad zeroed. */
void frame_write(uint8_t *to, const struct frame *frame, uint32_t epoch_crc);

/* Reads the header alone, unverified: for candidates. At least FRAME_HEADER_SIZE bytes. */
struct frame frame_peek(const uint8_t *from);

/* Whether the front of `bytes` is a whole frame of this epoch: length within bytes, known fields zero, CRC. */
bool frame_read(struct span bytes, uint32_t epoch_crc, struct frame *ret_frame);

/* GROUP: synced end 8, length of the group 8, time 8, frames 4, zero 4. */
struct frame_group {
    uint64_t synced_end;
    uint64_t len;
    int64_t wall_ns;
    uint32_t frames;
};

void frame_group_write(uint8_t *payload, const struct frame_group *group);
bool frame_group_read(struct span payload, struct frame_group *ret_group);

/* BATCH: topic 4, partition 4, append time 8, records 4, zero 4, record batch. */
struct frame_batch {
    uint32_t topic;
    uint32_t partition;
    int64_t wall_ns;
    uint32_t records;
    struct span batch;
};

/*
 * RUNS: sequence 4, runs 4, producer's last number 8, length of its id 4, number of places 4, the runs (from 8, count 8),
 *       producer's id, the places (2 each).
 * IDENTITIES: number 4, zero 4, time 8, the hashes.
 */
enum {
    FRAME_RUNS_FIXED = 24,
    FRAME_RUN_SIZE = 16,
    FRAME_PLACE_SIZE = 2,
    FRAME_IDENTITIES_FIXED = 16,
    FRAME_IDENTITY_SIZE = 16,
};

struct frame_runs {
    uint32_t sequence;
    uint32_t run_count;
    uint64_t producer_last;
    struct span runs; /* as they stand in the frame */
    struct span producer;
    uint32_t place_count;
    struct span places; /* likewise */
};

_Static_assert((int)FRAME_RUN_SIZE == (int)STORE_RUN_SIZE &&
                   (int)FRAME_IDENTITY_SIZE == (int)STORE_IDENTITY_SIZE &&
                   FRAME_HEADER_SIZE + FRAME_RUNS_FIXED + FRAME_ALIGNMENT <= (int)STORE_NUMBERS_SIZE,
               "an append's limit counts these frames");

/* What the payload takes. */
size_t frame_runs_len(const struct store_append *append);
void frame_runs_write(uint8_t *payload, const struct store_append *append);
bool frame_runs_read(struct span payload, struct frame_runs *ret_runs);
struct store_run frame_runs_at(const struct frame_runs *runs, uint32_t index);

void frame_batch_write(uint8_t *payload, const struct frame_batch *batch);
bool frame_batch_read(struct span payload, struct frame_batch *ret_batch);

#endif
