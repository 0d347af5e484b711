/* Text for people beside an error. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum err why_set(struct why *why, enum err err, const char *format, ...)
{
    if (why == NULL)
        return err;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why->text, sizeof why->text, format, arguments);
    va_end(arguments);
    return err;
}

void why_prefix(struct why *why, const char *format, ...)
{
    if (why == NULL)
        return;
    char old[sizeof why->text];
    memcpy(old, why->text, sizeof old);
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(why->text, sizeof why->text, format, arguments);
    va_end(arguments);
    if (written < 0 || (size_t)written >= sizeof why->text)
        return;
    size_t at = (size_t)written;
    size_t room = sizeof why->text - at - 1;
    size_t len = strnlen(old, sizeof old - 1);
    if (len > room)
        len = room;
    memcpy(why->text + at, old, len);
    why->text[at + len] = '\0';
}
