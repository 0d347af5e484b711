/* The seam to time: everything that asks what time it is asks here. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_NS_PER_US INT64_C(1000)
#define CLOCK_NS_PER_MS INT64_C(1000000)
#define CLOCK_NS_PER_S  INT64_C(1000000000)

struct clock;

struct clock_ops {
    int64_t (*now_ns)(struct clock *clock);  /* monotonic; only differences mean anything */
    int64_t (*wall_ns)(struct clock *clock); /* since 1970-01-01 UTC; may jump */
};

/* Implementations embed it. */
struct clock {
    const struct clock_ops *ops;
};

static inline int64_t clock_now_ns(struct clock *clock)
{
    return clock->ops->now_ns(clock);
}

static inline int64_t clock_wall_ns(struct clock *clock)
{
    return clock->ops->wall_ns(clock);
}

/* The kernel's clocks; no state, any thread. */
struct clock *clock_linux(void);

/* A clock that stands until it is moved: for tests. */
struct clock_fake {
    struct clock clock;
    int64_t now_ns;
    int64_t wall_ns;
};

void clock_fake_init(struct clock_fake *fake, int64_t wall_ns);
/* Both times move forward together. */
void clock_fake_advance(struct clock_fake *fake, int64_t by_ns);

#endif
