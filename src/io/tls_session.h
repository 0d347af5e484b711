/* The TLS of one connection on bytes alone: no socket, no loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_TLS_SESSION_H
#define IO_TLS_SESSION_H

#include <openssl/types.h>

#include "io/tls_bio.h"
#include "io/tls_context.h"
#include "io/tls_reason.h"

enum { TLS_IDENTITY_SIZE = 65 }; /* as much as is recorded of who did something, and its end */

/*
 * Bytes of the peer are lent to it; those that it has not used when it is done are in bytes.lent still. What is to be
 * sent to the peer is appended to bytes.sealed: the caller empties it. A session must not move.
 */
struct tls_session {
    SSL *handle;
    struct tls_context *context;
    struct tls_bytes bytes;
    bool owes_ticket;
};

/* MEMORY. */
enum err
tls_session_init(struct tls_session *session, struct tls_context *context, struct buffer *sealed) MUST_CHECK;
void tls_session_done(struct tls_session *session);

/* Of a client, before the handshake: the name, or IP address, that the server's certificate must be for. MEMORY. */
enum err tls_session_expect(struct tls_session *session, const char *name) MUST_CHECK;

/* NONE: complete. AGAIN: more bytes must come. PROTOCOL with the reason; an alert for the peer may be in `sealed`. */
enum err tls_session_handshake(struct tls_session *session, char reason[static TLS_REASON_SIZE]) MUST_CHECK;

/*
 * Opens what is lent until `size` bytes are there, or it is used up; *ret_len of them, also with an error. AGAIN: it is
 * used up. CLOSED: the peer has said that it sends no more. PROTOCOL.
 */
enum err tls_session_open(struct tls_session *session, uint8_t *to, size_t size, size_t *ret_len) MUST_CHECK;

/* Seals all of it. PROTOCOL: nothing more can be sent. */
enum err tls_session_seal(struct tls_session *session, struct span bytes) MUST_CHECK;

/* Seals the word that nothing more will be sent. */
void tls_session_finish(struct tls_session *session);

/* Gives back what OpenSSL needs only while bytes are under way: up to 34 KiB a connection. */
void tls_session_rest(struct tls_session *session);

/* The name that the peer has proved with a certificate: its CN, else its first alternative name. False: none. */
bool tls_session_identity(const struct tls_session *session, char text[static TLS_IDENTITY_SIZE]);

#endif
