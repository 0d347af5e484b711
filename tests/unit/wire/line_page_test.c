/* Holds the protocol's page against the code: its table of codes, its limits, its example of a message. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "support/page.h"
#include "support/test.h"
#include "wire/line_command.h"
#include "wire/line_error.h"
#include "wire/line_fields.h"

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

TEST_MAIN(every_code_stands_in_the_page_with_its_class_and_text,
          the_message_of_the_page_splits_as_the_page_says)
