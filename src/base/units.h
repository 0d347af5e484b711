/* Durations and sizes as people write them: `20ms`, `7d`, `100KiB`. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

enum { UNITS_TEXT_SIZE = 32 };

/*
 * A whole number and its unit, nothing between and nothing behind: ns us ms s m h d; B KiB MiB GiB TiB.
 * A bare number is refused, for 10 could be anything; only 0 needs no unit. False also on overflow.
 */
bool units_parse_duration(struct span text, int64_t *ret_ns);
bool units_parse_size(struct span text, uint64_t *ret_bytes);

/* Exact, in the largest unit that leaves a whole number; parsing it gives the value back. Returns `text`. */
const char *units_put_duration(char text[static UNITS_TEXT_SIZE], int64_t ns);
const char *units_put_size(char text[static UNITS_TEXT_SIZE], uint64_t bytes);

/* For reading only, three digits: "1.24ms", "17.3MiB". Returns `text`. */
const char *units_about_duration(char text[static UNITS_TEXT_SIZE], int64_t ns);
const char *units_about_size(char text[static UNITS_TEXT_SIZE], uint64_t bytes);

#endif
