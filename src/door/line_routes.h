/* Which topic a line's record goes to, by name: the settings of a produce door, read once. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_LINE_ROUTES_H
#define DOOR_LINE_ROUTES_H

#include "base/pattern.h"
#include "door/produce_settings.h"
#include "store/store.h"
#include "wire/line_error.h"
#include "wire/line_fields.h"
#include "wire/line_template.h"

struct line_route {
    struct pattern *key;
    struct line_template topic;
};

struct line_routes {
    struct line_fields fields;
    struct line_template topic; /* count 0: none */
    struct line_route *routes;
    uint32_t route_count;
    uint8_t name[STORE_TOPIC_NAME_MAX]; /* where a name is put together */
};

/* Which setting was refused, as a configuration calls it. */
struct line_routes_fault {
    const char *setting;
    uint32_t route; /* in which of the `routes`, from 1; 0: the door's own */
};

/* BAD_INPUT or BAD_NAME with the reason, NOT_SUPPORTED for `re:` patterns, TOO_MANY, MEMORY. */
enum err line_routes_init(struct line_routes *routes,
                          const struct produce_settings *settings,
                          struct why *why) MUST_CHECK;
void line_routes_done(struct line_routes *routes);

/* Whether line_routes_init would take the settings; its error, and which of them it refuses. */
enum err line_routes_examine(const struct produce_settings *settings,
                             struct line_routes_fault *fault,
                             struct why *why) MUST_CHECK;

/* The topic's name for a line, valid until the next call; NO_ROUTE or BAD_NAME. It may still be no legal name. */
enum line_error
line_routes_name(struct line_routes *routes, const struct line_split *split, struct span *ret_name);

#endif
