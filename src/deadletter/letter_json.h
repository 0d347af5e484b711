/* A dead letter, or a parked line, as a JSON object: one shape for the control socket and HTTP. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEADLETTER_LETTER_JSON_H
#define DEADLETTER_LETTER_JSON_H

#include "base/buffer.h"
#include "deadletter/letter_filter.h"
#include "store/store.h"

enum {
    LETTER_VALUE_SHOWN_MAX = 16 * 1024, /* of a value, and of all headers together: `tail` shows all of it */
    LETTER_JSON_SIZE_MAX = 256 * 1024,
};

/* Kept by who asks for many: the group of the latest letter. */
struct letter_state {
    char group_name[STORE_TOPIC_NAME_MAX + 1];
    uint32_t group; /* UINT32_MAX: there is none of that name */
};

/* What became of it: open, replayed, failed_again, dropped, expired; of a parked line open, rerouted, dropped. */
const char *letter_state_find(struct letter_state *state,
                              struct store *store,
                              const struct store_position *position,
                              const struct letter_view *view);

/*
 * Appends {"id":"orders.dlq/0/12","origin":"orders/0/17","group":..,"state":..,"reason":..,"attempts":..,"stacktrace":..,
 * "first":..,"last":..,"by":..,"key":..,"seq":..,"correlation_id":..,"traceability_id":..,"bytes":..}; what there is not is left
 * out. `is_whole`: also "timestamp", "headers", and "value", cut when it is longer than LETTER_VALUE_SHOWN_MAX. Errors are the buffer's.
 */
enum err letter_json_write(struct buffer *to,
                           const char *topic,
                           uint32_t partition,
                           const struct letter_view *view,
                           const char *state,
                           bool is_whole) MUST_CHECK;

/* The internal groups whose outcomes stand for parked lines: sent on, and dropped. */
extern const char letter_reroute_group[];
extern const char letter_drop_group[];

#endif
