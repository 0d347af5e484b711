/* Finds pages from the place of this file: tests run where the compiler was given its path. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

enum { PAGE_SIZE_MAX = 256 * 1024 };

char *page_read(const char *path)
{
    char full_path[1024];
    const char *here = strstr(__FILE__, "tests/support/");
    (void)snprintf(full_path, sizeof full_path, "%.*s%s", (int)(here - __FILE__), __FILE__, path);
    FILE *file = fopen(full_path, "re");
    if (file == NULL)
        test_fail("%s: cannot be read", full_path);
    char *page = calloc(1, PAGE_SIZE_MAX + 1);
    expect_not_null(page);
    size_t len = fread(page, 1, PAGE_SIZE_MAX, file);
    (void)fclose(file);
    expect(len > 0 && len < PAGE_SIZE_MAX);
    return page;
}
