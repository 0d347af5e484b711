/* The server's side of TLS on a simulated loop, and what its tests need: certificates, an owner of the stream, a client. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_TLS_FIXTURE_H
#define SUPPORT_TLS_FIXTURE_H

#include "io/stream_tls.h"
#include "support/tls_peer.h"

enum { TLS_FIXTURE_MEBIBYTE = 1024 * 1024, TLS_FIXTURE_VERSIONS = 2 };

/* 1.2 and 1.3. */
extern const int tls_fixture_versions[TLS_FIXTURE_VERSIONS];

/* One authority for all tests: its files are made once. */
struct tls_world {
    struct test_authority authority;
    struct test_authority stranger;
    struct test_identity server;
    struct test_identity client;
    struct test_identity nameless;
    struct test_identity wordy; /* its name is longer than what is kept of one */
    struct test_identity expired;
    struct test_identity unknown;
};

struct tls_fixture {
    struct tls_world world;
    struct tls_context *context;
    struct loop_simulated simulated;
    struct stream_memory *memory;
    struct stream *made;   /* by stream_tls_new */
    struct stream *stream; /* since on_secured, until on_closed */
    struct tls_peer peer;
    struct buffer got;
    struct random random;
    bool has_peer;
    bool stays_paused;
    bool pauses_after_bytes;
    bool pauses_at_random;
    bool echoes;
    unsigned secured;
    unsigned ended;
    unsigned drained;
    unsigned closed;
    unsigned failed;
    bool was_cut;
    enum err close_err;
    char reason[256];
    char identity[256];
};

void tls_fixture_init(struct tls_fixture *fixture, uint64_t seed);
void tls_fixture_done(struct tls_fixture *fixture);

/* Another context for the connections to come. */
void tls_fixture_secure(struct tls_fixture *fixture, bool asks_clients, bool is_optional);
/* A server's stream without a client: the test itself sends bytes. */
void tls_fixture_accept(struct tls_fixture *fixture);
/* With a client whose handshake has not begun; NULL: it shows no certificate. */
void tls_fixture_accept_peer(struct tls_fixture *fixture, int version, const struct test_identity *identity);
/* With one whose handshake is complete. */
void tls_fixture_connect(struct tls_fixture *fixture, int version);
/* Takes the connection down, so that another can be accepted. */
void tls_fixture_drop(struct tls_fixture *fixture);

/* Random ones, to be freed. */
uint8_t *tls_fixture_bytes(size_t len, uint64_t seed);

#endif
