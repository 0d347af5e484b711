/* The known word that a mistyped one most likely means. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_CONFIG_NEAREST_H
#define CONFIG_CONFIG_NEAREST_H

#include <stddef.h>

enum { CONFIG_NEAREST_LEN_MAX = 63 };

/*
 * Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other (optimal
 * string
 * alignment); longer words than CONFIG_NEAREST_LEN_MAX are far from everything.
 */
unsigned config_distance(const char *a, const char *b);

/* Whether `distance` is near enough to `word` to be a mistyping of it. */
int config_is_near(const char *word, unsigned distance);

#endif
