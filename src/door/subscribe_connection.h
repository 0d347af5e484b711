/* One client of the subscribe port. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_SUBSCRIBE_CONNECTION_H
#define DOOR_SUBSCRIBE_CONNECTION_H

#include "door/door.h"
#include "door/subscribe_shared.h"

/* Takes the stream; frees itself when that is closed. MEMORY: the stream stays the caller's. */
enum err subscribe_connection_new(struct subscribe_shared *shared,
                                  struct door *door,
                                  struct stream *stream) MUST_CHECK;

/* Records that are open or not read yet are not in flight: what the peer takes at once goes out, then it closes. */
void subscribe_connection_drain(struct door_connection *connection);

#endif
