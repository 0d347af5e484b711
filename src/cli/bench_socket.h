/* The load generator's connections to doors: plain sockets, for it is a client. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_SOCKET_H
#define CLI_BENCH_SOCKET_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "base/why.h"

/* HOST:PORT in numbers. Connected and blocking, without Nagle's delay. */
enum err bench_socket_open(const char *address, struct why *why, int *ret_fd) MUST_CHECK;
void bench_socket_unblock(int fd);

/* Blocks until all is sent. */
enum err bench_socket_write(int fd, struct span bytes) MUST_CHECK;
/* AGAIN from a socket that does not block; CLOSED at the end. */
enum err bench_socket_read(int fd, uint8_t *to, size_t size, size_t *ret_len) MUST_CHECK;

/* A loopback port that nobody listens on at the moment. */
enum err bench_socket_free_port(uint16_t *ret_port) MUST_CHECK;

#endif
