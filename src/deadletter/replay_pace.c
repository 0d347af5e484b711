/* Whole records are earned; the time of a part of one stays for the next call. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "deadletter/replay_pace.h"

#include "base/check.h"

enum { BURSTS_PER_SECOND = 10 };

void replay_pace_init(struct replay_pace *pace, uint64_t rate, int64_t now_ns)
{
    check(rate <= REPLAY_RATE_MAX);
    *pace = (struct replay_pace){.rate = rate, .at_ns = now_ns};
}

uint64_t replay_pace_burst(const struct replay_pace *pace)
{
    return pace->rate < BURSTS_PER_SECOND ? 1 : pace->rate / BURSTS_PER_SECOND;
}

uint64_t replay_pace_take(struct replay_pace *pace, int64_t now_ns)
{
    if (pace->rate == 0)
        return UINT64_MAX;
    uint64_t burst = replay_pace_burst(pace);
    uint64_t burst_ns = (burst * (uint64_t)CLOCK_NS_PER_S + pace->rate - 1) / pace->rate;
    int64_t oldest_ns = now_ns - (int64_t)burst_ns - 2 * REPLAY_PACE_STEP_NS;
    if (pace->at_ns < oldest_ns) /* what nobody took then is gone */
        pace->at_ns = now_ns - (int64_t)burst_ns;
    uint64_t passed_ns = now_ns > pace->at_ns ? (uint64_t)(now_ns - pace->at_ns) : 0;
    uint64_t earned = passed_ns * pace->rate / (uint64_t)CLOCK_NS_PER_S;
    pace->at_ns += (int64_t)((earned * (uint64_t)CLOCK_NS_PER_S + pace->rate - 1) / pace->rate);
    return earned;
}
