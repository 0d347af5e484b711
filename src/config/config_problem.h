/* What is wrong with a configuration, for the person who wrote it: a line for each problem, with its place. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_CONFIG_PROBLEM_H
#define CONFIG_CONFIG_PROBLEM_H

#include "base/buffer.h"

/* Both count from 1; 0: the file as a whole. */
struct config_place {
    unsigned line;
    unsigned column;
};

enum { CONFIG_PROBLEMS_MAX = 20 };

struct config_problems {
    const char *file; /* as its user called it */
    struct buffer text;
    unsigned count; /* also of those beyond the maximum, which are not in the text */
};

void config_problems_init(struct config_problems *problems, const char *file);
void config_problems_done(struct config_problems *problems);

/* Adds "file:line:column: what is wrong, what to do". */
void config_problem(struct config_problems *problems, struct config_place place, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
