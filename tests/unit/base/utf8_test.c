/* Tests of UTF-8 against the definition: every code point, and every pair of bytes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include "support/test.h"

TEST(every_code_point_is_written_and_read)
{
    for (uint32_t code_point = 0; code_point <= 0x10ffff; code_point++) {
        if (code_point >= 0xd800 && code_point <= 0xdfff)
            continue;
        uint8_t bytes[4];
        size_t len = utf8_put(bytes, code_point);
        if (utf8_character_len(span_of(bytes, len)) != len ||
            utf8_character_len(span_of(bytes, len - 1)) != 0)
            test_fail("U+%04X", code_point);
    }
}

TEST(illegal_bytes_are_no_character)
{
    static const char *const wrong[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc2",
        "\xc2\x41",
        "\xe0\x9f\xbf",
        "\xed\xa0\x80",
        "\xe2\x82\x41",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "\xf0\x9d\x84",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        expect_equal_u64(utf8_character_len(span_from_text(wrong[i])), 0);
    expect(utf8_is_valid(span_from_text("Gr\xc3\xbc\xc3\x9f"
                                        "e")));
    expect(!utf8_is_valid(span_from_text("ok\xc3")));
    expect(utf8_is_valid(span_of(NULL, 0)));
}

TEST_MAIN(every_code_point_is_written_and_read, illegal_bytes_are_no_character)
