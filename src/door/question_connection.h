/* One client of a port that is asked questions. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_QUESTION_CONNECTION_H
#define DOOR_QUESTION_CONNECTION_H

#include "door/door.h"
#include "door/question_shared.h"

/* Takes the stream; frees itself when that is closed. MEMORY: the stream stays the caller's. */
enum err
question_connection_new(struct question_shared *shared, struct door *door, struct stream *stream) MUST_CHECK;

/* Reads no more, answers what has come, closes. */
void question_connection_drain(struct door_connection *connection);
/* The next slice of the connection whose turn it is. */
void question_connection_take_turn(struct question_shared *shared);

#endif
