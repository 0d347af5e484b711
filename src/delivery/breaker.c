/* The circuit breaker's states. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "delivery/breaker.h"

#include "base/check.h"

static void breaker_move(struct breaker *breaker, enum breaker_state to)
{
    static const bool may[BREAKER_STATE_COUNT][BREAKER_STATE_COUNT] = {
        [BREAKER_CLOSED] = {[BREAKER_OPEN] = true},
        [BREAKER_OPEN] = {[BREAKER_HALF_OPEN] = true, [BREAKER_CLOSED] = true},
        [BREAKER_HALF_OPEN] = {[BREAKER_OPEN] = true, [BREAKER_CLOSED] = true},
    };
    check(may[breaker->state][to]);
    breaker->state = to;
}

void breaker_init(struct breaker *breaker, uint32_t failures_max, int64_t every_ns)
{
    check(failures_max > 0 && every_ns > 0);
    *breaker = (struct breaker){.failures_max = failures_max, .every_ns = every_ns};
}

bool breaker_admits(struct breaker *breaker, int64_t now_ns)
{
    if (breaker->state == BREAKER_OPEN && now_ns >= breaker->due_ns) {
        breaker_move(breaker, BREAKER_HALF_OPEN);
        return true;
    }
    return breaker->state == BREAKER_CLOSED;
}

/* Tries that were under way when it opened may still succeed. */
bool breaker_note_success(struct breaker *breaker)
{
    bool closes = breaker->state != BREAKER_CLOSED;
    breaker->failures = 0;
    if (closes)
        breaker_move(breaker, BREAKER_CLOSED);
    return closes;
}

bool breaker_note_failure(struct breaker *breaker, int64_t now_ns)
{
    bool opens = breaker->state == BREAKER_CLOSED && ++breaker->failures >= breaker->failures_max;
    bool reopens = breaker->state == BREAKER_HALF_OPEN;
    if (opens || reopens) {
        breaker_move(breaker, BREAKER_OPEN);
        breaker->due_ns = now_ns + breaker->every_ns;
    }
    return opens;
}
