/* What the files of this room that watch descriptors need of the loop over libuv. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_LOOP_UV_IMPL_H
#define IO_LOOP_UV_IMPL_H

#include <uv.h>

#include "io/loop.h"

/* The loop must be one of loop_uv_new. */
uv_loop_t *loop_uv_handle(struct loop *loop);

#endif
