/* Words, numbers and patterns in borrowed bytes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/span.h"

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

struct span span_take_word(struct span *span)
{
    size_t from = 0;
    while (from < span->len && is_blank(span->data[from]))
        from++;
    size_t to = from;
    while (to < span->len && !is_blank(span->data[to]))
        to++;
    struct span word = span_of(span->data + from, to - from);
    *span = span_after(*span, to);
    return word;
}

bool span_starts_with(struct span span, const char *text)
{
    size_t len = strlen(text);
    return span.len >= len && memcmp(span.data, text, len) == 0;
}

bool span_to_u64(struct span span, uint64_t *ret_value)
{
    if (span.len == 0 || span.len > 20)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < span.len; i++) {
        unsigned digit = (unsigned)span.data[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *ret_value = value;
    return true;
}

bool span_matches_glob(struct span span, struct span pattern)
{
    size_t at = 0;
    size_t rule = 0;
    size_t star = pattern.len; /* the last `*` met, and where the text stood then */
    size_t star_at = 0;
    while (at < span.len) {
        if (rule < pattern.len && pattern.data[rule] == '*') {
            star = rule++;
            star_at = at;
        } else if (rule < pattern.len && (pattern.data[rule] == '?' || pattern.data[rule] == span.data[at])) {
            rule++;
            at++;
        } else if (star < pattern.len) {
            rule = star + 1;
            at = ++star_at;
        } else {
            return false;
        }
    }
    while (rule < pattern.len && pattern.data[rule] == '*')
        rule++;
    return rule == pattern.len;
}
