/* Whether a target is worth trying: opens after failures in a row, then lets one try through at a time. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DELIVERY_BREAKER_H
#define DELIVERY_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

/*
 *   CLOSED --`failures` in a row--> OPEN --time--> HALF_OPEN --delivered--> CLOSED
 *                                    ^------------- failed ------|
 */
enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN, BREAKER_STATE_COUNT };

struct breaker {
    enum breaker_state state;
    uint32_t failures_max;
    uint32_t failures; /* in a row */
    int64_t every_ns;
    int64_t due_ns; /* OPEN: when to try again */
};

void breaker_init(struct breaker *breaker, uint32_t failures_max, int64_t every_ns);

/* Whether something may be sent now. HALF_OPEN: one try is under way and nothing else may. */
bool breaker_admits(struct breaker *breaker, int64_t now_ns);

/* What a try has come to. True when the breaker opened or closed with it: worth a log line. */
bool breaker_note_success(struct breaker *breaker);
bool breaker_note_failure(struct breaker *breaker, int64_t now_ns);

#endif
