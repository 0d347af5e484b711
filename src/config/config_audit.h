/* The section `audit` of the configuration. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_CONFIG_AUDIT_H
#define CONFIG_CONFIG_AUDIT_H

#include <stdbool.h>

struct config_node;

struct config_audit {
    const struct config_node *node;
    const char *topic;
    bool consume;
    bool produce;
    const char *service;
};

#endif
