/* A client that does what it is told, one step at a time. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/tls_peer.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

enum { RECEIVED_MAX = 256 * 1024 * 1024 };

void tls_peer_init(struct tls_peer *peer,
                   struct stream_memory *memory,
                   const struct test_authority *authority,
                   const struct test_identity *identity,
                   int version)
{
    *peer = (struct tls_peer){.context = SSL_CTX_new(TLS_client_method()), .memory = memory};
    check(peer->context != NULL);
    SSL_CTX_set_security_level(peer->context, 0); /* so that it can speak what is refused */
    check(SSL_CTX_set_min_proto_version(peer->context, version) == 1);
    check(SSL_CTX_set_max_proto_version(peer->context, version) == 1);
    check(SSL_CTX_load_verify_file(peer->context, authority->cert_path) == 1);
    SSL_CTX_set_verify(peer->context, SSL_VERIFY_PEER, NULL);
    if (identity != NULL) {
        check(SSL_CTX_use_certificate_chain_file(peer->context, identity->cert_path) == 1);
        check(SSL_CTX_use_PrivateKey_file(peer->context, identity->key_path, SSL_FILETYPE_PEM) == 1);
    }
    peer->handle = SSL_new(peer->context);
    check(peer->handle != NULL);
    SSL_set_bio(peer->handle, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(peer->handle);
    buffer_init(&peer->received, RECEIVED_MAX);
}

void tls_peer_done(struct tls_peer *peer)
{
    SSL_free(peer->handle);
    SSL_CTX_free(peer->context);
    buffer_done(&peer->received);
}

static void note_failure(struct tls_peer *peer, int result)
{
    int error = SSL_get_error(peer->handle, result);
    if (error == SSL_ERROR_ZERO_RETURN)
        peer->has_ended = true;
    if (error == SSL_ERROR_SSL) {
        peer->has_failed = true;
        peer->failure = ERR_GET_REASON(ERR_peek_last_error());
    }
    ERR_clear_error();
}

static bool take_arrived(struct tls_peer *peer)
{
    struct span arrived = stream_memory_received(peer->memory);
    if (arrived.len == 0)
        return false;
    size_t len = 0;
    check(BIO_write_ex(SSL_get_rbio(peer->handle), arrived.data, arrived.len, &len) == 1);
    stream_memory_forget(peer->memory);
    return true;
}

static bool send_sealed(struct tls_peer *peer)
{
    uint8_t bytes[4096];
    size_t len = 0;
    bool was_busy = false;
    while (BIO_read_ex(SSL_get_wbio(peer->handle), bytes, sizeof bytes, &len) == 1 && len > 0) {
        if (!peer->memory->is_closed && !peer->memory->peer_ended)
            stream_memory_send(peer->memory, span_of(bytes, len));
        was_busy = true;
    }
    return was_busy;
}

static void go_on(struct tls_peer *peer)
{
    uint8_t bytes[4096];
    size_t len = 0;
    ERR_clear_error();
    int result = peer->is_secured ? 1 : SSL_do_handshake(peer->handle);
    peer->is_secured = peer->is_secured || result == 1;
    if (result != 1)
        note_failure(peer, result);
    while (result == 1 && (result = SSL_read_ex(peer->handle, bytes, sizeof bytes, &len)) == 1)
        check(buffer_append(&peer->received, span_of(bytes, len)) == ERR_NONE);
    if (peer->is_secured && result != 1)
        note_failure(peer, result);
}

bool tls_peer_step(struct tls_peer *peer)
{
    bool was_busy = take_arrived(peer);
    if (!peer->has_failed && !peer->has_ended)
        go_on(peer);
    return send_sealed(peer) || was_busy;
}

void tls_peer_settle(struct tls_peer *peer)
{
    bool was_busy;
    do {
        was_busy = tls_peer_step(peer);
        was_busy |= loop_simulated_turn(peer->memory->simulated);
    } while (was_busy);
}

void tls_peer_send(struct tls_peer *peer, struct span bytes)
{
    size_t len = 0;
    check(peer->is_secured);
    check(bytes.len == 0 ||
          (SSL_write_ex(peer->handle, bytes.data, bytes.len, &len) == 1 && len == bytes.len));
}

void tls_peer_finish(struct tls_peer *peer)
{
    check(SSL_shutdown(peer->handle) >= 0);
}
