/* A load of lines on a produce door, from one thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_PRODUCE_H
#define CLI_BENCH_PRODUCE_H

#include "cli/bench_end.h"
#include "cli/bench_result.h"
#include "cli/bench_sender.h"

struct bench_produce_settings {
    struct bench_sender_settings sender;
    uint32_t connections;
    uint64_t first_seq; /* all connections share one counter */
    int64_t pace_ns;    /* one line of each connection every so often; 0: as fast as it goes */
    struct bench_end end;
};

/*
 * Sends until the end, then waits until all is settled; in plain mode until the door has closed behind the last line.
 * The result's latency is that of the last line of each write, from before the write to its acknowledgement.
 */
enum err bench_produce_run(const struct bench_produce_settings *settings,
                           struct bench_result *result,
                           struct why *why) MUST_CHECK;

#endif
