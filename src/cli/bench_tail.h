/* Reads a topic from its start through the control socket, and counts. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_TAIL_H
#define CLI_BENCH_TAIL_H

#include "base/why.h"
#include "cli/bench_end.h"
#include "cli/bench_result.h"

struct bench_tail_settings {
    const char *data; /* directory of the running program */
    const char *topic;
    struct bench_end end; /* or the topic's */
};

enum err bench_tail_run(const struct bench_tail_settings *settings,
                        struct bench_result *result,
                        struct why *why) MUST_CHECK;

#endif
