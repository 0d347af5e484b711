/* Reads the greeting of acknowledged mode. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line_hello.h"

static bool is_producer_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '.' || byte == '_' || byte == '-';
}

static bool is_producer(struct span id)
{
    for (size_t i = 0; i < id.len; i++)
        if (!is_producer_byte(id.data[i]))
            return false;
    return id.len > 0 && id.len <= LINE_PRODUCER_MAX;
}

bool line_is_hello(struct span line)
{
    bool begins_so = span_starts_with(line, "HELLO"); /* without a blank before it */
    return begins_so && span_equal_text(span_take_word(&line), "HELLO");
}

enum line_error line_hello_parse(struct span line, struct line_hello *ret_hello)
{
    struct line_hello hello = {0};
    uint64_t version;
    if (!line_is_hello(line))
        return LINE_ERROR_BAD_HELLO;
    (void)span_take_word(&line);
    if (!span_to_u64(span_take_word(&line), &version))
        return LINE_ERROR_BAD_HELLO;
    if (version != 1)
        return LINE_ERROR_BAD_VERSION;
    for (struct span word; (word = span_take_word(&line)).len > 0;) {
        if (!span_starts_with(word, "producer="))
            continue;
        hello.producer = span_after(word, strlen("producer="));
        if (!is_producer(hello.producer))
            return LINE_ERROR_BAD_HELLO;
    }
    *ret_hello = hello;
    return LINE_ERROR_NONE;
}
