/* Tests of words, numbers and globs in borrowed bytes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/span.h"

#include "support/test.h"

TEST(words_are_cut_off_the_front)
{
    struct span line = span_from_text(" \tGET_ACK  5\t");
    expect_span_is(span_take_word(&line), "GET_ACK");
    expect_span_is(span_take_word(&line), "5");
    expect_span_is(span_take_word(&line), "");
    expect_equal_u64(line.len, 0);
}

TEST(numbers_are_digits_only)
{
    uint64_t value = 0;
    expect(span_to_u64(span_from_text("18446744073709551615"), &value));
    expect_equal_u64(value, UINT64_MAX);
    expect(span_to_u64(span_from_text("007"), &value));
    expect_equal_u64(value, 7);
    static const char *const wrong[] = {"",   "18446744073709551616", "-1", "+1", "1 ",
                                        "1a", "000000000000000000001"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (span_to_u64(span_from_text(wrong[i]), &value))
            test_fail("taken: \"%s\"", wrong[i]);
}

TEST(globs_match_whole_spans)
{
    static const struct {
        const char *text;
        const char *pattern;
        bool matches;
    } rows[] = {
        {"", "", true},           {"", "*", true},         {"a", "", false},     {"eu.west", "eu.*", true},
        {"eu", "eu.*", false},    {"abc", "a?c", true},    {"ac", "a?c", false}, {"abcbc", "a*bc", true},
        {"abcbd", "a*bc", false}, {"aaaa", "*a*a*", true}, {"a", "a**", true},   {"xay", "?a", false},
        {"a*b", "a*b", true},     {"[a]", "[a]", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (span_matches_glob(span_from_text(rows[i].text), span_from_text(rows[i].pattern)) !=
            rows[i].matches)
            test_fail("\"%s\" and \"%s\"", rows[i].text, rows[i].pattern);
}

TEST(equality_needs_no_bytes_when_empty)
{
    expect(span_equal(span_of(NULL, 0), span_of("x", 0)));
    expect(!span_equal(span_from_text("a"), span_from_text("b")));
    expect(!span_starts_with(span_from_text("ab"), "abc"));
    expect_equal_u64(span_find(span_of(NULL, 0), 'x'), 0);
    expect_equal_u64(span_find(span_from_text("abc"), 'c'), 2);
}

TEST_MAIN(words_are_cut_off_the_front,
          numbers_are_digits_only,
          globs_match_whole_spans,
          equality_needs_no_bytes_when_empty)
