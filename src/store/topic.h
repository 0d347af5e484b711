/* Names of topics and choice of partitions: what every store does alike. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_TOPIC_H
#define STORE_TOPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

enum {
    STORE_TOPIC_NAME_MAX = 200,
    STORE_PARTITIONS_MAX = 1024,
};

struct store_topic {
    uint32_t id;
    uint32_t partitions;
    char name[STORE_TOPIC_NAME_MAX + 1];
};

/* Legal: [A-Za-z0-9._-]{1,200}, not `.` or `..`. */
bool store_topic_name_is_legal(struct span name);
/* The same for people: "1 to 200 of ...". */
extern const char store_topic_name_rule[];
/* `waybill.*` and names with a dead-letter suffix (`.dlq`) are written by the program alone. */
bool store_topic_name_is_reserved(struct span name);

/* Where a record with this key goes: murmur2 as in Kafka's Java client; keyless records go to `turn` mod partitions. */
uint32_t store_partition_of(struct span key, bool has_key, uint32_t partitions, uint32_t turn);

#endif
