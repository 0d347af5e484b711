/* Reads the batches that real client libraries wrote (make_record_batches.py), record by record. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdlib.h>

#include "support/page.h"
#include "support/record_text.h"
#include "support/test.h"

static const char folder[] = "tests/vectors/record_batch";

static int is_batch(const struct dirent *entry)
{
    const char *end = strrchr(entry->d_name, '.');
    return end != NULL && strcmp(end, ".bin") == 0;
}

/* <library>.<name>.bin has its records in <name>.txt. */
static void expect_batch(const char *file)
{
    char path[1024];
    char *text = NULL;
    size_t text_len = 0;
    const char *name = strchr(file, '.') + 1;
    (void)snprintf(path, sizeof path, "%s/%s", folder, file);
    size_t len;
    char *batch = page_read_bytes(path, &len);
    (void)snprintf(path, sizeof path, "%s/%.*s.txt", folder, (int)(strchr(name, '.') - name), name);
    char *expected = page_read(path);
    FILE *stream = open_memstream(&text, &text_len);
    expect_not_null(stream);
    if (!record_text_write(span_of(batch, len), stream))
        test_fail("%s: cannot be read", file);
    (void)fclose(stream);
    expect_span_is(span_of(text, text_len), expected);
    free(text);
    free(expected);
    free(batch);
}

TEST(we_read_what_client_libraries_encoded)
{
    struct dirent **entries;
    char path[1024];
    page_path(folder, path, sizeof path);
    int count = scandir(path, &entries, is_batch, alphasort);
    expect(count >= 24);
    for (int i = 0; i < count; i++) {
        expect_batch(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

TEST_MAIN(we_read_what_client_libraries_encoded)
