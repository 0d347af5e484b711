/* A producer's connection: lines in, and in acknowledged mode answers out. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_PRODUCE_CONNECTION_H
#define DOOR_PRODUCE_CONNECTION_H

#include "door/door.h"
#include "door/produce_shared.h"

/* Takes the stream over; it frees itself when the stream is gone and its appends are complete. MEMORY. */
enum err
produce_connection_new(struct door *door, struct produce_shared *shared, struct stream *stream) MUST_CHECK;

/* For struct door_ops. */
void produce_connection_drain(struct door_connection *connection);

/* Cuts it, with a log line, when it has kept much of an unfinished line since before `since_ns`. */
void produce_connection_cut_stalled(struct door_connection *connection, int64_t since_ns);

#endif
