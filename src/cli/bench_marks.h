/* When which of the numbered things in flight was sent: what a latency is taken from. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_MARKS_H
#define CLI_BENCH_MARKS_H

#include <stdint.h>

#include "base/histogram.h"

enum { BENCH_MARKS_MAX = 256 };

struct bench_mark {
    uint64_t number;
    int64_t sent_ns;
};

/* A queue; what finds no room in it is not measured. */
struct bench_marks {
    struct bench_mark marks[BENCH_MARKS_MAX];
    uint32_t first;
    uint32_t count;
};

static inline void bench_marks_add(struct bench_marks *marks, uint64_t number, int64_t now_ns)
{
    if (marks->count == BENCH_MARKS_MAX)
        return;
    marks->marks[(marks->first + marks->count++) % BENCH_MARKS_MAX] = (struct bench_mark){number, now_ns};
}

/* All up to `number` are answered. */
static inline void
bench_marks_settle(struct bench_marks *marks, uint64_t number, int64_t now_ns, struct histogram *latency)
{
    while (marks->count > 0 && marks->marks[marks->first].number <= number) {
        histogram_add(latency, (uint64_t)(now_ns - marks->marks[marks->first].sent_ns));
        marks->first = (marks->first + 1) % BENCH_MARKS_MAX;
        marks->count--;
    }
}

#endif
