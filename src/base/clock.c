/* The kernel's clocks, and one for tests. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

#include "base/check.h"
#include "base/list.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec time;
    check(clock_gettime(id, &time) == 0);
    return (int64_t)time.tv_sec * CLOCK_NS_PER_S + time.tv_nsec;
}

static int64_t linux_now_ns(struct clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t linux_wall_ns(struct clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_REALTIME);
}

struct clock *clock_linux(void)
{
    static const struct clock_ops ops = {linux_now_ns, linux_wall_ns};
    static struct clock clock = {&ops};
    return &clock;
}

static int64_t fake_now_ns(struct clock *clock)
{
    return LIST_OWNER(clock, struct clock_fake, clock)->now_ns;
}

static int64_t fake_wall_ns(struct clock *clock)
{
    return LIST_OWNER(clock, struct clock_fake, clock)->wall_ns;
}

void clock_fake_init(struct clock_fake *fake, int64_t wall_ns)
{
    static const struct clock_ops ops = {fake_now_ns, fake_wall_ns};
    *fake = (struct clock_fake){.clock = {&ops}, .now_ns = CLOCK_NS_PER_S, .wall_ns = wall_ns};
}

void clock_fake_advance(struct clock_fake *fake, int64_t by_ns)
{
    check(by_ns >= 0);
    fake->now_ns += by_ns;
    fake->wall_ns += by_ns;
}
