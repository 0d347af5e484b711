/* Tests of the wait between two tries. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "delivery/backoff.h"

#include "base/clock.h"
#include "support/test.h"

TEST(waits_double_up_to_the_maximum)
{
    struct backoff backoff = {.first_ns = 200, .max_ns = 1000};
    struct random random;
    random_seed(&random, 1);
    const int64_t waits[] = {200, 400, 800, 1000, 1000};
    for (uint32_t i = 0; i < sizeof waits / sizeof waits[0]; i++)
        expect_equal_i64(backoff_wait_ns(&backoff, i + 1, 0, &random), waits[i]);
    expect_equal_i64(backoff_wait_ns(&backoff, UINT32_MAX, 0, &random), 1000);
}

TEST(jitter_stays_within_its_share_and_reaches_both_sides)
{
    struct backoff backoff = {.first_ns = 1000000, .max_ns = 1000000, .jitter = 0.2};
    struct random random;
    random_seed(&random, 2);
    int64_t least = INT64_MAX;
    int64_t most = 0;
    for (int i = 0; i < 10000; i++) {
        int64_t wait = backoff_wait_ns(&backoff, 1, 0, &random);
        least = wait < least ? wait : least;
        most = wait > most ? wait : most;
    }
    expect(least >= 800000 && least < 810000);
    expect(most <= 1200000 && most > 1190000);
}

TEST(what_the_target_asks_for_is_the_least)
{
    struct backoff backoff = {.first_ns = 200, .max_ns = 1000};
    struct random random;
    random_seed(&random, 3);
    expect_equal_i64(backoff_wait_ns(&backoff, 1, 5000, &random), 5000);
    expect_equal_i64(backoff_wait_ns(&backoff, 3, 500, &random), 800);
}

TEST(a_maximum_near_the_end_of_time_does_not_overflow)
{
    struct backoff backoff = {.first_ns = 3, .max_ns = INT64_MAX / 2};
    struct random random;
    random_seed(&random, 4);
    for (uint32_t i = 1; i < 200; i++)
        expect(backoff_wait_ns(&backoff, i, 0, &random) > 0);
}

TEST_MAIN(waits_double_up_to_the_maximum,
          jitter_stays_within_its_share_and_reaches_both_sides,
          what_the_target_asks_for_is_the_least,
          a_maximum_near_the_end_of_time_does_not_overflow)
