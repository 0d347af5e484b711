/* Gives any bytes to everything that reads lines, and holds what comes out against what went in. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "fuzz/fuzz.h"
#include "wire/line_command.h"
#include "wire/line_fields.h"
#include "wire/line_hello.h"
#include "wire/line_stranger.h"
#include "wire/line_template.h"

/* The fields of a line, put together again, are the line. */
static void split_line(const struct line_fields *fields, struct span line)
{
    struct line_split split;
    if (!line_fields_split(fields, line, &split))
        return;
    size_t len = fields->count - 1;
    for (uint32_t i = 0; i < fields->count; i++) {
        struct span field = line_split_field(&split, i);
        check(field.data >= line.data && field.len <= line.len);
        len += field.len;
    }
    check(len == line.len);
    struct line_template template;
    uint8_t to[200];
    struct span name;
    if (line_template_parse(line, fields, &template, NULL) == ERR_NONE &&
        line_template_expand(&template, &split, to, sizeof to, &name))
        check(name.len <= sizeof to);
}

/* The first line is the specification, the others are lines. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of(data, size);
    struct span specification = span_of(rest.data, span_find(rest, '\n'));
    struct line_fields fields;
    bool has_fields = line_fields_parse(specification, &fields, NULL) == ERR_NONE;
    while (rest.len > 0) {
        struct span line = span_of(rest.data, span_find(rest, '\n'));
        struct line_command command;
        struct line_hello hello;
        if (line_command_parse(line, &command) == LINE_ERROR_NONE)
            check(command.from <= command.to);
        if (line_hello_parse(line, &hello) == LINE_ERROR_NONE)
            check(line_is_hello(line));
        (void)line_stranger(line);
        if (has_fields)
            split_line(&fields, line);
        rest = span_after(rest, line.len < rest.len ? line.len + 1 : line.len);
    }
    return 0;
}
