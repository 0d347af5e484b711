/* One message after the other through the whole loop: stored, subscribed, done, and known as processed. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_LOOP_H
#define CLI_BENCH_LOOP_H

#include "cli/bench_end.h"
#include "cli/bench_lines.h"
#include "cli/bench_result.h"
#include "cli/bench_socket.h"

struct bench_loop_settings {
    const char *produce_address;
    const char *subscribe_address;
    const char *status_address;
    const char *topic;
    const char *group;
    struct bench_trust trust;
    struct bench_shape shape;
    uint64_t first_seq;
    struct bench_end end;
};

/* The latency is from before a line is sent until GET_STATUS says PROCESSED: two syncs lie in between. */
enum err bench_loop_run(const struct bench_loop_settings *settings,
                        struct bench_result *result,
                        struct why *why) MUST_CHECK;

#endif
