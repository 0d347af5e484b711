/* A line of a file in which consumers write down what they have processed. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_PROCESSED_LINE_H
#define DOOR_PROCESSED_LINE_H

#include "base/check.h"
#include "wire/line_place.h"

enum processed_line_kind {
    PROCESSED_LINE_EMPTY,
    PROCESSED_LINE_NUMBER,
    PROCESSED_LINE_PLACE, /* <partition>:<offset>, or with its topic */
    PROCESSED_LINE_BAD,
};

struct processed_line {
    enum processed_line_kind kind;
    uint64_t number;
    struct line_place place;
};

/*
 * `line` may have its LF, and be cut behind its first field. What stands before the first | counts, without blanks
 * around it; NULs in front, which truncating under a writer leaves behind, are passed over.
 */
struct processed_line processed_line_parse(struct span line);

#endif
