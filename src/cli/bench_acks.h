/* A load of GET_ACK on an acks door. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_ACKS_H
#define CLI_BENCH_ACKS_H

#include "base/why.h"
#include "cli/bench_end.h"
#include "cli/bench_result.h"
#include "cli/bench_socket.h"

struct bench_acks_settings {
    const char *address;
    struct bench_trust trust;
    uint32_t depth;      /* requests in flight; 1: one by one */
    uint64_t first_seq;  /* numbers asked about, at random: */
    uint64_t behind_seq; /* first_seq .. behind_seq - 1 */
    struct bench_end end;
};

enum { BENCH_ACKS_DEPTH_MAX = 2000 };

/* Refused in the result are numbers that are not stored. The latency is that of half the depth together. */
enum err bench_acks_run(const struct bench_acks_settings *settings,
                        struct bench_result *result,
                        struct why *why) MUST_CHECK;

#endif
