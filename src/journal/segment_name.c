/* Names of files from numbers, and back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/segment_name.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "base/span.h"

enum { NUMBER_DIGITS = 16 };

void segment_name(char name[SEGMENT_NAME_SIZE], uint64_t number, const char *suffix)
{
    int len = snprintf(name, SEGMENT_NAME_SIZE, "%0*" PRIu64 "%s", NUMBER_DIGITS, number, suffix);
    check(len > 0 && len < SEGMENT_NAME_SIZE);
}

uint64_t segment_number_of(const char *name, const char *suffix)
{
    uint64_t number;
    struct span text = span_from_text(name);
    if (text.len <= NUMBER_DIGITS || !span_equal_text(span_after(text, NUMBER_DIGITS), suffix))
        return 0;
    return span_to_u64(span_of(text.data, NUMBER_DIGITS), &number) ? number : 0;
}
