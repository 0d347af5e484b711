/* Globs and regular expressions. */
/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/pattern.h"

#include <pcre2.h>
#include <stdlib.h>

/* A key from outside must not cost more than a few microseconds, whatever the expression. */
enum { MATCH_LIMIT = 10000, DEPTH_LIMIT = 250 };

struct pattern {
    pcre2_code *code; /* NULL: a glob */
    pcre2_match_data *match_data;
    pcre2_match_context *context;
    size_t len;
    uint8_t text[];
};

static enum err compile(struct pattern *pattern, struct span expression, struct why *why)
{
    int number;
    PCRE2_SIZE at;
    pattern->code = pcre2_compile(expression.data, expression.len, 0, &number, &at, NULL);
    if (pattern->code == NULL) {
        PCRE2_UCHAR text[120] = {0};
        (void)pcre2_get_error_message(number, text, sizeof text);
        return why_set(why, ERR_BAD_INPUT, "the regular expression is wrong at character %zu: %s",
                       (size_t)at + 1, (const char *)text);
    }
    pattern->match_data = pcre2_match_data_create(1, NULL);
    pattern->context = pcre2_match_context_create(NULL);
    if (pattern->match_data == NULL || pattern->context == NULL)
        return ERR_MEMORY;
    (void)pcre2_set_match_limit(pattern->context, MATCH_LIMIT);
    (void)pcre2_set_depth_limit(pattern->context, DEPTH_LIMIT);
    (void)pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE); /* without it the interpreter matches */
    return ERR_NONE;
}

enum err pattern_new(struct span text, struct why *why, struct pattern **ret_pattern)
{
    static const char prefix[] = "re:";
    struct pattern *pattern = calloc(1, sizeof *pattern + text.len);
    if (pattern == NULL)
        return ERR_MEMORY;
    pattern->len = text.len;
    if (text.len > 0)
        memcpy(pattern->text, text.data, text.len);
    enum err err = ERR_NONE;
    if (span_starts_with(text, prefix))
        err = compile(pattern, span_after(text, sizeof prefix - 1), why);
    if (err != ERR_NONE) {
        pattern_free(pattern);
        return err;
    }
    *ret_pattern = pattern;
    return ERR_NONE;
}

struct pattern *pattern_free(struct pattern *pattern)
{
    if (pattern == NULL)
        return NULL;
    pcre2_match_context_free(pattern->context);
    pcre2_match_data_free(pattern->match_data);
    pcre2_code_free(pattern->code);
    free(pattern);
    return NULL;
}

bool pattern_matches(struct pattern *pattern, struct span text)
{
    if (pattern->code == NULL)
        return span_matches_glob(text, span_of(pattern->text, pattern->len));
    const uint8_t *data = text.data == NULL ? (const uint8_t *)"" : text.data;
    return pcre2_match(pattern->code, data, text.len, 0, 0, pattern->match_data, pattern->context) >= 0;
}
