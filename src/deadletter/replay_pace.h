/* How many records a replay may hand out by now: so many a second. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEADLETTER_REPLAY_PACE_H
#define DEADLETTER_REPLAY_PACE_H

#include <stdint.h>

#include "base/clock.h"

#define REPLAY_PACE_STEP_NS (20 * CLOCK_NS_PER_MS)

enum { REPLAY_RATE_MAX = 1000000000 };

struct replay_pace {
    uint64_t rate; /* records a second; 0: no limit */
    int64_t at_ns; /* up to when they were earned */
};

void replay_pace_init(struct replay_pace *pace, uint64_t rate, int64_t now_ns);
/* What may be handed out at once. */
uint64_t replay_pace_burst(const struct replay_pace *pace);
/* What was earned since the last call, at most that of about a tenth of a second, or one record. Without a limit UINT64_MAX. */
uint64_t replay_pace_take(struct replay_pace *pace, int64_t now_ns);

#endif
