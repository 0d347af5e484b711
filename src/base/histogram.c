/* A log-linear histogram: bins as wide as a 32nd of the power of two below them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/histogram.h"

#include <stddef.h>

#include "base/check.h"

enum { PART_BITS = 5 };

_Static_assert(1 << PART_BITS == HISTOGRAM_PARTS, "a part is PART_BITS bits of a value");

void histogram_init(struct histogram *histogram)
{
    *histogram = (struct histogram){.min = UINT64_MAX};
}

/*
 * Values below HISTOGRAM_PARTS have a bin each; of the others the leading bit and the PART_BITS behind it
 * count.
 */
static size_t bin_of(uint64_t value)
{
    if (value < HISTOGRAM_PARTS)
        return (size_t)value;
    unsigned shift = 63 - PART_BITS - (unsigned)__builtin_clzll(value);
    return (size_t)(shift * HISTOGRAM_PARTS + (value >> shift));
}

/* The largest value of a bin. */
static uint64_t top_of(size_t bin)
{
    if (bin < 2 * HISTOGRAM_PARTS)
        return bin;
    unsigned shift = (unsigned)(bin / HISTOGRAM_PARTS) - 1;
    uint64_t first = (uint64_t)(bin % HISTOGRAM_PARTS + HISTOGRAM_PARTS) << shift;
    return first + ((UINT64_C(1) << shift) - 1);
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
    size_t bin = bin_of(value);
    check(bin < HISTOGRAM_BINS);
    histogram->bins[bin]++;
    histogram->count++;
    histogram->sum += value;
    histogram->min = value < histogram->min ? value : histogram->min;
    histogram->max = value > histogram->max ? value : histogram->max;
}

void histogram_merge(struct histogram *target, const struct histogram *source)
{
    for (size_t i = 0; i < HISTOGRAM_BINS; i++)
        target->bins[i] += source->bins[i];
    target->count += source->count;
    target->sum += source->sum;
    target->min = source->min < target->min ? source->min : target->min;
    target->max = source->max > target->max ? source->max : target->max;
}

uint64_t histogram_percentile(const struct histogram *histogram, double percent)
{
    check(percent >= 0 && percent <= 100);
    double share = (double)histogram->count * percent / 100;
    uint64_t wanted = (uint64_t)share;
    wanted += (double)wanted < share || wanted == 0; /* rounded up, and never none */
    uint64_t seen = 0;
    for (size_t i = 0; i < HISTOGRAM_BINS; i++) {
        seen += histogram->bins[i];
        if (seen >= wanted && histogram->count > 0) {
            uint64_t top = top_of(i);
            return top < histogram->max ? top : histogram->max;
        }
    }
    return histogram->max;
}
