/* A line of a file in which consumers write down what they have processed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/processed_line.h"

#include "wire/line_number.h"

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static struct span first_field(struct span line)
{
    if (line.len > 0 && line.data[line.len - 1] == '\n')
        line.len--;
    while (line.len > 0 && line.data[0] == '\0')
        line = span_after(line, 1);
    struct span field = span_of(line.data, span_find(line, '|'));
    while (field.len > 0 && is_blank(field.data[0]))
        field = span_after(field, 1);
    while (field.len > 0 && is_blank(field.data[field.len - 1]))
        field.len--;
    return field;
}

struct processed_line processed_line_parse(struct span line)
{
    struct processed_line parsed = {.kind = PROCESSED_LINE_BAD};
    struct span field = first_field(line);
    if (field.len == 0 && span_find(line, '|') == line.len)
        parsed.kind = PROCESSED_LINE_EMPTY;
    else if (line_number_parse(field, &parsed.number))
        parsed.kind = PROCESSED_LINE_NUMBER;
    else if (line_place_parse(field, &parsed.place))
        parsed.kind = PROCESSED_LINE_PLACE;
    return parsed;
}
