/* Tests of the histogram against sorted values. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/histogram.h"

#include <stdlib.h>

#include "base/random.h"
#include "support/test.h"

static int by_value(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

TEST(percentiles_are_right_to_three_percent)
{
    static uint64_t values[20000];
    static struct histogram histogram;
    const size_t count = sizeof values / sizeof values[0];
    struct random random;
    random_seed(&random, 11);
    histogram_init(&histogram);
    for (size_t i = 0; i < count; i++) {
        values[i] = random_u64(&random) >> random_below(&random, 64);
        histogram_add(&histogram, values[i]);
    }
    qsort(values, count, sizeof values[0], by_value);
    static const double percents[] = {0.01, 1, 25, 50, 90, 99, 99.9, 100};
    for (size_t i = 0; i < sizeof percents / sizeof percents[0]; i++) {
        uint64_t exact = values[(size_t)((double)count * percents[i] / 100 + 0.999999) - 1];
        uint64_t found = histogram_percentile(&histogram, percents[i]);
        if (found < exact || found - exact > exact / HISTOGRAM_PARTS)
            test_fail("p%g is %llu, exactly %llu", percents[i], (unsigned long long)found,
                      (unsigned long long)exact);
    }
    expect_equal_u64(histogram.max, values[count - 1]);
    expect_equal_u64(histogram.min, values[0]);
}

TEST(extreme_values_have_a_place)
{
    static struct histogram histogram;
    histogram_init(&histogram);
    expect_equal_u64(histogram_percentile(&histogram, 50), 0);
    histogram_add(&histogram, 0);
    histogram_add(&histogram, UINT64_MAX);
    expect_equal_u64(histogram_percentile(&histogram, 50), 0);
    expect_equal_u64(histogram_percentile(&histogram, 99), UINT64_MAX);
}

TEST(merged_histograms_are_as_one)
{
    static struct histogram odd;
    static struct histogram even;
    static struct histogram all;
    histogram_init(&odd);
    histogram_init(&even);
    histogram_init(&all);
    for (uint64_t value = 0; value < 5000; value++) {
        histogram_add(value % 2 == 0 ? &even : &odd, value * value);
        histogram_add(&all, value * value);
    }
    histogram_merge(&odd, &even);
    expect_equal_span(span_of(&odd, sizeof odd), span_of(&all, sizeof all));
}

TEST_MAIN(percentiles_are_right_to_three_percent, extreme_values_have_a_place, merged_histograms_are_as_one)
