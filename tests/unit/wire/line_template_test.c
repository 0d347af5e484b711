/* Tests of topic templates. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line_template.h"

#include "support/test.h"

static struct line_fields fields_of_kmq(void)
{
    struct line_fields fields;
    expect_fine(line_fields_parse(span_from_text("key|timestamp|seq|body"), &fields, NULL));
    return fields;
}

static bool expand(const char *text, const char *line, uint8_t to[static 16], struct span *name)
{
    struct line_fields fields = fields_of_kmq();
    struct line_template template;
    struct line_split split;
    expect_fine(line_template_parse(span_from_text(text), &fields, &template, NULL));
    expect(line_fields_split(&fields, span_from_text(line), &split));
    return line_template_expand(&template, &split, to, 16, name);
}

TEST(names_are_made_of_text_and_fields)
{
    uint8_t to[16];
    struct span name;
    expect(expand("orders", "k|1|2|b", to, &name));
    expect_span_is(name, "orders");
    expect(expand("{key}", "k|1|2|b", to, &name));
    expect_span_is(name, "k");
    expect(expand("a-{key}.{seq}z", "k|1|2|b", to, &name));
    expect_span_is(name, "a-k.2z");
}

TEST(a_name_beyond_the_limit_is_told_and_not_cut)
{
    uint8_t to[16];
    struct span name;
    expect(expand("{key}", "0123456789abcdef|1|2|b", to, &name));
    expect(!expand("{key}", "0123456789abcdefg|1|2|b", to, &name));
    expect(expand("x{key}", "0123456789abcde|1|2|b", to, &name));
    expect(!expand("x{key}", "0123456789abcdef|1|2|b", to, &name));
}

TEST(bad_templates_are_refused)
{
    static const char *const bad[] = {
        "",   "{",        "a{key",  "key}",
        "{}", "{tenant}", "{key}}", "{key}{key}{key}{key}{key}{key}{key}{key}{key}"};
    struct line_fields fields = fields_of_kmq();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct line_template template;
        struct why why = {0};
        expect_err(line_template_parse(span_from_text(bad[i]), &fields, &template, &why), ERR_BAD_INPUT);
        expect(why.text[0] != '\0');
    }
}

TEST_MAIN(names_are_made_of_text_and_fields,
          a_name_beyond_the_limit_is_told_and_not_cut,
          bad_templates_are_refused)
