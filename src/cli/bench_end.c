/* Signals are held and looked for now and then: a load can be ended between any two of its steps. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_end.h"

#include <signal.h>

#include "base/check.h"
#include "base/clock.h"

#define LOOK_EVERY_NS (20 * CLOCK_NS_PER_MS)

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP};

enum { ENDING_SIGNALS = sizeof ending_signals / sizeof ending_signals[0] };

void bench_hold_signals(void)
{
    sigset_t held;
    check(sigemptyset(&held) == 0);
    for (unsigned i = 0; i < ENDING_SIGNALS; i++)
        check(sigaddset(&held, ending_signals[i]) == 0);
    check(sigprocmask(SIG_BLOCK, &held, NULL) == 0);
}

bool bench_is_interrupted(void)
{
    sigset_t waiting;
    check(sigpending(&waiting) == 0);
    for (unsigned i = 0; i < ENDING_SIGNALS; i++)
        if (sigismember(&waiting, ending_signals[i]) == 1)
            return true;
    return false;
}

bool bench_end_is_reached(struct bench_end *end, int64_t now_ns, uint64_t count)
{
    if (now_ns >= end->at_ns || (end->count > 0 && count >= end->count))
        return true;
    if (end->asked != NULL)
        return atomic_load(end->asked);
    if (now_ns < end->looks_ns)
        return false;
    end->looks_ns = now_ns + LOOK_EVERY_NS;
    return bench_is_interrupted();
}
