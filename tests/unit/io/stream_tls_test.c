/* Tests the server's side of TLS against OpenSSL's client, both in memory on a simulated loop: bytes and ends. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/stream_tls.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "support/test.h"
#include "support/tls_fixture.h"

/* --- Bytes -------------------------------------------------------------------------------------- */

TEST(bytes_go_both_ways_when_they_come_one_by_one)
{
    struct tls_fixture fixture;
    tls_fixture_init(&fixture, 1);
    for (size_t i = 0; i < TLS_FIXTURE_VERSIONS; i++) {
        tls_fixture_accept_peer(&fixture, tls_fixture_versions[i], NULL);
        fixture.memory->chunk_max = 1;
        tls_peer_settle(&fixture.peer);
        expect(fixture.peer.is_secured);
        tls_peer_send(&fixture.peer, span_from_text("what is in it?\n"));
        tls_peer_settle(&fixture.peer);
        expect_span_is(buffer_span(&fixture.got), "what is in it?\n");
        expect_fine(stream_write(fixture.stream, span_from_text("gold\n")));
        expect_fine(stream_write(fixture.stream, span_from_text("")));
        tls_peer_settle(&fixture.peer);
        expect_span_is(buffer_span(&fixture.peer.received), "gold\n");
        expect(stream_identity(fixture.stream) == fixture.stream->peer);
        tls_fixture_drop(&fixture);
    }
    tls_fixture_accept(&fixture);
    tls_fixture_done(&fixture);
}

TEST(much_goes_both_ways_with_pauses_and_pieces_of_any_size)
{
    enum { ROUNDS = 12 };
    struct tls_fixture fixture;
    tls_fixture_init(&fixture, 2);
    fixture.echoes = true;
    fixture.pauses_at_random = true;
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t len = 1 + (size_t)random_below(&fixture.random, 4 * TLS_FIXTURE_MEBIBYTE);
        uint8_t *bytes = tls_fixture_bytes(len, round);
        tls_fixture_accept_peer(&fixture, tls_fixture_versions[round % TLS_FIXTURE_VERSIONS], NULL);
        fixture.memory->chunk_max = 1 + (size_t)random_below(&fixture.random, 2 * TLS_FIXTURE_MEBIBYTE);
        tls_peer_settle(&fixture.peer);
        for (size_t at = 0; at < len;) {
            size_t some = 1 + (size_t)random_below(&fixture.random, TLS_FIXTURE_MEBIBYTE);
            some = some < len - at ? some : len - at;
            tls_peer_send(&fixture.peer, span_of(bytes + at, some));
            at += some;
            tls_peer_settle(&fixture.peer);
            stream_resume(fixture.stream);
        }
        while (fixture.got.len < len) {
            stream_resume(fixture.stream);
            tls_peer_settle(&fixture.peer);
        }
        expect_equal_span(buffer_span(&fixture.got), span_of(bytes, len));
        expect_equal_span(buffer_span(&fixture.peer.received), span_of(bytes, len));
        free(bytes);
        tls_fixture_drop(&fixture);
    }
    tls_fixture_accept(&fixture);
    tls_fixture_done(&fixture);
}

TEST(a_paused_owner_gets_no_bytes_and_all_of_them_later)
{
    struct tls_fixture fixture;
    tls_fixture_init(&fixture, 3);
    fixture.stays_paused = true;
    uint8_t *bytes = tls_fixture_bytes(3 * TLS_FIXTURE_MEBIBYTE, 3);
    tls_fixture_connect(&fixture, TLS1_3_VERSION);
    tls_peer_send(&fixture.peer, span_of(bytes, 3 * TLS_FIXTURE_MEBIBYTE));
    tls_peer_settle(&fixture.peer);
    expect_equal_u64(fixture.got.len, 0);
    fixture.pauses_after_bytes = true;
    size_t before = 0;
    for (unsigned i = 0; fixture.got.len < 3 * TLS_FIXTURE_MEBIBYTE; i++) {
        expect(i < 10000);
        stream_resume(fixture.stream);
        tls_peer_settle(&fixture.peer);
        expect(fixture.got.len > before);
        before = fixture.got.len;
        stream_pause(fixture.stream);
        tls_peer_settle(&fixture.peer);
        expect_equal_u64(fixture.got.len, before);
    }
    expect_equal_span(buffer_span(&fixture.got), span_of(bytes, 3 * TLS_FIXTURE_MEBIBYTE));
    free(bytes);
    tls_fixture_done(&fixture);
}

TEST(bytes_that_come_with_the_end_of_the_handshake_wait_for_the_owner)
{
    struct tls_fixture fixture;
    tls_fixture_init(&fixture, 4);
    fixture.stays_paused = true;
    tls_fixture_accept_peer(&fixture, TLS1_3_VERSION, NULL);
    fixture.memory->chunk_max = TLS_FIXTURE_MEBIBYTE;
    while (!fixture.peer.is_secured) {
        tls_peer_step(&fixture.peer);
        if (!fixture.peer.is_secured)
            loop_simulated_settle(&fixture.simulated);
    }
    tls_peer_send(&fixture.peer, span_from_text("at once\n"));
    tls_peer_finish(&fixture.peer);
    tls_peer_settle(&fixture.peer);
    expect_equal_u64(fixture.secured, 1);
    expect_equal_u64(fixture.got.len + fixture.ended, 0);
    stream_resume(fixture.stream);
    expect_equal_u64(fixture.got.len, 0); /* never from inside a call */
    tls_peer_settle(&fixture.peer);
    expect_span_is(buffer_span(&fixture.got), "at once\n");
    expect_equal_u64(fixture.ended, 1);
    tls_fixture_done(&fixture);
}

TEST(a_peer_that_does_not_read_makes_the_stream_busy_and_is_cut_when_that_is_ignored)
{
    struct tls_fixture fixture;
    tls_fixture_init(&fixture, 5);
    tls_fixture_connect(&fixture, TLS1_3_VERSION);
    uint8_t *bytes = tls_fixture_bytes(STREAM_WRITE_QUEUE_MAX + 1, 5);
    stream_memory_stall(fixture.memory, true);
    expect_err(stream_write(fixture.stream, span_of(bytes, STREAM_WRITE_QUEUE_MAX + 1)), ERR_BUSY);
    tls_peer_settle(&fixture.peer);
    expect_equal_u64(fixture.drained, 0);
    stream_memory_stall(fixture.memory, false);
    tls_peer_settle(&fixture.peer);
    expect_equal_u64(fixture.drained, 1);
    expect_equal_span(buffer_span(&fixture.peer.received), span_of(bytes, STREAM_WRITE_QUEUE_MAX + 1));
    stream_memory_stall(fixture.memory, true);
    enum err err = ERR_NONE;
    for (unsigned i = 0; i < 8 && err != ERR_CLOSED; i++)
        err = stream_write(fixture.stream, span_of(bytes, STREAM_WRITE_QUEUE_MAX));
    expect_err(err, ERR_CLOSED);
    tls_peer_settle(&fixture.peer);
    expect_equal_u64(fixture.closed, 1);
    expect_err(fixture.close_err, ERR_TOO_LARGE);
    free(bytes);
    tls_fixture_done(&fixture);
}

/* --- Ends --------------------------------------------------------------------------------------- */

TEST(a_peer_that_says_it_has_ended_still_gets_its_answers)
{
    struct tls_fixture fixture;
    tls_fixture_init(&fixture, 6);
    for (size_t i = 0; i < TLS_FIXTURE_VERSIONS; i++) {
        tls_fixture_connect(&fixture, tls_fixture_versions[i]);
        tls_peer_send(&fixture.peer, span_from_text("last words"));
        tls_peer_finish(&fixture.peer);
        tls_peer_settle(&fixture.peer);
        stream_memory_end(fixture.memory); /* the socket's half-close behind it says nothing new */
        tls_peer_settle(&fixture.peer);
        expect_span_is(buffer_span(&fixture.got), "last words");
        expect_equal_u64(fixture.ended, 1);
        expect(!fixture.was_cut);
        expect_fine(stream_write(fixture.stream, span_from_text("the answer")));
        stream_close(fixture.stream, true);
        tls_peer_settle(&fixture.peer);
        expect_span_is(buffer_span(&fixture.peer.received), "the answer");
        expect(fixture.peer.has_ended);
        expect_equal_u64(fixture.closed, 1);
        expect_fine(fixture.close_err);
        tls_fixture_drop(&fixture);
    }
    tls_fixture_accept(&fixture);
    tls_fixture_done(&fixture);
}

TEST(an_end_that_the_peer_has_not_sealed_is_a_cut)
{
    struct tls_fixture fixture;
    tls_fixture_init(&fixture, 7);
    tls_fixture_connect(&fixture, TLS1_3_VERSION);
    tls_peer_send(&fixture.peer, span_from_text("half a li"));
    tls_peer_settle(&fixture.peer);
    stream_memory_end(fixture.memory);
    tls_peer_settle(&fixture.peer);
    expect_span_is(buffer_span(&fixture.got), "half a li");
    expect_equal_u64(fixture.ended, 1);
    expect(fixture.was_cut);
    expect_fine(stream_write(fixture.stream, span_from_text("still here")));
    tls_peer_settle(&fixture.peer);
    expect_span_is(buffer_span(&fixture.peer.received), "still here");
    tls_fixture_done(&fixture);
}

TEST(a_connection_that_breaks_is_closed_without_an_end)
{
    struct tls_fixture fixture;
    tls_fixture_init(&fixture, 8);
    tls_fixture_connect(&fixture, TLS1_3_VERSION);
    stream_memory_cut(fixture.memory);
    tls_peer_settle(&fixture.peer);
    expect_equal_u64(fixture.ended, 0);
    expect_equal_u64(fixture.closed, 1);
    expect_err(fixture.close_err, ERR_CLOSED);
    tls_fixture_done(&fixture);
}

TEST(a_cut_of_our_own_does_not_look_like_an_orderly_end)
{
    struct tls_fixture fixture;
    tls_fixture_init(&fixture, 9);
    tls_fixture_connect(&fixture, TLS1_3_VERSION);
    expect_fine(stream_write(fixture.stream, span_from_text("begun")));
    stream_close(fixture.stream, false);
    expect_err(stream_write(fixture.stream, span_from_text("more")), ERR_CLOSED);
    stream_close(fixture.stream, false);
    tls_peer_settle(&fixture.peer);
    expect_equal_u64(fixture.closed, 1);
    expect(!fixture.peer.has_ended);
    tls_fixture_done(&fixture);
}

TEST(a_record_that_was_changed_on_its_way_ends_the_connection)
{
    struct tls_fixture fixture;
    tls_fixture_init(&fixture, 10);
    for (size_t i = 0; i < TLS_FIXTURE_VERSIONS; i++) {
        tls_fixture_connect(&fixture, tls_fixture_versions[i]);
        tls_peer_send(&fixture.peer, span_from_text("pay 10"));
        tls_peer_step(&fixture.peer);
        fixture.memory->coming.data[fixture.memory->coming.len - 1] ^= 1;
        tls_peer_settle(&fixture.peer);
        expect_equal_u64(fixture.got.len, 0);
        expect_equal_u64(fixture.closed, 1);
        expect_err(fixture.close_err, ERR_PROTOCOL);
        expect(fixture.peer.has_failed); /* it was told: bad record */
        tls_fixture_drop(&fixture);
    }
    tls_fixture_accept(&fixture);
    tls_fixture_done(&fixture);
}

TEST_MAIN(bytes_go_both_ways_when_they_come_one_by_one,
          much_goes_both_ways_with_pauses_and_pieces_of_any_size,
          a_paused_owner_gets_no_bytes_and_all_of_them_later,
          bytes_that_come_with_the_end_of_the_handshake_wait_for_the_owner,
          a_peer_that_does_not_read_makes_the_stream_busy_and_is_cut_when_that_is_ignored,
          a_peer_that_says_it_has_ended_still_gets_its_answers,
          an_end_that_the_peer_has_not_sealed_is_a_cut,
          a_connection_that_breaks_is_closed_without_an_end,
          a_cut_of_our_own_does_not_look_like_an_orderly_end,
          a_record_that_was_changed_on_its_way_ends_the_connection)
