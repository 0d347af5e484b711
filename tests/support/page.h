/* The project's own pages, for tests that hold them against the code. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_PAGE_H
#define SUPPORT_PAGE_H

/* The text of a file of the tree, by its path from the top; the caller frees it. Ends the test when it cannot be read. */
char *page_read(const char *path);

#endif
