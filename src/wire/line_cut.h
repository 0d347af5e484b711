/* Cuts received bytes into lines, and tells those that are too long. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_LINE_CUT_H
#define WIRE_LINE_CUT_H

#include "base/span.h"

struct line_cut {
    struct span line; /* without LF and the CR before it, at most line_max bytes */
    size_t len;       /* what it takes of the bytes, with its end */
    bool is_too_long; /* `line` is only its beginning */
    bool has_end;     /* false: the rest of a line that is too long is still to come, and to be passed over */
};

/* The line at the front of `bytes`, or the beginning of one that is certainly too long; false: more bytes are needed. */
bool line_cut_first(struct span bytes, size_t line_max, struct line_cut *ret_cut);

/* The end of the connection is the end of its last line: all of `bytes`, which hold no LF. */
struct line_cut line_cut_last(struct span bytes, size_t line_max);

#endif
