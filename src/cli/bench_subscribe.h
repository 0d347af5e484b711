/* A load of subscribers on a subscribe door, from one thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_SUBSCRIBE_H
#define CLI_BENCH_SUBSCRIBE_H

#include "cli/bench_end.h"
#include "cli/bench_result.h"
#include "cli/bench_subscriber.h"

enum { BENCH_SUBSCRIBERS_MAX = 256 };

struct bench_subscribe_settings {
    struct bench_subscriber_settings subscriber;
    const char *group;    /* GROUP-0, GROUP-1, ...; NULL: plain streams */
    uint32_t groups;      /* how many of them */
    uint32_t connections; /* of each group, or plain ones */
    struct bench_end end; /* the count is that of all connections together */
};

/* Receives until the end; then members leave, and all that they were done with is synced when the result is there. */
enum err bench_subscribe_run(const struct bench_subscribe_settings *settings,
                             struct bench_result *result,
                             struct why *why) MUST_CHECK;

#endif
