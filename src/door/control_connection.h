/* One client of the control socket. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_CONTROL_CONNECTION_H
#define DOOR_CONTROL_CONNECTION_H

#include "door/control_shared.h"
#include "door/door.h"

/* Takes the stream; frees itself when that is closed, or given to a producer. MEMORY: the stream stays the caller's. */
enum err
control_connection_new(struct control_shared *shared, struct door *door, struct stream *stream) MUST_CHECK;

/* Nothing on this socket is worth waiting for: closes when the answers are out. */
void control_connection_drain(struct door_connection *connection);

#endif
