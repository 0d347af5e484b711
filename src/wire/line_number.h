/* Sequence numbers as lines carry them: decimal, 1 to 2^63-1. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_LINE_NUMBER_H
#define WIRE_LINE_NUMBER_H

#include "base/span.h"

enum { LINE_NUMBER_SIZE_MAX = 20 };

#define LINE_NUMBER_MAX ((uint64_t)INT64_MAX)

/* Digits only; leading zeros are read. False for 0, for more than LINE_NUMBER_MAX and for anything else. */
bool line_number_parse(struct span text, uint64_t *ret_number);

/* What is left of a legal number without its leading zeros. */
struct span line_number_trim(struct span text);

/* Any 64-bit value in decimal, at most LINE_NUMBER_SIZE_MAX bytes; returns the place behind them. */
uint8_t *line_number_put(uint8_t *to, uint64_t number);

#endif
