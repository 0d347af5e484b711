/* A pattern of the configuration: a glob over the whole text, or a regular expression after `re:`. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PATTERN_H
#define BASE_PATTERN_H

#include "base/err.h"
#include "base/span.h"
#include "base/why.h"

/*
 * `eu.*`        glob: `*` any bytes, `?` one byte, over the whole text
 * `re:^eu\.\d`  PCRE2 on bytes, found anywhere in the text unless it is anchored; gives up, and does not match, where it
 *               would backtrack without end
 */
struct pattern;

/* The text is copied. BAD_INPUT with the place in the expression, MEMORY. */
enum err pattern_new(struct span text, struct why *why, struct pattern **ret_pattern) MUST_CHECK;
/* Takes and returns NULL. */
struct pattern *pattern_free(struct pattern *pattern);

/* For one thread at a time. */
bool pattern_matches(struct pattern *pattern, struct span text);

#endif
