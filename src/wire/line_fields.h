/* The fields of a producer's line: the specification "key|timestamp|seq|body", and lines split by it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_LINE_FIELDS_H
#define WIRE_LINE_FIELDS_H

#include "base/err.h"
#include "base/span.h"
#include "base/why.h"

enum {
    LINE_FIELDS_MAX = 8,
    LINE_FIELD_NAME_MAX = 64,
    LINE_FIELD_ABSENT = LINE_FIELDS_MAX, /* as an index: the specification does not name it */
};

struct line_fields {
    uint32_t count;
    struct span names[LINE_FIELDS_MAX]; /* into the specification */
    uint32_t key;                       /* indexes of the fields with a meaning */
    uint32_t timestamp;
    uint32_t seq;
    uint32_t body;
};

/* The specification must outlive *ret_fields. BAD_INPUT with the reason: no body, a name twice, an illegal name, too many. */
enum err
line_fields_parse(struct span specification, struct line_fields *ret_fields, struct why *why) MUST_CHECK;

/* The index of a field by name, or LINE_FIELD_ABSENT. */
uint32_t line_fields_find(const struct line_fields *fields, struct span name);

/* Where the fields of one line begin. */
struct line_split {
    const uint8_t *line;
    uint32_t len;
    uint32_t count;
    uint32_t starts[LINE_FIELDS_MAX];
};

/* False when the line has fewer fields; the last field takes the rest of the line. The line is shorter than 4 GiB. */
bool line_fields_split(const struct line_fields *fields, struct span line, struct line_split *ret_split);

/* Empty for LINE_FIELD_ABSENT. */
static inline struct span line_split_field(const struct line_split *split, uint32_t index)
{
    if (index >= split->count)
        return span_of(split->line, 0);
    uint32_t start = split->starts[index];
    uint32_t end = index + 1 < split->count ? split->starts[index + 1] - 1 : split->len;
    return span_of(split->line + start, end - start);
}

#endif
