/* Files of the tree that tests hold against the code: pages and vectors. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_PAGE_H
#define SUPPORT_PAGE_H

#include <stddef.h>

/* Where a file of the tree is found from where tests run; `path` is its path from the top. */
void page_path(const char *path, char *ret_path, size_t size);

/* The bytes of a file and a zero behind them; the caller frees them. Both end the test when it cannot be read. */
char *page_read_bytes(const char *path, size_t *ret_len);
char *page_read(const char *path);

#endif
