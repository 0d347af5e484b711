/* Holds the protocol's page against the code: its table of codes, its limits, its example of a message. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "support/page.h"
#include "support/test.h"
#include "wire/line_command.h"
#include "wire/line_error.h"
#include "wire/line_fields.h"
#include "wire/line_hello.h"
#include "wire/line_subscribe.h"

TEST(every_code_stands_in_the_page_with_its_class_and_text)
{
    char *page = page_read("docs/protocols/line.md");
    for (enum line_error error = LINE_ERROR_NONE + 1; error < LINE_ERROR_COUNT; error++) {
        char start[128];
        char end[128];
        (void)snprintf(start, sizeof start, "\n| `%s` | %s | ", line_error_code(error),
                       line_error_class(error));
        (void)snprintf(end, sizeof end, " | %s |\n", line_error_text(error));
        const char *row = strstr(page, start);
        if (row == NULL)
            test_fail("no row for %s", line_error_code(error));
        const char *text = strstr(row, end);
        if (text == NULL || (size_t)(text - row) > 1 + strcspn(row + 1, "\n"))
            test_fail("another text for %s", line_error_code(error));
    }
    free(page);
}

TEST(the_message_of_the_page_splits_as_the_page_says)
{
    char *page = page_read("docs/protocols/line.md");
    char *line = strstr(page, "\neu.orders|");
    if (line == NULL)
        test_fail("the page has no message");
    struct span message = span_of(line + 1, strcspn(line + 1, "\n"));
    struct line_fields fields;
    struct line_split split;
    expect_fine(line_fields_parse(span_from_text("key|timestamp|seq|body"), &fields, NULL));
    expect(line_fields_split(&fields, message, &split));
    expect_span_is(line_split_field(&split, fields.key), "eu.orders");
    expect_span_is(line_split_field(&split, fields.timestamp), "1795334400123");
    expect_span_is(line_split_field(&split, fields.seq), "17");
    expect_span_is(line_split_field(&split, fields.body), "{\"total\": \"12|50\"}");
    free(page);
}

/* The line at *at, which is moved behind it. */
static struct span take_line(const char **at)
{
    struct span line = span_of(*at, strcspn(*at, "\n"));
    *at += line.len + ((*at)[line.len] == '\n');
    return line;
}

static void expect_command(struct span line)
{
    struct line_subscribe command;
    struct line_hello hello;
    if (line_hello_parse(line, &hello) != LINE_ERROR_NONE &&
        line_subscribe_parse(line, &command) != LINE_ERROR_NONE)
        test_fail("no command: %.*s", (int)line.len, (const char *)line.data);
}

/* ERR <code> [what was named] <text> */
static void expect_error_of_the_table(struct span answer)
{
    struct span rest = answer;
    (void)span_take_word(&rest);
    struct span code = span_take_word(&rest);
    for (enum line_error error = LINE_ERROR_NONE + 1; error < LINE_ERROR_COUNT; error++) {
        struct span text = span_from_text(line_error_text(error));
        if (span_equal_text(code, line_error_code(error)) && rest.len >= text.len &&
            span_equal(span_after(rest, rest.len - text.len), text))
            return;
    }
    test_fail("not in the table: %.*s", (int)answer.len, (const char *)answer.data);
}

TEST(examples_of_subscribe_are_commands_and_errors_of_the_table)
{
    char *page = page_read("docs/protocols/line.md");
    const char *at = strstr(page, "\n## subscribe");
    const char *end = strstr(page, "\n## acks");
    unsigned commands = 0;
    expect_not_null(at);
    expect_not_null(end);
    expect(at < end);
    while (at < end) {
        struct span line = take_line(&at);
        if (span_starts_with(line, "< ERR"))
            expect_error_of_the_table(span_after(line, 2));
        if (!span_starts_with(line, "> "))
            continue;
        expect_command(span_after(line, 2));
        commands++;
    }
    expect(commands >= 8);
    free(page);
}

TEST(limits_of_subscribe_stand_in_the_page)
{
    char *page = page_read("docs/protocols/line.md");
    const char *section = strstr(page, "\n## subscribe");
    expect_not_null(section);
    expect_equal_u64(LINE_SUBSCRIBE_MAX, 1024);
    expect_equal_u64(LINE_REASON_MAX, 4096);
    expect_equal_u64(LINE_WINDOW_MAX, 1000000);
    expect_equal_u64(LINE_WINDOW_DEFAULT, 10000);
    expect_not_null(strstr(section, "at most 1,024 bytes long"));
    expect_not_null(strstr(section, "up to 4,096 bytes more"));
    expect_not_null(strstr(section, "`WINDOW` records (1 to 1,000,000, default 10,000)"));
    free(page);
}

TEST_MAIN(every_code_stands_in_the_page_with_its_class_and_text,
          the_message_of_the_page_splits_as_the_page_says,
          examples_of_subscribe_are_commands_and_errors_of_the_table,
          limits_of_subscribe_stand_in_the_page)
