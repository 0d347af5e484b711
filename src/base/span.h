/* Borrowed bytes: a pointer and a length that somebody else owns. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *data;
    size_t len;
};

static inline struct span span_of(const void *data, size_t len)
{
    return (struct span){.data = data, .len = len};
}

static inline struct span span_from_text(const char *text)
{
    return span_of(text, strlen(text));
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool span_equal_text(struct span a, const char *text)
{
    return span_equal(a, span_from_text(text));
}

/* What remains behind the first `count` bytes; count <= len. */
static inline struct span span_after(struct span span, size_t count)
{
    return span_of(span.data + count, span.len - count);
}

/* The place of the first `byte`, or span.len. */
static inline size_t span_find(struct span span, uint8_t byte)
{
    const uint8_t *found = span.len == 0 ? NULL : memchr(span.data, byte, span.len);
    return found == NULL ? span.len : (size_t)(found - span.data);
}

/* Cuts the next word off the front: leading blanks (space, tab) are skipped; empty at the end. */
struct span span_take_word(struct span *span);

bool span_starts_with(struct span span, const char *text);

/* Decimal digits only, no sign, nothing behind; false on overflow, emptiness or anything else. */
bool span_to_u64(struct span span, uint64_t *ret_value);

/* Whole-span glob match: `*` any bytes, `?` one byte. No recursion, linear in practice. */
bool span_matches_glob(struct span span, struct span pattern);

#endif
