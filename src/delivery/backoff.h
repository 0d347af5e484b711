/* How long to wait before the next try: twice as long each time, up to a maximum, with jitter. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DELIVERY_BACKOFF_H
#define DELIVERY_BACKOFF_H

#include <stdint.h>

#include "base/random.h"

struct backoff {
    int64_t first_ns;
    int64_t max_ns;
    double jitter; /* a share of the wait, to either side: 0.2 is 20 % */
};

/* The wait behind the `failures`-th failure in a row, from 1; never below what the target asked for. */
int64_t
backoff_wait_ns(const struct backoff *backoff, uint32_t failures, int64_t asked_ns, struct random *random);

#endif
