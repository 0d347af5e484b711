/* What a person needs to know beside an error: place, value, what to do. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_WHY_H
#define BASE_WHY_H

#include "base/err.h"

/* Supplied by callers whose errors a person will read; a NULL why is allowed everywhere. */
struct why {
    char text[512];
};

/* Writes the text and returns `err`, so that a failing function ends in one line. */
enum err why_set(struct why *why, enum err err, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts context in front of what is there: "segment 7: " + text. */
void why_prefix(struct why *why, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
