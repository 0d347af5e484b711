/* Finds files of the tree from the place of this one: tests run where the compiler was given its path. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

enum { PAGE_SIZE_MAX = 1024 * 1024 };

void page_path(const char *path, char *ret_path, size_t size)
{
    const char *here = strstr(__FILE__, "tests/support/");
    (void)snprintf(ret_path, size, "%.*s%s", (int)(here - __FILE__), __FILE__, path);
}

char *page_read_bytes(const char *path, size_t *ret_len)
{
    char full_path[1024];
    page_path(path, full_path, sizeof full_path);
    FILE *file = fopen(full_path, "re");
    char *page = calloc(1, PAGE_SIZE_MAX + 1);
    if (file == NULL || page == NULL)
        test_fail("%s: cannot be read", full_path);
    size_t len = fread(page, 1, PAGE_SIZE_MAX, file);
    (void)fclose(file);
    expect(len > 0 && len < PAGE_SIZE_MAX);
    *ret_len = len;
    return page;
}

char *page_read(const char *path)
{
    size_t len;
    return page_read_bytes(path, &len);
}
