/* The greeting that asks for acknowledged mode: HELLO 1 producer=<id>. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_LINE_HELLO_H
#define WIRE_LINE_HELLO_H

#include "base/check.h"
#include "base/span.h"
#include "wire/line_error.h"

enum { LINE_PRODUCER_MAX = 200 };

struct line_hello {
    struct span producer; /* into the line; empty: none was named */
};

/* Whether the first line of a connection is a greeting, be it a bad one, and not data. */
bool line_is_hello(struct span line);

/* NONE, BAD_HELLO or BAD_VERSION. Words that are not known are passed over. */
enum line_error line_hello_parse(struct span line, struct line_hello *ret_hello) MUST_CHECK;

#endif
