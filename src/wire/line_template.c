/* Reads a template once into pieces, and puts them together for a line. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line_template.h"

static enum err add_piece(struct line_template *template, struct line_piece piece, struct why *why)
{
    if (template->count == LINE_TEMPLATE_PIECES_MAX)
        return why_set(why, ERR_BAD_INPUT, "more than %d pieces", (int)LINE_TEMPLATE_PIECES_MAX);
    template->pieces[template->count++] = piece;
    return ERR_NONE;
}

/* `text` begins with "{"; *ret_len is the length up to and with "}". */
static enum err add_field(struct line_template *template,
                          struct span text,
                          const struct line_fields *fields,
                          size_t *ret_len,
                          struct why *why)
{
    size_t close = span_find(text, '}');
    if (close == text.len)
        return why_set(why, ERR_BAD_INPUT, "a { without its }");
    struct span name = span_of(text.data + 1, close - 1);
    uint32_t field = line_fields_find(fields, name);
    if (field == LINE_FIELD_ABSENT)
        return why_set(why, ERR_BAD_INPUT, "{%.*s} is not one of the fields",
                       (int)(name.len < LINE_FIELD_NAME_MAX ? name.len : LINE_FIELD_NAME_MAX),
                       (const char *)name.data);
    *ret_len = close + 1;
    return add_piece(template, (struct line_piece){.field = field}, why);
}

static enum err
add_literal(struct line_template *template, struct span text, size_t *ret_len, struct why *why)
{
    struct span literal = span_of(text.data, span_find(text, '{'));
    if (span_find(literal, '}') < literal.len)
        return why_set(why, ERR_BAD_INPUT, "a } without its {");
    *ret_len = literal.len;
    return add_piece(template, (struct line_piece){.literal = literal, .field = LINE_FIELD_ABSENT}, why);
}

enum err line_template_parse(struct span text,
                             const struct line_fields *fields,
                             struct line_template *ret_template,
                             struct why *why)
{
    struct line_template template = {0};
    if (text.len == 0)
        return why_set(why, ERR_BAD_INPUT, "empty");
    while (text.len > 0) {
        size_t len = 0;
        enum err err = text.data[0] == '{' ? add_field(&template, text, fields, &len, why)
                                           : add_literal(&template, text, &len, why);
        if (err != ERR_NONE)
            return err;
        text = span_after(text, len);
    }
    *ret_template = template;
    return ERR_NONE;
}

bool line_template_is_constant(const struct line_template *template)
{
    return template->count == 1 && template->pieces[0].field == LINE_FIELD_ABSENT;
}

static struct span piece_text(const struct line_piece *piece, const struct line_split *split)
{
    return piece->field == LINE_FIELD_ABSENT ? piece->literal : line_split_field(split, piece->field);
}

bool line_template_expand(const struct line_template *template,
                          const struct line_split *split,
                          uint8_t *to,
                          size_t size,
                          struct span *ret_name)
{
    if (template->count == 1) {
        *ret_name = piece_text(&template->pieces[0], split);
        return ret_name->len <= size;
    }
    size_t len = 0;
    for (uint32_t i = 0; i < template->count; i++) {
        struct span text = piece_text(&template->pieces[i], split);
        if (text.len > size - len)
            return false;
        if (text.len > 0)
            memcpy(to + len, text.data, text.len);
        len += text.len;
    }
    *ret_name = span_of(to, len);
    return true;
}
