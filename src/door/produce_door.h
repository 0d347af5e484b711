/* The line door that takes messages. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_PRODUCE_DOOR_H
#define DOOR_PRODUCE_DOOR_H

#include "door/door.h"
#include "door/produce_shared.h"

struct produce_door {
    struct door door; /* listen, drain and cut through it */
    struct produce_shared shared;
};

/*
 * One a loop and listener. `settings`, `name` and the gate must outlive it. Errors with the reason: those of
 * line_batcher_init.
 */
enum err produce_door_init(struct produce_door *produce,
                           const struct produce_settings *settings,
                           struct append_gate *gate,
                           const char *name,
                           struct why *why) MUST_CHECK;
/* No connection is left. */
void produce_door_done(struct produce_door *produce);

#endif
