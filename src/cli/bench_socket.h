/* The load generator's connections to doors, plain or TLS: sockets without a loop, for it is a client. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_SOCKET_H
#define CLI_BENCH_SOCKET_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "base/why.h"
#include "io/tls_client.h"

/* Whose certificate the door must show. */
struct bench_trust {
    struct tls_context *context; /* NULL: the door is plain */
    const char *name;
};

struct bench_socket {
    int fd; /* -1: closed */
    struct tls_client *tls;
};

/* HOST:PORT in numbers. Connected and blocking, without Nagle's delay. */
enum err bench_socket_open(struct bench_socket *socket,
                           const char *address,
                           const struct bench_trust *trust,
                           struct why *why) MUST_CHECK;
void bench_socket_close(struct bench_socket *socket);
void bench_socket_unblock(struct bench_socket *socket);

/* Blocks until all is sent. */
enum err bench_socket_write(struct bench_socket *socket, struct span bytes) MUST_CHECK;
/*
 * *ret_len of the bytes, also with an error; AGAIN from a socket that does not block, which may hold back some of what it took:
 * an empty send goes on.
 */
enum err bench_socket_send(struct bench_socket *socket, struct span bytes, size_t *ret_len) MUST_CHECK;
/* AGAIN from a socket that does not block; CLOSED at the end. */
enum err bench_socket_read(struct bench_socket *socket, uint8_t *to, size_t size, size_t *ret_len) MUST_CHECK;
/* Nothing more will be sent. Calling it again does no harm. */
void bench_socket_finish(struct bench_socket *socket);

/* A loopback port that nobody listens on at the moment. */
enum err bench_socket_free_port(uint16_t *ret_port) MUST_CHECK;

#endif
