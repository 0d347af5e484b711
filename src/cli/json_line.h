/* Members of a JSON object that the program printed as one line. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_JSON_LINE_H
#define CLI_JSON_LINE_H

#include "base/json_reader.h"

enum { JSON_LINE_TIME_SIZE = 40 };

/* The text of a string member, escapes resolved, cut to `size` with its zero byte; "" when there is none. Returns `to`. */
const char *json_line_text(struct span line, const char *name, char *to, size_t size);
/* 0 when there is none. */
int64_t json_line_number(struct span line, const char *name);
bool json_line_has(struct span line, const char *name);

/* RFC 3339 in UTC, "-" for 0. Returns `text`. */
const char *json_line_time(char text[static JSON_LINE_TIME_SIZE], int64_t ms);

#endif
