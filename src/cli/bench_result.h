/* What one load came to, and how it is shown. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_RESULT_H
#define CLI_BENCH_RESULT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/histogram.h"

enum { BENCH_SECONDS_MAX = 3600 };

struct bench_result {
    const char *name; /* borrowed */
    uint64_t count;   /* lines, answers, syncs */
    uint64_t bytes;
    uint64_t refused; /* lines refused, numbers not stored */
    int64_t took_ns;
    int64_t cpu_ns; /* of this process meanwhile: whether the generator was the limit */
    struct histogram latency;
    uint64_t by_second[BENCH_SECONDS_MAX]; /* the count of each second */
};

/* NULL without memory: it is too large for a stack. */
struct bench_result *bench_result_new(const char *name);
/* Takes NULL; returns NULL. */
struct bench_result *bench_result_free(struct bench_result *result);

/* `count` more after so much time. */
void bench_result_add(struct bench_result *result, int64_t since_start_ns, uint64_t count, uint64_t bytes);

double bench_result_rate(const struct bench_result *result);

/* The head of the table, once; then a row each. `floor` per second: the ratio to it is shown, unless it is 0. */
void bench_result_print_head(void);
void bench_result_print(const struct bench_result *result, double floor);
/* One line of JSON. */
enum err bench_result_print_json(const struct bench_result *result) MUST_CHECK;

/* CPU time of this process until now. */
int64_t bench_cpu_ns(void);

#endif
