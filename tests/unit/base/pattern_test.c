/* Patterns: globs over the whole text, regular expressions within their limits. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pattern.h"

#include "support/test.h"

static bool matches(const char *pattern_text, const char *text)
{
    struct pattern *pattern = NULL;
    struct why why = {{0}};
    expect_fine(pattern_new(span_from_text(pattern_text), &why, &pattern));
    bool result = pattern_matches(pattern, span_from_text(text));
    expect_null(pattern_free(pattern));
    return result;
}

TEST(a_glob_covers_the_whole_text)
{
    expect(matches("eu.*", "eu.orders"));
    expect(!matches("eu.*", "x.eu.orders"));
    expect(matches("order?", "orders"));
    expect(!matches("order?", "order"));
    expect(matches("", ""));
    expect(!matches("", "a"));
}

TEST(an_expression_is_found_anywhere_unless_it_is_anchored)
{
    expect(matches("re:eu\\.", "x.eu.orders"));
    expect(!matches("re:^eu\\.", "x.eu.orders"));
    expect(matches("re:^(eu|us)\\.\\d+$", "us.17"));
    expect(matches("re:", "anything"));
    expect(matches("re:^$", ""));
}

TEST(a_wrong_expression_is_refused_with_its_place)
{
    struct pattern *pattern = NULL;
    struct why why = {{0}};
    expect_err(pattern_new(span_from_text("re:a(b"), &why, &pattern), ERR_BAD_INPUT);
    expect_equal_text(why.text,
                      "the regular expression is wrong at character 4: missing closing parenthesis");
}

TEST(backtracking_without_end_does_not_match_and_does_not_hang)
{
    char text[64];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    expect(!matches("re:^(a+)+$x", text));
    expect(!matches("re:(?:(?:a|aa)+)+b", text));
}

TEST(bytes_that_are_no_text_are_only_bytes)
{
    struct pattern *pattern = NULL;
    struct why why = {{0}};
    const uint8_t bytes[] = {0xff, 0x00, 'x'};
    expect_fine(pattern_new(span_from_text("re:^\\xff\\x00x$"), &why, &pattern));
    expect(pattern_matches(pattern, span_of(bytes, sizeof bytes)));
    pattern_free(pattern);
}

TEST_MAIN(a_glob_covers_the_whole_text,
          an_expression_is_found_anywhere_unless_it_is_anchored,
          a_wrong_expression_is_refused_with_its_place,
          backtracking_without_end_does_not_match_and_does_not_hang,
          bytes_that_are_no_text_are_only_bytes)
