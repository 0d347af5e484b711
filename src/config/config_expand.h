/* Variables of the environment in a value: ${NAME} and ${NAME:otherwise}. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_CONFIG_EXPAND_H
#define CONFIG_CONFIG_EXPAND_H

#include "base/arena.h"
#include "base/why.h"

enum { CONFIG_VALUE_SIZE_MAX = 64 * 1024 };

/*
 * The text with its variables replaced, in the arena. $${ stands for a plain ${. CONFIG with the reason,
 * MEMORY.
 */
enum err
config_expand(struct span text, struct arena *arena, const char **ret_text, struct why *why) MUST_CHECK;

#endif
