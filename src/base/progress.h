/* Shows how far long work is: a bar on a terminal, log lines elsewhere, nothing when it is over soon. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct clock;

/* What a step counts. */
enum progress_unit { PROGRESS_ITEMS, PROGRESS_BYTES };

struct progress {
    const char *title; /* borrowed: "recovery", "verify" */
    uint64_t total;    /* 0: not known, so neither a bar nor a time left */
    uint64_t count;
    enum progress_unit unit;
    struct clock *clock;
    int64_t started_ns;
    int64_t shown_ns; /* when it was last shown; 0: never */
    bool is_terminal; /* standard error is one */
};

/* For one thread. `title` must live as long; the clock is the kernel's, a test may replace it. */
void progress_init(struct progress *progress, const char *title, uint64_t total, enum progress_unit unit);
/* `count` more are done. Cheap: shows something every 100 ms on a terminal, every 5 s in the log. */
void progress_step(struct progress *progress, uint64_t count);
/* The end, reached or not: completes the bar, or writes a last line, when anything was shown before. */
void progress_done(struct progress *progress);

#endif
