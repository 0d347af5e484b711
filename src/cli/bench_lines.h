/* A block of ready lines for the load generator: only their sequence numbers change between uses. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_LINES_H
#define CLI_BENCH_LINES_H

#include "base/err.h"
#include "base/random.h"
#include "base/span.h"
#include "base/why.h"

/* All numbers have ten digits, so that a line can be numbered in place. */
#define BENCH_SEQ_FIRST UINT64_C(1000000001)
#define BENCH_SEQ_LAST  UINT64_C(9999999999)

enum { BENCH_SEQ_DIGITS = 10 };

/* What lines look like. */
struct bench_shape {
    const char *fields; /* as the door's, of: topic key timestamp seq body */
    uint32_t size;      /* of a line with its end */
    uint32_t keys;      /* taken in turn; 0: 32 random bits each */
    uint32_t topics;    /* taken at random: topic-0, topic-1, ... */
};

struct bench_lines {
    uint8_t *data;
    uint32_t size;   /* of each line */
    uint32_t count;  /* lines in the block */
    uint32_t seq_at; /* where in a line its number stands */
};

/* As many lines as fit in a mebibyte, at most `count_max`. BAD_INPUT, TOO_LARGE with the reason, MEMORY. */
enum err bench_lines_init(struct bench_lines *lines,
                          const struct bench_shape *shape,
                          uint32_t count_max,
                          struct random *random,
                          struct why *why) MUST_CHECK;
void bench_lines_done(struct bench_lines *lines);

/* Numbers lines [from, from + count) upwards from `seq`; their bytes, valid until they are numbered again. */
struct span bench_lines_number(struct bench_lines *lines, uint32_t from, uint32_t count, uint64_t seq);

/* How many lines end in these bytes. */
uint64_t bench_count_lines(struct span bytes);

/* `seq` as BENCH_SEQ_DIGITS digits. */
void bench_put_seq(uint8_t *to, uint64_t seq);

#endif
