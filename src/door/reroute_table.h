/* Where parked lines belong by the present routing: the produce doors that park in one topic. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_REROUTE_TABLE_H
#define DOOR_REROUTE_TABLE_H

#include "door/line_routes.h"
#include "wire/record_batch.h"

/* What every produce door of the program is told; all of it outlives whoever holds it. */
struct reroute_doors {
    const struct produce_settings *const *settings;
    uint32_t count;
};

struct reroute_door;

struct reroute_table {
    struct store *store;
    struct reroute_door *doors;
    uint32_t count;
    bool is_dry;        /* no topic is made */
    struct buffer line; /* of the latest record, put together again */
};

/* The record that a parked line becomes, and where. It points into the parked one and into the table. */
struct rerouted {
    struct store_topic topic;
    uint32_t sequence; /* that its number belongs to */
    uint64_t seq;      /* 0: it has none */
    struct record record;
    struct record_header headers[RECORD_BATCH_HEADERS_MAX];
};

/* Takes the doors whose `otherwise` is this topic, in their order. NOT_FOUND: there is none; else those of line_routes_init. */
enum err reroute_table_init(struct reroute_table *table,
                            struct store *store,
                            const struct reroute_doors *doors,
                            struct span topic,
                            bool is_dry,
                            struct why *why) MUST_CHECK;
void reroute_table_done(struct reroute_table *table);

/* False: it still has no place, or was cut. In a dry run the topic may be none yet. *ret_rerouted is valid until the next call. */
bool reroute_table_find(struct reroute_table *table,
                        const struct record *parked,
                        struct rerouted *ret_rerouted);

#endif
