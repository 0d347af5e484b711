/* A bound socket that listeners accept from: an address as a configuration writes it becomes a descriptor. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_LISTEN_SOCKET_H
#define IO_LISTEN_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#include "base/err.h"
#include "base/why.h"
#include "io/tls_context.h"

struct listen_socket {
    int fd;
    uint16_t port;           /* the one that was given, when the address said 0 */
    bool is_loopback;        /* no other machine can reach it */
    struct tls_context *tls; /* what its listeners secure connections with, borrowed; NULL: nothing */
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)]; /* of a unix socket, else empty */
};

/*
 * `address` is HOST:PORT, [HOST]:PORT (both may ask a name server, so before the loops run), or a path, which holds a
 * `/`: a unix socket for this user alone. One that a dead process left is removed. Nobody is answered before a
 * listener stands on it. IN_USE, ACCESS, BAD_INPUT, TOO_LARGE (path), SYSTEM.
 */
enum err listen_socket_open(struct listen_socket *self, const char *address, struct why *why) MUST_CHECK;

/* Removes a unix socket's file. Listeners go on until they are closed. */
void listen_socket_close(struct listen_socket *self);

#endif
