/* Turns a record batch on standard input into text (decode), or text into a batch (encode <timestamp>); for test_record_batch.py. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "support/record_text.h"

static int decode(void)
{
    enum { SIZE = 16 * 1024 * 1024 };
    uint8_t *bytes = malloc(SIZE);
    if (bytes == NULL)
        return 1;
    size_t len = fread(bytes, 1, SIZE, stdin);
    bool is_good = record_text_write(span_of(bytes, len), stdout);
    free(bytes);
    return is_good ? 0 : 1;
}

static int encode(const char *timestamp_ms)
{
    uint8_t *bytes;
    size_t len;
    if (!record_text_read(stdin, strtoll(timestamp_ms, NULL, 10), &bytes, &len))
        return 1;
    bool is_good = fwrite(bytes, 1, len, stdout) == len;
    free(bytes);
    return is_good ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "decode") == 0)
        return decode();
    if (argc == 3 && strcmp(argv[1], "encode") == 0)
        return encode(argv[2]);
    (void)fputs("usage: record_batch_text decode | encode TIMESTAMP_MS\n", stderr);
    return 2;
}
