/* One client of the acks port. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_ACKS_CONNECTION_H
#define DOOR_ACKS_CONNECTION_H

#include "door/acks_shared.h"
#include "door/door.h"

/* Takes the stream; frees itself when that is closed. MEMORY: the stream stays the caller's. */
enum err acks_connection_new(struct acks_shared *shared, struct door *door, struct stream *stream) MUST_CHECK;

/* Answers what has been received whole, then closes. */
void acks_connection_drain(struct door_connection *connection);

#endif
