/* Tests whom the server's side of TLS lets in, what it says of the others, and what a session leaves behind. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "io/stream_tls.h"
#include "support/test.h"
#include "support/tls_fixture.h"

/* --- Handshakes --------------------------------------------------------------------------------- */

static void expect_failure(struct tls_fixture *fixture, const char *reason)
{
    expect_equal_u64(fixture->failed, 1);
    expect_equal_u64(fixture->secured, 0);
    expect_equal_text(fixture->reason, reason);
    tls_fixture_drop(fixture);
}

TEST(a_client_must_show_a_certificate_that_is_good)
{
    struct tls_fixture fixture;
    tls_fixture_init(&fixture, 11);
    tls_fixture_secure(&fixture, true, false);
    for (size_t i = 0; i < TLS_FIXTURE_VERSIONS; i++) {
        tls_fixture_accept_peer(&fixture, tls_fixture_versions[i], NULL);
        tls_peer_settle(&fixture.peer);
        expect(fixture.peer.has_failed);
        expect_failure(&fixture, "the client showed no certificate, and this door demands one");
        tls_fixture_accept_peer(&fixture, tls_fixture_versions[i], &fixture.world.expired);
        tls_peer_settle(&fixture.peer);
        expect(fixture.peer.has_failed);
        expect_failure(&fixture, "the client's certificate is refused: certificate has expired");
        tls_fixture_accept_peer(&fixture, tls_fixture_versions[i], &fixture.world.unknown);
        tls_peer_settle(&fixture.peer);
        expect(fixture.peer.has_failed);
        expect_failure(&fixture,
                       "the client's certificate is refused: unable to get local issuer certificate");
        tls_fixture_accept_peer(&fixture, tls_fixture_versions[i], &fixture.world.client);
        tls_peer_settle(&fixture.peer);
        expect_equal_u64(fixture.secured, 1);
        expect_equal_text(fixture.identity, "till_7_\xc3\xa9_");
        tls_fixture_drop(&fixture);
    }
    tls_fixture_accept_peer(&fixture, TLS1_3_VERSION, &fixture.world.nameless);
    tls_peer_settle(&fixture.peer);
    expect_equal_text(fixture.identity, "a@b.example");
    tls_fixture_drop(&fixture);
    tls_fixture_accept_peer(&fixture, TLS1_3_VERSION, &fixture.world.wordy);
    tls_peer_settle(&fixture.peer);
    expect_equal_u64(strlen(fixture.identity), 63); /* and not half of a character more */
    tls_fixture_done(&fixture);
}

TEST(an_optional_certificate_may_be_missing_but_not_be_bad)
{
    struct tls_fixture fixture;
    tls_fixture_init(&fixture, 12);
    tls_fixture_secure(&fixture, true, true);
    tls_fixture_accept_peer(&fixture, TLS1_3_VERSION, NULL);
    tls_peer_settle(&fixture.peer);
    expect_equal_u64(fixture.secured, 1);
    expect_equal_text(fixture.identity, "memory");
    tls_fixture_drop(&fixture);
    tls_fixture_accept_peer(&fixture, TLS1_3_VERSION, &fixture.world.client);
    tls_peer_settle(&fixture.peer);
    expect_equal_text(fixture.identity, "till_7_\xc3\xa9_");
    tls_fixture_drop(&fixture);
    tls_fixture_accept_peer(&fixture, TLS1_3_VERSION, &fixture.world.unknown);
    tls_peer_settle(&fixture.peer);
    expect_failure(&fixture, "the client's certificate is refused: unable to get local issuer certificate");
    tls_fixture_accept(&fixture);
    tls_fixture_done(&fixture);
}

TEST(a_client_that_does_not_trust_the_server_is_named_as_the_reason)
{
    struct tls_fixture fixture;
    tls_fixture_init(&fixture, 13);
    tls_fixture_accept(&fixture);
    tls_peer_init(&fixture.peer, fixture.memory, &fixture.world.stranger, NULL, TLS1_3_VERSION);
    fixture.has_peer = true;
    tls_peer_settle(&fixture.peer);
    expect_failure(&fixture,
                   "the client does not trust this door's certificate: is its authority the right one?");
    tls_fixture_accept(&fixture);
    tls_fixture_done(&fixture);
}

TEST(versions_below_1_2_are_refused)
{
    struct tls_fixture fixture;
    tls_fixture_init(&fixture, 14);
    tls_fixture_accept_peer(&fixture, TLS1_1_VERSION, NULL);
    tls_peer_settle(&fixture.peer);
    expect(fixture.peer.has_failed);
    expect_failure(&fixture, "the client speaks no TLS 1.2 or 1.3");
    tls_fixture_accept(&fixture);
    tls_fixture_done(&fixture);
}

TEST(what_is_no_tls_is_named)
{
    static const struct {
        const char *words;
        const char *reason;
    } strangers[] = {
        {"orders|1|1|x\n", "this is a TLS port, and the client speaks plain lines"},
        {"G", "this is a TLS port, and the client speaks plain lines"},
        {"GET / HTTP/1.1\r\n\r\n", "this is a TLS port, and the client speaks HTTP"},
        {"\x16\x03\x01\x01\x01garbage", "the client has not completed its handshake in time"},
        {"\x16GET / HTTP", "what the client sends is no TLS"},
        {"", ""},
    };
    struct tls_fixture fixture;
    tls_fixture_init(&fixture, 15);
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        tls_fixture_accept(&fixture);
        fixture.memory->chunk_max = TLS_FIXTURE_MEBIBYTE;
        stream_memory_send_text(fixture.memory, strangers[i].words);
        if (strangers[i].words[0] == '\0')
            stream_memory_end(fixture.memory);
        loop_simulated_pass(&fixture.simulated, 11 * CLOCK_NS_PER_S);
        expect_failure(&fixture, strangers[i].reason);
    }
    tls_fixture_accept(&fixture);
    tls_fixture_done(&fixture);
}

TEST(a_handshake_has_ten_seconds_however_slowly_it_drips)
{
    struct tls_fixture fixture;
    tls_fixture_init(&fixture, 16);
    tls_fixture_accept(&fixture);
    loop_simulated_pass(&fixture.simulated, 9 * CLOCK_NS_PER_S);
    expect_equal_u64(fixture.failed, 0);
    loop_simulated_pass(&fixture.simulated, 2 * CLOCK_NS_PER_S);
    expect_failure(&fixture, "the client has not begun its handshake in time");
    tls_fixture_accept_peer(&fixture, TLS1_3_VERSION, NULL);
    tls_peer_step(&fixture.peer);
    struct span hello = buffer_span(&fixture.memory->coming);
    uint8_t *copy = malloc(hello.len);
    check(copy != NULL);
    memcpy(copy, hello.data, hello.len);
    buffer_clear(&fixture.memory->coming);
    for (size_t i = 0; i < 40 && fixture.failed == 0; i++) {
        stream_memory_send(fixture.memory, span_of(copy + i, 1));
        loop_simulated_pass(&fixture.simulated, CLOCK_NS_PER_S / 2);
    }
    free(copy);
    expect_failure(&fixture, "the client has not completed its handshake in time");
    tls_fixture_accept(&fixture);
    tls_fixture_done(&fixture);
}

TEST(a_client_that_goes_away_in_the_middle_is_named)
{
    struct tls_fixture fixture;
    tls_fixture_init(&fixture, 17);
    for (unsigned cuts = 0; cuts < 2; cuts++) {
        tls_fixture_accept_peer(&fixture, TLS1_3_VERSION, NULL);
        tls_peer_step(&fixture.peer);
        loop_simulated_settle(&fixture.simulated);
        if (cuts)
            stream_memory_cut(fixture.memory);
        else
            stream_memory_end(fixture.memory);
        loop_simulated_settle(&fixture.simulated);
        expect_failure(&fixture, "the client went away before the handshake was complete");
    }
    tls_fixture_accept(&fixture);
    tls_fixture_done(&fixture);
}

TEST(a_handshake_of_damaged_bytes_fails_or_is_completed_but_never_worse)
{
    enum { ROUNDS = 200 };
    struct tls_fixture fixture;
    unsigned failed = 0;
    tls_fixture_init(&fixture, 18);
    tls_fixture_secure(&fixture, true, true);
    for (unsigned round = 0; round < ROUNDS; round++) {
        tls_fixture_accept_peer(&fixture, tls_fixture_versions[round % TLS_FIXTURE_VERSIONS],
                                round % 3 == 0 ? &fixture.world.client : NULL);
        fixture.memory->chunk_max = round % 5 == 0 ? 7 : TLS_FIXTURE_MEBIBYTE;
        unsigned damages = 1 + (unsigned)random_below(&fixture.random, 4);
        unsigned steps = 0;
        do {
            tls_peer_step(&fixture.peer);
            struct buffer *coming = &fixture.memory->coming;
            if (coming->len > 0 && damages > 0 && random_below(&fixture.random, 2) == 0) {
                coming->data[random_below(&fixture.random, coming->len)] ^=
                    (uint8_t)(1 + random_below(&fixture.random, 255));
                damages--;
            }
        } while (loop_simulated_turn(&fixture.simulated) && steps++ < 10000);
        loop_simulated_pass(&fixture.simulated, 11 * CLOCK_NS_PER_S);
        failed += fixture.failed;
        tls_fixture_drop(&fixture);
    }
    expect(failed > ROUNDS / 2);
    tls_fixture_accept(&fixture);
    tls_fixture_done(&fixture);
}

/* --- What a reload needs, and what a client does without ---------------------------------------- */

TEST(a_connection_outlives_the_context_it_was_made_with)
{
    struct tls_fixture fixture;
    tls_fixture_init(&fixture, 19);
    tls_fixture_connect(&fixture, TLS1_3_VERSION);
    fixture.context = tls_context_unref(fixture.context);
    tls_peer_send(&fixture.peer, span_from_text("on and on"));
    tls_peer_settle(&fixture.peer);
    expect_span_is(buffer_span(&fixture.got), "on and on");
    expect_fine(stream_write(fixture.stream, span_from_text("yes")));
    tls_peer_settle(&fixture.peer);
    expect_span_is(buffer_span(&fixture.peer.received), "yes");
    tls_fixture_done(&fixture);
}

/* Unread bytes at its close would be a reset, and what it sent last would be lost. */
TEST(a_client_that_only_sends_finds_nothing_to_read_and_one_that_reads_gets_a_ticket)
{
    struct tls_fixture fixture;
    tls_fixture_init(&fixture, 20);
    tls_fixture_accept_peer(&fixture, TLS1_3_VERSION, NULL);
    while (!fixture.peer.is_secured) {
        tls_peer_step(&fixture.peer);
        if (!fixture.peer.is_secured)
            loop_simulated_settle(&fixture.simulated);
    }
    tls_peer_step(&fixture.peer);
    loop_simulated_settle(&fixture.simulated);
    tls_peer_send(&fixture.peer, span_from_text("a line\n"));
    tls_peer_step(&fixture.peer);
    loop_simulated_settle(&fixture.simulated);
    expect_span_is(buffer_span(&fixture.got), "a line\n");
    expect_equal_u64(stream_memory_received(fixture.memory).len, 0);
    expect(!SSL_SESSION_is_resumable(SSL_get_session(fixture.peer.handle)));
    expect_fine(stream_write(fixture.stream, span_from_text("an answer\n")));
    tls_peer_settle(&fixture.peer);
    expect_span_is(buffer_span(&fixture.peer.received), "an answer\n");
    SSL_SESSION *session = SSL_get1_session(fixture.peer.handle);
    expect(SSL_SESSION_is_resumable(session));
    tls_peer_finish(&fixture.peer); /* OpenSSL forgets the session of a connection without an orderly end */
    tls_peer_settle(&fixture.peer);
    tls_fixture_drop(&fixture);
    tls_fixture_accept_peer(&fixture, TLS1_3_VERSION, NULL);
    expect(SSL_set_session(fixture.peer.handle, session) == 1);
    tls_peer_settle(&fixture.peer);
    expect(SSL_session_reused(fixture.peer.handle));
    tls_peer_finish(&fixture.peer);
    tls_peer_settle(&fixture.peer);
    tls_fixture_drop(&fixture);
    tls_fixture_secure(&fixture, false, false); /* a reload: nobody comes back with what the old one gave */
    tls_fixture_accept_peer(&fixture, TLS1_3_VERSION, NULL);
    expect(SSL_set_session(fixture.peer.handle, session) == 1);
    tls_peer_settle(&fixture.peer);
    expect(fixture.peer.is_secured && !SSL_session_reused(fixture.peer.handle));
    SSL_SESSION_free(session);
    tls_fixture_done(&fixture);
}

TEST(a_peer_may_change_its_keys_and_ask_for_new_ones)
{
    struct tls_fixture fixture;
    tls_fixture_init(&fixture, 21);
    tls_fixture_connect(&fixture, TLS1_3_VERSION);
    for (unsigned i = 0; i < 5; i++) {
        expect(SSL_key_update(fixture.peer.handle, SSL_KEY_UPDATE_REQUESTED) == 1);
        tls_peer_send(&fixture.peer, span_from_text("x"));
        tls_peer_settle(&fixture.peer);
        expect_fine(stream_write(fixture.stream, span_from_text("y")));
        tls_peer_settle(&fixture.peer);
    }
    expect_span_is(buffer_span(&fixture.got), "xxxxx");
    expect_span_is(buffer_span(&fixture.peer.received), "yyyyy");
    tls_fixture_done(&fixture);
}

/* It asks for new keys without end and reads none of the answers. */
TEST(what_waits_for_a_peer_that_asks_for_keys_and_does_not_read_is_bounded)
{
    struct tls_fixture fixture;
    tls_fixture_init(&fixture, 22);
    tls_fixture_connect(&fixture, TLS1_3_VERSION);
    stream_memory_stall(fixture.memory, true);
    size_t most = 0;
    for (unsigned i = 0; i < 60000 && fixture.closed == 0; i++) {
        expect(SSL_key_update(fixture.peer.handle, SSL_KEY_UPDATE_REQUESTED) == 1);
        expect(SSL_do_handshake(fixture.peer.handle) == 1);
        tls_peer_step(&fixture.peer);
        if (i % 64 == 0)
            loop_simulated_settle(&fixture.simulated);
        most = fixture.memory->queue.len > most ? fixture.memory->queue.len : most;
    }
    expect_equal_u64(fixture.closed, 1);
    expect_err(fixture.close_err, ERR_TOO_LARGE);
    expect(most <= 4 * STREAM_WRITE_QUEUE_MAX);
    tls_fixture_done(&fixture);
}

TEST_MAIN(a_client_must_show_a_certificate_that_is_good,
          an_optional_certificate_may_be_missing_but_not_be_bad,
          a_client_that_does_not_trust_the_server_is_named_as_the_reason,
          versions_below_1_2_are_refused,
          what_is_no_tls_is_named,
          a_handshake_has_ten_seconds_however_slowly_it_drips,
          a_client_that_goes_away_in_the_middle_is_named,
          a_handshake_of_damaged_bytes_fails_or_is_completed_but_never_worse,
          a_connection_outlives_the_context_it_was_made_with,
          a_client_that_only_sends_finds_nothing_to_read_and_one_that_reads_gets_a_ticket,
          a_peer_may_change_its_keys_and_ask_for_new_ones,
          what_waits_for_a_peer_that_asks_for_keys_and_does_not_read_is_bounded)
