/* Finds the ends of lines. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line_cut.h"

static struct line_cut cut(struct span line, size_t len, size_t line_max, bool has_end)
{
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    bool is_too_long = line.len > line_max;
    if (is_too_long)
        line.len = line_max;
    return (struct line_cut){.line = line, .len = len, .is_too_long = is_too_long, .has_end = has_end};
}

bool line_cut_first(struct span bytes, size_t line_max, struct line_cut *ret_cut)
{
    size_t end = span_find(bytes, '\n');
    if (end < bytes.len) {
        *ret_cut = cut(span_of(bytes.data, end), end + 1, line_max, true);
        return true;
    }
    if (bytes.len <= line_max + 1) /* one more may be the CR */
        return false;
    *ret_cut =
        (struct line_cut){.line = span_of(bytes.data, line_max), .len = bytes.len, .is_too_long = true};
    return true;
}

struct line_cut line_cut_last(struct span bytes, size_t line_max)
{
    return cut(bytes, bytes.len, line_max, true);
}
