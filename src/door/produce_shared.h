/* What the connections of one produce door share on a loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_PRODUCE_SHARED_H
#define DOOR_PRODUCE_SHARED_H

#include "door/append_gate.h"
#include "door/line_batcher.h"

struct produce_shared {
    const struct produce_settings *settings;
    struct store *store;
    struct append_gate *gate;    /* shared with the loop's other doors */
    struct line_batcher batcher; /* empty between two events */
    uint32_t max_line;           /* of the settings, or what an append has room for */
    struct timer sweep;          /* runs while unfinished lines use up their budget */
};

#endif
