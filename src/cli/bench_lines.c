/* Lines are made once; numbering one is an addition on ten digits, so that the server is what is measured. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

enum { BLOCK_SIZE = 1024 * 1024, HEAD_SIZE_MAX = 256 };

static const char filler[] = "the quick brown fox jumps over the lazy dog; ";

/* Appends a field to the head of a line; the body has no place there. False: not a field that we know. */
static bool put_field(char *head, size_t *len, struct span name, const char *topic, const char *key)
{
    char *to = head + *len;
    size_t room = HEAD_SIZE_MAX - *len;
    int put = 0;
    if (span_equal_text(name, "topic"))
        put = snprintf(to, room, "%s|", topic);
    else if (span_equal_text(name, "key"))
        put = snprintf(to, room, "%s|", key);
    else if (span_equal_text(name, "timestamp"))
        put = snprintf(to, room, "%" PRId64 "|", clock_wall_ns(clock_linux()) / CLOCK_NS_PER_MS);
    else if (span_equal_text(name, "seq"))
        put = snprintf(to, room, "%" PRIu64 "|", BENCH_SEQ_FIRST);
    if (put <= 0 || (size_t)put >= room)
        return false;
    *len += (size_t)put;
    return true;
}

/* Everything before the body, and where the number stands in it. The body must be the last field. */
static bool put_head(
    char *head, const char *fields, const char *topic, const char *key, size_t *ret_len, uint32_t *seq_at)
{
    struct span rest = span_from_text(fields);
    size_t len = 0;
    *seq_at = UINT32_MAX;
    for (;;) {
        size_t end = span_find(rest, '|');
        struct span name = span_of(rest.data, end);
        if (end == rest.len) {
            *ret_len = len;
            return span_equal_text(name, "body") && *seq_at != UINT32_MAX;
        }
        if (span_equal_text(name, "seq"))
            *seq_at = (uint32_t)len;
        if (!put_field(head, &len, name, topic, key))
            return false;
        rest = span_after(rest, end + 1);
    }
}

static bool
put_line(struct bench_lines *lines, const struct bench_shape *shape, uint32_t number, struct random *random)
{
    char topic[32];
    char key[32];
    char head[HEAD_SIZE_MAX];
    size_t len = 0;
    uint64_t chosen = shape->topics > 1 ? random_below(random, shape->topics) : 0;
    (void)snprintf(topic, sizeof topic, "topic-%02u", (unsigned)chosen);
    if (shape->keys == 0)
        (void)snprintf(key, sizeof key, "key-%08x", (unsigned)(random_u64(random) & UINT32_MAX));
    else
        (void)snprintf(key, sizeof key, "key-%06u", (unsigned)(number % shape->keys));
    if (!put_head(head, shape->fields, topic, key, &len, &lines->seq_at) || len + 2 > lines->size)
        return false;
    uint8_t *line = lines->data + (size_t)number * lines->size;
    memcpy(line, head, len);
    for (size_t i = len; i < lines->size - 1; i++)
        line[i] = (uint8_t)filler[i % (sizeof filler - 1)];
    line[lines->size - 1] = '\n';
    return true;
}

enum err bench_lines_init(struct bench_lines *lines,
                          const struct bench_shape *shape,
                          uint32_t count_max,
                          struct random *random,
                          struct why *why)
{
    uint32_t fitting = shape->size < BLOCK_SIZE ? BLOCK_SIZE / shape->size : 1;
    *lines = (struct bench_lines){.size = shape->size, .count = fitting < count_max ? fitting : count_max};
    lines->data = malloc((size_t)lines->count * lines->size);
    if (lines->data == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < lines->count; i++)
        if (!put_line(lines, shape, i, random)) {
            bench_lines_done(lines);
            return why_set(why, ERR_BAD_INPUT,
                           "lines of %" PRIu32
                           " bytes with the fields `%s` cannot be made: they need `seq`, end "
                           "with `body`, and know topic, key and timestamp besides",
                           shape->size, shape->fields);
        }
    return ERR_NONE;
}

void bench_lines_done(struct bench_lines *lines)
{
    free(lines->data);
    lines->data = NULL;
}

void bench_put_seq(uint8_t *to, uint64_t seq)
{
    for (int i = BENCH_SEQ_DIGITS - 1; i >= 0; i--, seq /= 10)
        to[i] = (uint8_t)('0' + seq % 10);
}

/* One more, in decimal. */
static void count_up(uint8_t digits[static BENCH_SEQ_DIGITS])
{
    int i = BENCH_SEQ_DIGITS - 1;
    for (; i > 0 && digits[i] == '9'; i--)
        digits[i] = '0';
    digits[i]++;
}

struct span bench_lines_number(struct bench_lines *lines, uint32_t from, uint32_t count, uint64_t seq)
{
    check(from + count <= lines->count && seq + count <= BENCH_SEQ_LAST);
    uint8_t digits[BENCH_SEQ_DIGITS];
    uint8_t *first = lines->data + (size_t)from * lines->size;
    uint8_t *line = first;
    bench_put_seq(digits, seq);
    for (uint32_t i = 0; i < count; i++, line += lines->size) {
        memcpy(line + lines->seq_at, digits, BENCH_SEQ_DIGITS);
        count_up(digits);
    }
    return span_of(first, (size_t)count * lines->size);
}

/* Short runs, so that the compiler may count in vectors of bytes. */
uint64_t bench_count_lines(struct span bytes)
{
    uint64_t lines = 0;
    while (bytes.len > 0) {
        size_t run = bytes.len < UINT8_MAX ? bytes.len : UINT8_MAX;
        uint8_t ends = 0;
        for (size_t i = 0; i < run; i++)
            ends = (uint8_t)(ends + (bytes.data[i] == '\n'));
        lines += ends;
        bytes = span_after(bytes, run);
    }
    return lines;
}
