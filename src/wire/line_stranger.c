/* A TLS hello (RFC 8446, 5.1) and an HTTP/1 request line or HTTP/2 preface (RFC 9112, 3; RFC 9113, 3.4). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line_stranger.h"

enum { TLS_HANDSHAKE = 0x16, TLS_MAJOR = 0x03 };

static bool is_http_version(struct span word)
{
    if (word.len > 0 && word.data[word.len - 1] == '\r')
        word.len--;
    return span_equal_text(word, "HTTP/1.1") || span_equal_text(word, "HTTP/1.0") ||
           span_equal_text(word, "HTTP/2.0");
}

static bool is_http(struct span bytes)
{
    static const char *const methods[] = {"GET",     "HEAD",  "POST",  "PUT",     "DELETE",
                                          "OPTIONS", "PATCH", "TRACE", "CONNECT", "PRI"};
    struct span line = span_of(bytes.data, span_find(bytes, '\n'));
    struct span method = span_take_word(&line);
    (void)span_take_word(&line); /* the target */
    if (!is_http_version(span_take_word(&line)))
        return false;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (span_equal_text(method, methods[i]))
            return true;
    return false;
}

const char *line_stranger(struct span bytes)
{
    if (bytes.len >= 2 && bytes.data[0] == TLS_HANDSHAKE && bytes.data[1] == TLS_MAJOR)
        return "TLS";
    return is_http(bytes) ? "HTTP" : NULL;
}
