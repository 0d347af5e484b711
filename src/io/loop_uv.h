/* The loop of the program: libuv beneath, a turn per poll. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_LOOP_UV_H
#define IO_LOOP_UV_H

#include "io/loop.h"

/* MEMORY, SYSTEM (no descriptors left). */
enum err loop_uv_new(struct loop **ret_loop) MUST_CHECK;

/* Runs turns on the calling thread until loop_uv_stop; may be called again. */
void loop_uv_run(struct loop *loop);

/* Any thread: the run ends after the turn that is under way, or the next one begun. */
void loop_uv_stop(struct loop *loop);

/* On its thread, when it does not run: all streams and listeners are closed, all timers stopped. Returns NULL. */
struct loop *loop_uv_free(struct loop *loop);

#endif
