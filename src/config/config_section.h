/* Reads a section of the configuration along its table. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_CONFIG_SECTION_H
#define CONFIG_CONFIG_SECTION_H

#include "config/config_table.h"

/* Fills the struct from the table's defaults and the node (NULL: defaults only); what is wrong is told. */
void config_section_read(const struct config_section *section,
                         const struct config_node *node,
                         struct arena *arena,
                         struct config_problems *problems,
                         void *values);

#endif
