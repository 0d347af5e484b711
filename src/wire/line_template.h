/* A topic's name made of a line's fields: "orders", "{key}", "orders-{key}". */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_LINE_TEMPLATE_H
#define WIRE_LINE_TEMPLATE_H

#include "wire/line_fields.h"

enum { LINE_TEMPLATE_PIECES_MAX = 8 };

struct line_piece {
    struct span literal; /* when field is LINE_FIELD_ABSENT */
    uint32_t field;
};

struct line_template {
    uint32_t count;
    struct line_piece pieces[LINE_TEMPLATE_PIECES_MAX];
};

/* The text must outlive *ret_template. BAD_INPUT with the reason: an unknown field, a brace without its partner. */
enum err line_template_parse(struct span text,
                             const struct line_fields *fields,
                             struct line_template *ret_template,
                             struct why *why) MUST_CHECK;

/* Whether every line makes the same name of it. */
bool line_template_is_constant(const struct line_template *template);

/* The name for one line: a piece of the line or the template itself where possible, else written to `to`. False when longer than `size`. */
bool line_template_expand(const struct line_template *template,
                          const struct line_split *split,
                          uint8_t *to,
                          size_t size,
                          struct span *ret_name);

#endif
