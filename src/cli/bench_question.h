/* A load of questions about numbers, on an acks or a status door. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_QUESTION_H
#define CLI_BENCH_QUESTION_H

#include "base/why.h"
#include "cli/bench_end.h"
#include "cli/bench_result.h"
#include "cli/bench_socket.h"

struct bench_question_kind {
    const char *word; /* with the blank behind it */
    char third;       /* the third letter of an answer that says yes: the first in which all differ */
};
extern const struct bench_question_kind bench_question_acks;
extern const struct bench_question_kind bench_question_status;

struct bench_question_settings {
    const struct bench_question_kind *kind;
    const char *address;
    struct bench_trust trust;
    uint32_t depth;      /* requests in flight; 1: one by one */
    uint64_t first_seq;  /* numbers asked about, at random: */
    uint64_t behind_seq; /* first_seq .. behind_seq - 1 */
    struct bench_end end;
};

enum { BENCH_QUESTION_DEPTH_MAX = 2000 };

/* Refused in the result are numbers that are not stored, or not processed. The latency is that of half the depth together. */
enum err bench_question_run(const struct bench_question_settings *settings,
                            struct bench_result *result,
                            struct why *why) MUST_CHECK;

#endif
