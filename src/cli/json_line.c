/* Looks through the whole line for each member: lines are for people, and short. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/json_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static bool find(struct span line, const char *name, enum json_kind *ret_kind, struct span *ret_value)
{
    struct json_reader reader;
    json_reader_init(&reader, line);
    if (json_reader_next(&reader) != JSON_OBJECT_BEGIN)
        return false;
    while (json_reader_next(&reader) == JSON_NAME) {
        bool is_it = json_text_equal(json_reader_piece(&reader), name);
        enum json_kind kind = json_reader_next(&reader);
        if (kind == JSON_BAD)
            return false;
        struct span value = json_reader_piece(&reader);
        if (is_it) {
            *ret_kind = kind;
            *ret_value = value;
            return true;
        }
        if ((kind == JSON_OBJECT_BEGIN || kind == JSON_ARRAY_BEGIN) && !json_reader_skip(&reader))
            return false;
    }
    return false;
}

const char *json_line_text(struct span line, const char *name, char *to, size_t size)
{
    enum json_kind kind;
    struct span value;
    to[0] = '\0';
    if (!find(line, name, &kind, &value) || kind != JSON_STRING || value.len == 0)
        return to;
    uint8_t *resolved = malloc(value.len);
    if (resolved == NULL)
        return to;
    size_t len = json_text_resolve(value, resolved);
    len = len < size - 1 ? len : size - 1;
    for (size_t i = 0; i < len; i++) /* nothing that moves the cursor */
        to[i] = (char)(resolved[i] < ' ' ? ' ' : resolved[i]);
    to[len] = '\0';
    free(resolved);
    return to;
}

int64_t json_line_number(struct span line, const char *name)
{
    enum json_kind kind;
    struct span value;
    int64_t number = 0;
    if (!find(line, name, &kind, &value) || kind != JSON_NUMBER || !json_number_to_i64(value, &number))
        return 0;
    return number;
}

bool json_line_has(struct span line, const char *name)
{
    enum json_kind kind;
    struct span value;
    return find(line, name, &kind, &value);
}

const char *json_line_time(char text[static JSON_LINE_TIME_SIZE], int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    (void)snprintf(text, JSON_LINE_TIME_SIZE, "-");
    if (ms > 0 && gmtime_r(&seconds, &parts) != NULL) {
        size_t len = strftime(text, JSON_LINE_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
        (void)snprintf(text + len, JSON_LINE_TIME_SIZE - len, ".%03dZ", (int)(ms % 1000));
    }
    return text;
}
