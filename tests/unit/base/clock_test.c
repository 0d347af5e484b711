/* Tests of the clocks: the kernel's goes on, the fake one stands until it is moved. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include "support/test.h"

TEST(fake_clock_moves_both_times_together)
{
    struct clock_fake fake;
    clock_fake_init(&fake, 1000);
    int64_t before_ns = clock_now_ns(&fake.clock);
    expect_equal_i64(clock_now_ns(&fake.clock), before_ns);
    clock_fake_advance(&fake, 5);
    expect_equal_i64(clock_now_ns(&fake.clock), before_ns + 5);
    expect_equal_i64(clock_wall_ns(&fake.clock), 1005);
}

TEST(kernel_clock_never_goes_back)
{
    int64_t before_ns = clock_now_ns(clock_linux());
    for (int i = 0; i < 1000; i++) {
        int64_t now_ns = clock_now_ns(clock_linux());
        expect(now_ns >= before_ns);
        before_ns = now_ns;
    }
    expect(clock_wall_ns(clock_linux()) > INT64_C(1700000000) * CLOCK_NS_PER_S);
}

TEST_MAIN(fake_clock_moves_both_times_together, kernel_clock_never_goes_back)
