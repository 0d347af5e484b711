/* Replaces variables once: what comes out of the environment is not looked at again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_expand.h"

#include <stdlib.h>

#include "base/buffer.h"

enum { NAME_SIZE = 128 };

static bool is_name_byte(uint8_t byte, bool is_first)
{
    bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
    return is_letter || (!is_first && byte >= '0' && byte <= '9');
}

static bool take_name(struct span inside, char name[static NAME_SIZE])
{
    if (inside.len == 0 || inside.len >= NAME_SIZE)
        return false;
    for (size_t i = 0; i < inside.len; i++)
        if (!is_name_byte(inside.data[i], i == 0))
            return false;
    memcpy(name, inside.data, inside.len);
    name[inside.len] = '\0';
    return true;
}

/* `inside` is what stands between the braces. */
static enum err put_variable(struct span inside, struct buffer *to, struct why *why)
{
    char name[NAME_SIZE];
    size_t colon = span_find(inside, ':');
    if (!take_name(span_of(inside.data, colon), name))
        return why_set(why, ERR_CONFIG, "`${%.*s}` names no variable: write ${NAME} or ${NAME:default}",
                       (int)(inside.len < 100 ? inside.len : 100), (const char *)inside.data);
    const char *value = getenv(name);
    if (value != NULL)
        return buffer_append_text(to, value);
    if (colon == inside.len)
        return why_set(why, ERR_CONFIG,
                       "the environment has no variable %s: set it, or give a default with ${%s:default}",
                       name, name);
    return buffer_append(to, span_after(inside, colon + 1));
}

/* Takes one piece off the front: plain bytes, an escaped `${`, or a variable. */
static enum err put_piece(struct span *text, struct buffer *to, struct why *why)
{
    size_t plain = span_find(*text, '$');
    if (plain > 0) {
        struct span bytes = span_of(text->data, plain);
        *text = span_after(*text, plain);
        return buffer_append(to, bytes);
    }
    if (span_starts_with(*text, "$${")) {
        *text = span_after(*text, 3);
        return buffer_append_text(to, "${");
    }
    if (!span_starts_with(*text, "${")) {
        *text = span_after(*text, 1);
        return buffer_append_text(to, "$");
    }
    struct span inside = span_after(*text, 2);
    size_t end = span_find(inside, '}');
    if (end == inside.len)
        return why_set(why, ERR_CONFIG, "`${` has no `}`: close it, or write $${ for a plain ${");
    *text = span_after(inside, end + 1);
    return put_variable(span_of(inside.data, end), to, why);
}

enum err config_expand(struct span text, struct arena *arena, const char **ret_text, struct why *why)
{
    struct buffer expanded;
    buffer_init(&expanded, CONFIG_VALUE_SIZE_MAX);
    enum err err = ERR_NONE;
    while (text.len > 0 && err == ERR_NONE)
        err = put_piece(&text, &expanded, why);
    if (err == ERR_TOO_LARGE)
        (void)why_set(why, err, "the value is longer than 64 KiB");
    if (err == ERR_NONE) {
        *ret_text = arena_copy_text(arena, buffer_span(&expanded));
        if (*ret_text == NULL)
            err = why_set(why, ERR_MEMORY, "the file holds too much");
    }
    buffer_done(&expanded);
    return err;
}
