/* A stream over a connected socket, TCP or unix. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_STREAM_SOCKET_H
#define IO_STREAM_SOCKET_H

#include "io/stream.h"

/*
 * Takes the non-blocking `fd`, also when it fails (MEMORY, SYSTEM); `loop` is one of loop_uv_new. It begins paused: put
 * `events` and `owner` into it, then stream_resume. It frees itself when on_closed has returned.
 */
enum err
stream_socket_new(struct loop *loop, int fd, const char *peer, struct stream **ret_stream) MUST_CHECK;

#endif
