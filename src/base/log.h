/* The program's own log: logfmt lines on standard error. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/check.h"
#include "base/span.h"

struct clock;

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_FATAL };

/*
 * Writes  ts=2026-11-22T08:00:00.123Z level=info room=journal msg="segment sealed" segment=7
 * `format` makes the fields behind msg ("segment=%u"), or is NULL. Text of a peer goes through
 * log_value. Lines of WARN and below that repeat (same room and msg) beyond 5 in 10 s are left out
 * and counted: the next one says repeated=N. ERROR and FATAL always come. Any thread; no payloads,
 * no secrets. A line longer than 4 KiB is cut.
 */
void log_line(enum log_level level, const char *room, const char *msg, const char *format, ...)
    PRINTF_LIKE(4, 5);

/*
 * A quoted, escaped and shortened copy for a field: log_line(..., "peer=%s", log_value(&(struct
 * log_value){0}, span)).
 */
struct log_value {
    char text[232];
};
const char *log_value(struct log_value *value, struct span bytes);

/* Lines below it are not written; default INFO. Before threads start. */
void log_set_level(enum log_level level);
/* Where whole lines go, line feed included; NULL: standard error. For tests; before threads start. */
void log_set_sink(void (*sink)(void *owner, struct span line), void *owner);
/*
 * Forgets which lines repeat, and takes the time from `clock`; NULL: the kernel's. For tests; before
 * threads start.
 */
void log_set_clock(struct clock *clock);

#endif
