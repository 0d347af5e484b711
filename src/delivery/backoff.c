/* Exponential back-off with jitter. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "delivery/backoff.h"

#include "base/check.h"

enum { JITTER_STEPS = 1 << 20 };

int64_t
backoff_wait_ns(const struct backoff *backoff, uint32_t failures, int64_t asked_ns, struct random *random)
{
    check(failures > 0 && backoff->first_ns > 0);
    int64_t wait_ns = backoff->first_ns;
    for (uint32_t i = 1; i < failures && wait_ns < backoff->max_ns; i++)
        wait_ns = wait_ns > backoff->max_ns / 2 ? backoff->max_ns : wait_ns * 2;
    if (wait_ns > backoff->max_ns)
        wait_ns = backoff->max_ns;
    double part = 2.0 * (double)random_below(random, JITTER_STEPS) / JITTER_STEPS - 1.0; /* -1 .. 1 */
    wait_ns += (int64_t)((double)wait_ns * backoff->jitter * part);
    return wait_ns > asked_ns ? wait_ns : asked_ns;
}
