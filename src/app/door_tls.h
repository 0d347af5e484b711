/* From a door's configuration to what its listeners secure connections with. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_DOOR_TLS_H
#define APP_DOOR_TLS_H

#include "base/clock.h"
#include "base/why.h"
#include "config/config.h"
#include "io/tls_context.h"

/* Where in the configuration stands what an error is about. */
struct door_tls_fault {
    const struct config_node *node;
    const char *setting;
};

/* *ret_tls is NULL for a plain door. CONFIG: a file is wrong, with the reason and the place. MEMORY. */
enum err door_tls_open(const struct config_door *door,
                       struct clock *clock,
                       struct door_tls_fault *ret_fault,
                       struct why *why,
                       struct tls_context **ret_tls) MUST_CHECK;

#endif
