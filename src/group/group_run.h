/* Records of one member among 64 neighbouring offsets, or records that came back and will be given again. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GROUP_GROUP_RUN_H
#define GROUP_GROUP_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct group_chunk;
struct group_member;
struct group_stream;

enum {
    GROUP_BLOCK_BITS = 6,
    GROUP_BLOCK_SIZE = 1 << GROUP_BLOCK_BITS,
    GROUP_RUN_SEQ_BIAS = GROUP_BLOCK_SIZE, /* keeps the number of a block's first offset above zero */
};

/*
 * Where a producer counts along with the offsets, number minus offset is the same for all records of a run, so one run stands
 * for up to 64 records, with or without gaps. Other producers' records between them are runs of their own.
 */
struct group_run {
    struct group_run *next;      /* of the same block */
    struct list link;            /* in its member's; in those that wait for their time; else alone */
    struct group_chunk *chunk;   /* where its bits stand */
    struct group_member *member; /* NULL: came back */
    struct group_stream *stream; /* it was read from */
    uint64_t block;              /* offset / GROUP_BLOCK_SIZE */
    uint64_t mask;               /* its offsets in the block; never 0 */
    uint64_t seq;                /* of the block's first offset, biased; see group_run_seq */
    int64_t time_ns; /* when the first was given; of one that came back: when it may be given, 0: now */
    uint16_t attempts;
    bool has_seq;
};

static inline uint64_t group_run_seq(uint64_t seq, uint64_t offset)
{
    return seq + GROUP_RUN_SEQ_BIAS - offset % GROUP_BLOCK_SIZE;
}

static inline uint64_t group_bit(uint64_t offset)
{
    return UINT64_C(1) << (offset % GROUP_BLOCK_SIZE);
}

static inline bool group_run_waits(const struct group_run *run)
{
    return run->member == NULL && run->time_ns > 0;
}

#endif
