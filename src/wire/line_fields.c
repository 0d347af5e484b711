/* Splits lines at "|", by a specification that is read once. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line_fields.h"

enum { SEPARATOR = '|' };

static bool is_field_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '_' || byte == '-' || byte == '.';
}

static bool is_field_name(struct span name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!is_field_byte(name.data[i]))
            return false;
    return name.len > 0 && name.len <= LINE_FIELD_NAME_MAX;
}

uint32_t line_fields_find(const struct line_fields *fields, struct span name)
{
    for (uint32_t i = 0; i < fields->count; i++)
        if (span_equal(fields->names[i], name))
            return i;
    return LINE_FIELD_ABSENT;
}

static enum err add_field(struct line_fields *fields, struct span name, struct why *why)
{
    int len = (int)(name.len < LINE_FIELD_NAME_MAX ? name.len : LINE_FIELD_NAME_MAX);
    const char *text = (const char *)name.data;
    if (!is_field_name(name))
        return why_set(why, ERR_BAD_INPUT, "\"%.*s\" is no name for a field: letters, digits, _ - .", len,
                       text);
    if (span_equal_text(name, "reason"))
        return why_set(why, ERR_BAD_INPUT,
                       "a field cannot be called reason: parked lines carry a header of that name");
    if (span_starts_with(name, "waybill."))
        return why_set(why, ERR_BAD_INPUT, "\"%.*s\" cannot name a field: waybill.* is the program's own",
                       len, text);
    if (line_fields_find(fields, name) != LINE_FIELD_ABSENT)
        return why_set(why, ERR_BAD_INPUT, "the field %.*s is named twice", len, text);
    if (fields->count == LINE_FIELDS_MAX)
        return why_set(why, ERR_BAD_INPUT, "more than %d fields", (int)LINE_FIELDS_MAX);
    fields->names[fields->count++] = name;
    return ERR_NONE;
}

enum err line_fields_parse(struct span specification, struct line_fields *ret_fields, struct why *why)
{
    struct line_fields fields = {0};
    for (size_t len; (len = span_find(specification, SEPARATOR)) <= specification.len;
         specification = span_after(specification, len + 1)) {
        enum err err = add_field(&fields, span_of(specification.data, len), why);
        if (err != ERR_NONE)
            return err;
        if (len == specification.len)
            break;
    }
    fields.key = line_fields_find(&fields, span_from_text("key"));
    fields.timestamp = line_fields_find(&fields, span_from_text("timestamp"));
    fields.seq = line_fields_find(&fields, span_from_text("seq"));
    fields.body = line_fields_find(&fields, span_from_text("body"));
    if (fields.body == LINE_FIELD_ABSENT)
        return why_set(why, ERR_BAD_INPUT, "no field is called body");
    *ret_fields = fields;
    return ERR_NONE;
}

bool line_fields_split(const struct line_fields *fields, struct span line, struct line_split *ret_split)
{
    const uint8_t *end = line.data + line.len;
    const uint8_t *at = line.data;
    check(line.len <= UINT32_MAX);
    ret_split->line = line.data;
    ret_split->len = (uint32_t)line.len;
    ret_split->count = fields->count;
    ret_split->starts[0] = 0;
    for (uint32_t i = 1; i < fields->count; i++) {
        const uint8_t *separator = at == end ? NULL : memchr(at, SEPARATOR, (size_t)(end - at));
        if (separator == NULL)
            return false;
        at = separator + 1;
        ret_split->starts[i] = (uint32_t)(at - line.data);
    }
    return true;
}
