/* A slow sender alone, and the same beside one that floods. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_FLOOD_H
#define CLI_BENCH_FLOOD_H

#include "cli/bench_produce.h"

struct bench_flood_settings {
    struct bench_produce_settings slow;
    struct bench_produce_settings flood; /* its end is the slow one's */
    int64_t time_ns;                     /* of each of the two */
};

struct bench_flood_results {
    struct bench_result *alone;
    struct bench_result *beside;
    struct bench_result *flood;
};

enum err bench_flood_run(const struct bench_flood_settings *settings,
                         const struct bench_flood_results *results,
                         struct why *why) MUST_CHECK;

#endif
