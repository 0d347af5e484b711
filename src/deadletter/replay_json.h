/* A replay as a JSON object: one shape for the control socket and HTTP. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEADLETTER_REPLAY_JSON_H
#define DEADLETTER_REPLAY_JSON_H

#include "base/buffer.h"
#include "deadletter/replay_run.h"

/*
 * Appends {"id":"00000017","topic":..,"state":..,"dry_run":..,"by":..,"started":..,"ended":..,"wanted":..,"given":..,"settled":..,
 * "left":..,"failed_again":..,"completed":..,"left_out":..,"foreign":..,"waiting":..,"why":..}; state is counting, running, done or
 * stopped. With a replay also "lanes":[{"group":..,"topic":..,"wanted":..}]. Errors are the buffer's.
 */
enum err
replay_json_write(struct buffer *to, const struct replay_view *view, const struct replay *replay) MUST_CHECK;

#endif
