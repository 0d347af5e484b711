/* A client's TLS over a connected socket, for programs without a loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_TLS_CLIENT_H
#define IO_TLS_CLIENT_H

#include "base/span.h"
#include "io/tls_context.h"

struct tls_client;

/*
 * Shakes hands on the blocking `fd`, which stays the caller's; the server's certificate must be for `name`. PROTOCOL, CLOSED ...
 * with the reason.
 */
enum err tls_client_new(int fd,
                        struct tls_context *context,
                        const char *name,
                        struct why *why,
                        struct tls_client **ret_client) MUST_CHECK;
/* Takes NULL; returns NULL. */
struct tls_client *tls_client_free(struct tls_client *client);

/*
 * Takes bytes from the front, *ret_len of them also with an error; a socket that does not block gives AGAIN when it is full:
 * then some may wait here, and an empty write sends them on. CLOSED.
 */
enum err tls_client_write(struct tls_client *client, struct span bytes, size_t *ret_len) MUST_CHECK;
/* Some bytes. AGAIN from a socket that does not block; CLOSED at the end. */
enum err tls_client_read(struct tls_client *client, uint8_t *to, size_t size, size_t *ret_len) MUST_CHECK;
/* Says that nothing more will be sent, and shuts down that side of the socket. AGAIN: not all could be sent yet. */
enum err tls_client_finish(struct tls_client *client) MUST_CHECK;

#endif
