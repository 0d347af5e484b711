/* What a produce door is told by the configuration. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_PRODUCE_SETTINGS_H
#define DOOR_PRODUCE_SETTINGS_H

#include <stdbool.h>

#include "base/span.h"

enum { PRODUCE_ROUTES_MAX = 256 };

struct produce_route {
    struct span key;   /* a glob over the whole key */
    struct span topic; /* a name or a template */
};

/* All spans must outlive the door. PRODUCE_SETTINGS_DEFAULT has the defaults. */
struct produce_settings {
    struct span fields;
    struct span topic; /* a name or a template; empty: only routes */
    const struct produce_route *routes;
    uint32_t route_count;
    struct span key;       /* of every record; empty: the line's own */
    struct span otherwise; /* a topic's name; empty: what would be parked is refused */
    struct span sequence;
    bool drop_duplicates;
    bool hello;        /* a greeting as the first line asks for acknowledged mode */
    bool auto_create;  /* topics that are not there are created */
    bool ack_written;  /* log.ack: written: the greeting says that an ACK is no promise beyond the kernel */
    uint32_t window;   /* lines */
    uint32_t max_line; /* bytes without the end of line */
};

#define PRODUCE_SETTINGS_DEFAULT                                                                             \
    ((struct produce_settings){                                                                              \
        .fields = span_from_text("key|timestamp|seq|body"),                                                  \
        .topic = span_from_text("{key}"),                                                                    \
        .otherwise = span_from_text("unrouted.dlq"),                                                         \
        .sequence = span_from_text("default"),                                                               \
        .hello = true,                                                                                       \
        .auto_create = true,                                                                                 \
        .window = 10000,                                                                                     \
        .max_line = 1024 * 1024,                                                                             \
    })

#endif
