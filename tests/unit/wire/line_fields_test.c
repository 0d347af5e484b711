/* Tests of the fields of a line. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line_fields.h"

#include "support/test.h"
#include "wire/line_number.h"

static struct line_fields parse(const char *specification)
{
    struct line_fields fields;
    expect_fine(line_fields_parse(span_from_text(specification), &fields, NULL));
    return fields;
}

TEST(the_last_field_takes_the_rest)
{
    struct line_fields fields = parse("key|timestamp|seq|body");
    struct line_split split;
    expect(line_fields_split(&fields, span_from_text("k||17|a|b|"), &split));
    expect_span_is(line_split_field(&split, fields.key), "k");
    expect_span_is(line_split_field(&split, fields.timestamp), "");
    expect_span_is(line_split_field(&split, fields.seq), "17");
    expect_span_is(line_split_field(&split, fields.body), "a|b|");
}

TEST(a_line_with_fewer_fields_is_told)
{
    struct line_fields fields = parse("key|timestamp|seq|body");
    struct line_split split;
    expect(!line_fields_split(&fields, span_from_text("k|1|2"), &split));
    expect(!line_fields_split(&fields, span_from_text(""), &split));
    expect(line_fields_split(&fields, span_from_text("|||"), &split));
    expect_equal_u64(line_split_field(&split, fields.body).len, 0);
}

TEST(any_order_and_other_names_are_possible)
{
    struct line_fields fields = parse("seq|tenant|body");
    struct line_split split;
    expect_equal_u64(fields.key, LINE_FIELD_ABSENT);
    expect_equal_u64(fields.timestamp, LINE_FIELD_ABSENT);
    expect(line_fields_split(&fields, span_from_text("1|acme|x"), &split));
    expect_span_is(line_split_field(&split, line_fields_find(&fields, span_from_text("tenant"))), "acme");
    expect_equal_u64(line_split_field(&split, fields.key).len, 0);
}

TEST(a_body_alone_is_the_whole_line)
{
    struct line_fields fields = parse("body");
    struct line_split split;
    expect(line_fields_split(&fields, span_from_text("a|b"), &split));
    expect_span_is(line_split_field(&split, fields.body), "a|b");
}

TEST(bad_specifications_are_refused_by_name)
{
    static const char *const bad[] = {
        "",         "key",         "key|key|body",   "key||body",           "body|",
        "a b|body", "reason|body", "waybill.x|body", "1|2|3|4|5|6|7|8|body"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct line_fields fields;
        struct why why = {0};
        expect_err(line_fields_parse(span_from_text(bad[i]), &fields, &why), ERR_BAD_INPUT);
        expect(why.text[0] != '\0');
    }
}

TEST(numbers_are_decimal_from_one_to_the_largest_signed)
{
    uint64_t number = 0;
    expect(line_number_parse(span_from_text("00000000000000000017"), &number));
    expect_equal_u64(number, 17);
    expect(line_number_parse(span_from_text("9223372036854775807"), &number));
    static const char *const bad[] = {
        "", "0", "-1", "+1", " 1", "1 ", "1.0", "0x1", "9223372036854775808", "18446744073709551617"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect(!line_number_parse(span_from_text(bad[i]), &number));
    expect_span_is(line_number_trim(span_from_text("0017")), "17");
    uint8_t text[LINE_NUMBER_SIZE_MAX];
    expect_span_is(span_of(text, (size_t)(line_number_put(text, UINT64_MAX) - text)), "18446744073709551615");
    expect_span_is(span_of(text, (size_t)(line_number_put(text, 0) - text)), "0");
}

TEST_MAIN(the_last_field_takes_the_rest,
          a_line_with_fewer_fields_is_told,
          any_order_and_other_names_are_possible,
          a_body_alone_is_the_whole_line,
          bad_specifications_are_refused_by_name,
          numbers_are_decimal_from_one_to_the_largest_signed)
