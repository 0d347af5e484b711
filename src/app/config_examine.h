/* What only the rooms know to be wrong in a configuration: names, templates, fields. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_CONFIG_EXAMINE_H
#define APP_CONFIG_EXAMINE_H

#include "config/config.h"

/* Tells every problem with its place; CONFIG when there is one. Opens nothing. */
enum err config_examine(const struct config *config, struct config_problems *problems) MUST_CHECK;

#endif
