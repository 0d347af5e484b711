/* Collects problems, so that one look at a configuration shows them all. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_problem.h"

#include <stdarg.h>
#include <stdio.h>

enum { PROBLEM_SIZE = 512, PROBLEMS_SIZE_MAX = CONFIG_PROBLEMS_MAX * 2 * PROBLEM_SIZE };

void config_problems_init(struct config_problems *problems, const char *file)
{
    *problems = (struct config_problems){.file = file};
    buffer_init(&problems->text, PROBLEMS_SIZE_MAX);
}

void config_problems_done(struct config_problems *problems)
{
    buffer_done(&problems->text);
}

void config_problem(struct config_problems *problems, struct config_place place, const char *format, ...)
{
    if (problems->count++ >= CONFIG_PROBLEMS_MAX)
        return;
    char text[PROBLEM_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    char at[32] = "";
    if (place.line > 0)
        (void)snprintf(at, sizeof at, "%u:%u:", place.line, place.column);
    /* Without memory the count still says that there was one. */
    (void)!buffer_printf(&problems->text, "%.400s:%s %s\n", problems->file, at, text);
}
