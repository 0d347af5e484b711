/* Runs the tests of one file and reports what an expectation saw. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CASES_MAX = 200, SHOWN_BYTES_MAX = 80, SHOWN_TEXT_SIZE = SHOWN_BYTES_MAX * 4 + 4 };

int test_run(const char *file, const struct CMUnitTest *const *cases, size_t count)
{
    static struct CMUnitTest tests[CASES_MAX];
    if (count > CASES_MAX) {
        fprintf(stderr, "%s: more than %d tests in one file\n", file, (int)CASES_MAX);
        return 1;
    }
    for (size_t i = 0; i < count; i++)
        tests[i] = *cases[i];
    const char *filter = getenv("WAYBILL_TEST");
    if (filter != NULL)
        cmocka_set_test_filter(filter);
    const char *slash = strrchr(file, '/');
    return _cmocka_run_group_tests(slash == NULL ? file : slash + 1, tests, count, NULL, NULL);
}

void test_fail_at(const char *file, int line, const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    print_error("%s\n", text);
    _fail(file, line);
    abort(); /* not reached: _fail jumps back into the runner, but does not say so to the compiler
              */
}

void test_expect(bool holds, const char *what, const char *file, int line)
{
    if (!holds)
        test_fail_at(file, line, "does not hold: %s", what);
}

void test_expect_u64(uint64_t actual, uint64_t expected, const char *what, const char *file, int line)
{
    if (actual != expected)
        test_fail_at(file, line, "%s\n      is %" PRIu64 "\n  not %" PRIu64, what, actual, expected);
}

void test_expect_i64(int64_t actual, int64_t expected, const char *what, const char *file, int line)
{
    if (actual != expected)
        test_fail_at(file, line, "%s\n      is %" PRId64 "\n  not %" PRId64, what, actual, expected);
}

/* The bytes from `start` on as a person can read them, shortened when there are many. */
static void show(struct span span, size_t start, char text[static SHOWN_TEXT_SIZE])
{
    size_t used = 0;
    size_t end = span.len - start > SHOWN_BYTES_MAX ? start + SHOWN_BYTES_MAX : span.len;
    for (size_t i = start; i < end; i++) {
        uint8_t byte = span.data[i];
        bool is_plain = byte >= 0x20 && byte < 0x7f && byte != '\\';
        char *target = text + used;
        size_t space = SHOWN_TEXT_SIZE - used;
        used += (size_t)(is_plain ? snprintf(target, space, "%c", byte)
                                  : snprintf(target, space, "\\x%02x", byte));
    }
    (void)snprintf(text + used, SHOWN_TEXT_SIZE - used, "%s", end < span.len ? "..." : "");
}

void test_expect_span(struct span actual, struct span expected, const char *what, const char *file, int line)
{
    if (span_equal(actual, expected))
        return;
    size_t same = 0;
    while (same < actual.len && same < expected.len && actual.data[same] == expected.data[same])
        same++;
    size_t start = same > SHOWN_BYTES_MAX / 2 ? same - SHOWN_BYTES_MAX / 2 : 0;
    char actual_text[SHOWN_TEXT_SIZE];
    char expected_text[SHOWN_TEXT_SIZE];
    show(actual, start, actual_text);
    show(expected, start, expected_text);
    test_fail_at(file, line,
                 "%s\n      is %zu bytes \"%s\"\n  not %zu bytes \"%s\"\n  they differ from byte "
                 "%zu on (shown from byte %zu)",
                 what, actual.len, actual_text, expected.len, expected_text, same, start);
}

void test_expect_text(const char *actual, const char *expected, const char *what, const char *file, int line)
{
    bool is_same = actual == NULL || expected == NULL ? actual == expected : strcmp(actual, expected) == 0;
    if (!is_same)
        test_fail_at(file, line, "%s\n      is \"%s\"\n  not \"%s\"", what,
                     actual == NULL ? "(null)" : actual, expected == NULL ? "(null)" : expected);
}

void test_expect_err(enum err actual, enum err expected, const char *what, const char *file, int line)
{
    if (actual != expected)
        test_fail_at(file, line, "%s\n      is %s\n  not %s", what, err_name(actual), err_name(expected));
}

uint64_t test_number_from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    uint64_t value = 0;
    if (text == NULL)
        return otherwise;
    if (!span_to_u64(span_from_text(text), &value)) {
        fprintf(stderr, "%s=%s is not a whole number\n", name, text);
        exit(1);
    }
    return value;
}
