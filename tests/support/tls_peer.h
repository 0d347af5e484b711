/* A TLS client in memory: the peer of a stream_memory, with OpenSSL's own memory BIOs. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_TLS_PEER_H
#define SUPPORT_TLS_PEER_H

#include <openssl/types.h>

#include "support/stream_memory.h"
#include "support/test_authority.h"

struct tls_peer {
    SSL_CTX *context;
    SSL *handle;
    struct stream_memory *memory;
    struct buffer received; /* opened */
    bool is_secured;
    bool has_ended; /* the server said close_notify */
    bool has_failed;
    int failure; /* OpenSSL's reason */
};

/* Trusts `authority` alone; shows `identity` when it is not NULL. `version`: TLS1_3_VERSION ... */
void tls_peer_init(struct tls_peer *peer,
                   struct stream_memory *memory,
                   const struct test_authority *authority,
                   const struct test_identity *identity,
                   int version);
void tls_peer_done(struct tls_peer *peer);

/* Reads what has arrived, goes on with the handshake, and sends what it has to say; false: nothing was to do. */
bool tls_peer_step(struct tls_peer *peer);
/* Steps and turns of the simulated loop until neither has anything to do. */
void tls_peer_settle(struct tls_peer *peer);

/* Seals bytes, to be sent with the next step. Only when it is secured. */
void tls_peer_send(struct tls_peer *peer, struct span bytes);
/* close_notify. */
void tls_peer_finish(struct tls_peer *peer);

#endif
