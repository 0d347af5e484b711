/* How often which value came, in fixed memory: for latencies in nanoseconds. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdint.h>

/* Each power of two is divided into this many equal parts, so a value is known to about 3 %. */
enum { HISTOGRAM_PARTS = 32, HISTOGRAM_BINS = 60 * HISTOGRAM_PARTS };

struct histogram {
    uint64_t count;
    uint64_t sum;
    uint64_t min;
    uint64_t max;
    uint64_t bins[HISTOGRAM_BINS];
};

void histogram_init(struct histogram *histogram);
void histogram_add(struct histogram *histogram, uint64_t value);
/* Adds all that `source` has seen. */
void histogram_merge(struct histogram *target, const struct histogram *source);

/* The value that `percent` of 100 do not exceed, from above to about 3 %, never above max; 0 when empty. */
uint64_t histogram_percentile(const struct histogram *histogram, double percent);

#endif
