/* The part of the configuration about deliveries. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_CONFIG_DELIVERY_H
#define CONFIG_CONFIG_DELIVERY_H

#include "config/config_table.h"

struct config_delivery_source {
    const struct config_node *node;
    const char *topic;
    struct config_words partitions; /* none: all; numbers */
};

struct config_delivery_batch {
    const struct config_node *node;
    uint64_t records;
    uint64_t bytes;
    int64_t wait_ns;
};

struct config_delivery_retry {
    const struct config_node *node;
    int64_t first_ns;
    int64_t max_ns;
    double jitter;
};

struct config_delivery_breaker {
    const struct config_node *node;
    uint64_t failures;
    int64_t every_ns;
};

struct config_rotate {
    const struct config_node *node;
    uint64_t size; /* 0: never */
    uint64_t keep;
    bool compress;
};

struct config_delivery {
    const struct config_node *node;
    const char *name;
    struct config_sections from; /* struct config_delivery_source */
    const char *to;
    struct config_delivery_batch batch;
    uint64_t in_flight;
    struct config_delivery_retry retry;
    struct config_delivery_breaker breaker;
    struct config_rotate rotate;
};

extern const struct config_section config_delivery_section;

/* "file:PATH": the path; NULL for another target. */
const char *config_delivery_path(const struct config_delivery *delivery);

#endif
