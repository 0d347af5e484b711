/* The words of the unit tests: cmocka's runner, and expectations that evaluate once and print both
 * sides. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_TEST_H
#define SUPPORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/span.h"

/*
 * A test file is some TEST(name_as_a_sentence) { ... } and at the end TEST_MAIN(one_name, another);
 * the compiler refuses a test that is not listed. WAYBILL_TEST=<glob> in the environment runs only
 * the tests whose names match.
 */
#define TEST(name)                                                                                           \
    static void test_##name(void **unused_state);                                                            \
    static const struct CMUnitTest name[1] = {{#name, test_##name, NULL, NULL, NULL}};                       \
    static void test_##name(void **unused_state __attribute__((unused)))

#define TEST_MAIN(...)                                                                                       \
    int main(void)                                                                                           \
    {                                                                                                        \
        const struct CMUnitTest *const cases[] = {__VA_ARGS__};                                              \
        return test_run(__FILE__, cases, sizeof(cases) / sizeof(cases[0]));                                  \
    }

/* The value first, then what it should be. Each ends the test when it does not hold. */
#define expect(condition)                  test_expect((condition), #condition, __FILE__, __LINE__)
#define expect_equal_u64(actual, expected) test_expect_u64((actual), (expected), #actual, __FILE__, __LINE__)
#define expect_equal_i64(actual, expected) test_expect_i64((actual), (expected), #actual, __FILE__, __LINE__)
#define expect_equal_span(actual, expected)                                                                  \
    test_expect_span((actual), (expected), #actual, __FILE__, __LINE__)
#define expect_span_is(actual, expected_text)                                                                \
    test_expect_span((actual), span_from_text(expected_text), #actual, __FILE__, __LINE__)
#define expect_equal_text(actual, expected)                                                                  \
    test_expect_text((actual), (expected), #actual, __FILE__, __LINE__)
#define expect_err(actual, expected) test_expect_err((actual), (expected), #actual, __FILE__, __LINE__)
#define expect_fine(actual)          test_expect_err((actual), ERR_NONE, #actual, __FILE__, __LINE__)
#define expect_null(pointer)         test_expect((pointer) == NULL, #pointer " == NULL", __FILE__, __LINE__)
/* An expression that analyzers understand: behind it the pointer is there. */
#define expect_not_null(pointer)                                                                             \
    ((pointer) != NULL ? (void)0 : test_fail_at(__FILE__, __LINE__, "%s", #pointer " is NULL"))

/* Ends the test with a formatted sentence; also for expectations that a test file makes itself. */
#define test_fail(...) test_fail_at(__FILE__, __LINE__, __VA_ARGS__)

/* What stands behind the macros. */
int test_run(const char *file, const struct CMUnitTest *const *cases, size_t count);
void test_fail_at(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4), noreturn));
void test_expect(bool holds, const char *what, const char *file, int line);
void test_expect_u64(uint64_t actual, uint64_t expected, const char *what, const char *file, int line);
void test_expect_i64(int64_t actual, int64_t expected, const char *what, const char *file, int line);
void test_expect_span(struct span actual, struct span expected, const char *what, const char *file, int line);
void test_expect_text(const char *actual, const char *expected, const char *what, const char *file, int line);
void test_expect_err(enum err actual, enum err expected, const char *what, const char *file, int line);

/* A whole number from the environment, e.g. WAYBILL_CRASH_ROUNDS; `otherwise` when it is absent. */
uint64_t test_number_from_environment(const char *name, uint64_t otherwise);

#endif
