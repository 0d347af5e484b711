/* When a load ends: after a time, after a count, or because somebody asked. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_END_H
#define CLI_BENCH_END_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct bench_end {
    int64_t at_ns;       /* on the monotonic clock */
    uint64_t count;      /* of lines, answers or syncs; 0: the time alone */
    _Atomic bool *asked; /* NULL: only signals ask */
    int64_t looks_ns;    /* when it looks for signals again */
};

/* SIGINT, SIGTERM and SIGHUP wait from now on, in all threads started later, so that files are cleaned up. */
void bench_hold_signals(void);
/* Whether one of them waits. */
bool bench_is_interrupted(void);

bool bench_end_is_reached(struct bench_end *end, int64_t now_ns, uint64_t count);

#endif
