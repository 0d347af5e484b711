/* Tests the server's side of TLS against OpenSSL's client, both in memory on a simulated loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/stream_tls.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "support/test.h"
#include "support/tls_peer.h"

enum { HOUR_S = 3600, GOT_MAX = 64 * 1024 * 1024, MEBIBYTE = 1024 * 1024 };

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

enum { VERSIONS = sizeof versions / sizeof versions[0] };

/* One authority for all tests: its files are made once. */
struct world {
    struct test_authority authority;
    struct test_authority stranger;
    struct test_identity server;
    struct test_identity client;
    struct test_identity nameless;
    struct test_identity expired;
    struct test_identity unknown;
};

struct fixture {
    struct world world;
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

/* --- The owner of the stream -------------------------------------------------------------------- */

static bool on_bytes(void *owner, struct span bytes)
{
    struct fixture *fixture = owner;
    expect(bytes.len > 0 && bytes.len <= LOOP_READ_SIZE);
    expect_fine(buffer_append(&fixture->got, bytes));
    if (fixture->echoes)
        expect(stream_write(fixture->stream, bytes) != ERR_CLOSED);
    if (fixture->pauses_at_random)
        return random_below(&fixture->random, 3) != 0;
    return !fixture->pauses_after_bytes;
}

static void on_end(void *owner)
{
    struct fixture *fixture = owner;
    fixture->ended++;
    fixture->was_cut = stream_is_cut(fixture->stream);
}

static void on_drained(void *owner)
{
    ((struct fixture *)owner)->drained++;
}

static void on_closed(void *owner, enum err err)
{
    struct fixture *fixture = owner;
    fixture->closed++;
    fixture->close_err = err;
    fixture->stream = NULL;
}

static void on_secured(void *owner, struct stream *stream)
{
    static const struct stream_events events = {on_bytes, on_end, on_drained, on_closed};
    struct fixture *fixture = owner;
    fixture->secured++;
    fixture->stream = stream;
    strncpy(fixture->identity, stream_identity(stream), sizeof fixture->identity - 1);
    stream->events = &events;
    stream->owner = fixture;
    if (!fixture->stays_paused)
        stream_resume(stream);
}

static void on_failed(void *owner, const char *peer, const char *reason)
{
    struct fixture *fixture = owner;
    expect_equal_text(peer, "memory");
    fixture->failed++;
    strncpy(fixture->reason, reason, sizeof fixture->reason - 1);
}

/* --- Beginning and end -------------------------------------------------------------------------- */

static void make_world(struct world *world)
{
    static const struct test_subject server = {"server", "localhost", NULL, -HOUR_S, HOUR_S};
    static const struct test_subject client = {"client", "till 7 \xc3\xa9\n", NULL, -HOUR_S, HOUR_S};
    static const struct test_subject nameless = {"nameless", NULL, "email:a@b.example", -HOUR_S, HOUR_S};
    static const struct test_subject expired = {"expired", "old", NULL, -HOUR_S, -60};
    static const struct test_subject unknown = {"unknown", "unknown", NULL, -HOUR_S, HOUR_S};
    test_authority_init(&world->authority, "test authority");
    test_authority_init(&world->stranger, "another authority");
    world->server = test_authority_issue(&world->authority, &server);
    world->client = test_authority_issue(&world->authority, &client);
    world->nameless = test_authority_issue(&world->authority, &nameless);
    world->expired = test_authority_issue(&world->authority, &expired);
    world->unknown = test_authority_issue(&world->stranger, &unknown);
}

static void make_context(struct fixture *fixture, bool asks_clients, bool is_optional)
{
    struct why why = {""};
    const char *setting = "";
    struct tls_settings settings = {.cert = fixture->world.server.cert_path,
                                    .key = fixture->world.server.key_path,
                                    .client_ca = asks_clients ? fixture->world.authority.cert_path : NULL,
                                    .client_cert_is_optional = is_optional};
    fixture->context = tls_context_unref(fixture->context);
    int64_t now_ns = clock_wall_ns(clock_linux());
    if (tls_context_new(&settings, now_ns, &setting, &why, &fixture->context) != ERR_NONE)
        test_fail("%s", why.text);
}

/* A server's stream without a peer: the test itself sends bytes. */
static void accept_bare(struct fixture *fixture)
{
    static const struct stream_tls_events events = {on_secured, on_failed};
    fixture->memory = stream_memory_new(&fixture->simulated);
    expect_fine(stream_tls_new(&fixture->memory->stream, fixture->context, &events, fixture, &fixture->made));
}

static void accept_peer(struct fixture *fixture, int version, const struct test_identity *identity)
{
    accept_bare(fixture);
    tls_peer_init(&fixture->peer, fixture->memory, &fixture->world.authority, identity, version);
    fixture->has_peer = true;
}

static void connect_peer(struct fixture *fixture, int version)
{
    accept_peer(fixture, version, NULL);
    tls_peer_settle(&fixture->peer);
    expect_equal_u64(fixture->secured, 1);
    expect(fixture->peer.is_secured);
}

static void begin(struct fixture *fixture, uint64_t seed)
{
    *fixture = (struct fixture){.made = NULL};
    make_world(&fixture->world);
    make_context(fixture, false, false);
    loop_simulated_init(&fixture->simulated, seed);
    random_seed(&fixture->random, seed);
    buffer_init(&fixture->got, GOT_MAX);
}

/* Takes the connection down, so that another can be accepted. */
static void drop(struct fixture *fixture)
{
    if (fixture->closed + fixture->failed == 0)
        stream_close(fixture->made, false);
    loop_simulated_settle(&fixture->simulated);
    expect_equal_u64(fixture->closed + fixture->failed, 1);
    expect_equal_u64(fixture->simulated.loop.queued_bytes, 0);
    expect_equal_u64(fixture->simulated.loop.sealed.len, 0);
    fixture->memory = stream_memory_free(fixture->memory);
    if (fixture->has_peer)
        tls_peer_done(&fixture->peer);
    fixture->has_peer = false;
    fixture->closed = fixture->failed = fixture->secured = fixture->ended = fixture->drained = 0;
    fixture->was_cut = false;
    buffer_clear(&fixture->got);
    memset(fixture->reason, 0, sizeof fixture->reason);
}

static void end(struct fixture *fixture)
{
    drop(fixture);
    fixture->context = tls_context_unref(fixture->context);
    loop_simulated_done(&fixture->simulated);
    buffer_done(&fixture->got);
    test_authority_done(&fixture->world.authority);
    test_authority_done(&fixture->world.stranger);
}

static uint8_t *make_bytes(size_t len, uint64_t seed)
{
    struct random random;
    uint8_t *bytes = malloc(len);
    expect_not_null(bytes);
    random_seed(&random, seed);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)random_u64(&random);
    return bytes;
}

/* --- Bytes -------------------------------------------------------------------------------------- */

TEST(bytes_go_both_ways_when_they_come_one_by_one)
{
    struct fixture fixture;
    begin(&fixture, 1);
    for (size_t i = 0; i < VERSIONS; i++) {
        accept_peer(&fixture, versions[i], NULL);
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
        drop(&fixture);
    }
    accept_bare(&fixture);
    end(&fixture);
}

TEST(much_goes_both_ways_with_pauses_and_pieces_of_any_size)
{
    enum { ROUNDS = 24 };
    struct fixture fixture;
    begin(&fixture, 2);
    fixture.echoes = true;
    fixture.pauses_at_random = true;
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t len = 1 + (size_t)random_below(&fixture.random, 4 * MEBIBYTE);
        uint8_t *bytes = make_bytes(len, round);
        accept_peer(&fixture, versions[round % VERSIONS], NULL);
        fixture.memory->chunk_max = 1 + (size_t)random_below(&fixture.random, 2 * MEBIBYTE);
        tls_peer_settle(&fixture.peer);
        for (size_t at = 0; at < len;) {
            size_t some = 1 + (size_t)random_below(&fixture.random, MEBIBYTE);
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
        drop(&fixture);
    }
    accept_bare(&fixture);
    end(&fixture);
}

TEST(a_paused_owner_gets_no_bytes_and_all_of_them_later)
{
    struct fixture fixture;
    begin(&fixture, 3);
    fixture.stays_paused = true;
    uint8_t *bytes = make_bytes(3 * MEBIBYTE, 3);
    connect_peer(&fixture, TLS1_3_VERSION);
    tls_peer_send(&fixture.peer, span_of(bytes, 3 * MEBIBYTE));
    tls_peer_settle(&fixture.peer);
    expect_equal_u64(fixture.got.len, 0);
    fixture.pauses_after_bytes = true;
    size_t before = 0;
    for (unsigned i = 0; fixture.got.len < 3 * MEBIBYTE; i++) {
        expect(i < 10000);
        stream_resume(fixture.stream);
        tls_peer_settle(&fixture.peer);
        expect(fixture.got.len > before);
        before = fixture.got.len;
        stream_pause(fixture.stream);
        tls_peer_settle(&fixture.peer);
        expect_equal_u64(fixture.got.len, before);
    }
    expect_equal_span(buffer_span(&fixture.got), span_of(bytes, 3 * MEBIBYTE));
    free(bytes);
    end(&fixture);
}

TEST(bytes_that_come_with_the_end_of_the_handshake_wait_for_the_owner)
{
    struct fixture fixture;
    begin(&fixture, 4);
    fixture.stays_paused = true;
    accept_peer(&fixture, TLS1_3_VERSION, NULL);
    fixture.memory->chunk_max = MEBIBYTE;
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
    end(&fixture);
}

TEST(a_peer_that_does_not_read_makes_the_stream_busy_and_is_cut_when_that_is_ignored)
{
    struct fixture fixture;
    begin(&fixture, 5);
    connect_peer(&fixture, TLS1_3_VERSION);
    uint8_t *bytes = make_bytes(STREAM_WRITE_QUEUE_MAX + 1, 5);
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
    end(&fixture);
}

/* --- Ends --------------------------------------------------------------------------------------- */

TEST(a_peer_that_says_it_has_ended_still_gets_its_answers)
{
    struct fixture fixture;
    begin(&fixture, 6);
    for (size_t i = 0; i < VERSIONS; i++) {
        connect_peer(&fixture, versions[i]);
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
        drop(&fixture);
    }
    accept_bare(&fixture);
    end(&fixture);
}

TEST(an_end_that_the_peer_has_not_sealed_is_a_cut)
{
    struct fixture fixture;
    begin(&fixture, 7);
    connect_peer(&fixture, TLS1_3_VERSION);
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
    end(&fixture);
}

TEST(a_connection_that_breaks_is_closed_without_an_end)
{
    struct fixture fixture;
    begin(&fixture, 8);
    connect_peer(&fixture, TLS1_3_VERSION);
    stream_memory_cut(fixture.memory);
    tls_peer_settle(&fixture.peer);
    expect_equal_u64(fixture.ended, 0);
    expect_equal_u64(fixture.closed, 1);
    expect_err(fixture.close_err, ERR_CLOSED);
    end(&fixture);
}

TEST(a_cut_of_our_own_does_not_look_like_an_orderly_end)
{
    struct fixture fixture;
    begin(&fixture, 9);
    connect_peer(&fixture, TLS1_3_VERSION);
    expect_fine(stream_write(fixture.stream, span_from_text("begun")));
    stream_close(fixture.stream, false);
    expect_err(stream_write(fixture.stream, span_from_text("more")), ERR_CLOSED);
    stream_close(fixture.stream, false);
    tls_peer_settle(&fixture.peer);
    expect_equal_u64(fixture.closed, 1);
    expect(!fixture.peer.has_ended);
    end(&fixture);
}

TEST(a_record_that_was_changed_on_its_way_ends_the_connection)
{
    struct fixture fixture;
    begin(&fixture, 10);
    for (size_t i = 0; i < VERSIONS; i++) {
        connect_peer(&fixture, versions[i]);
        tls_peer_send(&fixture.peer, span_from_text("pay 10"));
        tls_peer_step(&fixture.peer);
        fixture.memory->coming.data[fixture.memory->coming.len - 1] ^= 1;
        tls_peer_settle(&fixture.peer);
        expect_equal_u64(fixture.got.len, 0);
        expect_equal_u64(fixture.closed, 1);
        expect_err(fixture.close_err, ERR_PROTOCOL);
        expect(fixture.peer.has_failed); /* it was told: bad record */
        drop(&fixture);
    }
    accept_bare(&fixture);
    end(&fixture);
}

/* --- Handshakes --------------------------------------------------------------------------------- */

static void expect_failure(struct fixture *fixture, const char *reason)
{
    expect_equal_u64(fixture->failed, 1);
    expect_equal_u64(fixture->secured, 0);
    expect_equal_text(fixture->reason, reason);
    drop(fixture);
}

TEST(a_client_must_show_a_certificate_that_is_good)
{
    struct fixture fixture;
    begin(&fixture, 11);
    make_context(&fixture, true, false);
    for (size_t i = 0; i < VERSIONS; i++) {
        accept_peer(&fixture, versions[i], NULL);
        tls_peer_settle(&fixture.peer);
        expect(fixture.peer.has_failed);
        expect_failure(&fixture, "the client showed no certificate, and this door demands one");
        accept_peer(&fixture, versions[i], &fixture.world.expired);
        tls_peer_settle(&fixture.peer);
        expect(fixture.peer.has_failed);
        expect_failure(&fixture, "the client's certificate is refused: certificate has expired");
        accept_peer(&fixture, versions[i], &fixture.world.unknown);
        tls_peer_settle(&fixture.peer);
        expect(fixture.peer.has_failed);
        expect_failure(&fixture,
                       "the client's certificate is refused: unable to get local issuer certificate");
        accept_peer(&fixture, versions[i], &fixture.world.client);
        tls_peer_settle(&fixture.peer);
        expect_equal_u64(fixture.secured, 1);
        expect_equal_text(fixture.identity, "till_7_\xc3\xa9_");
        drop(&fixture);
    }
    accept_peer(&fixture, TLS1_3_VERSION, &fixture.world.nameless);
    tls_peer_settle(&fixture.peer);
    expect_equal_text(fixture.identity, "a@b.example");
    end(&fixture);
}

TEST(an_optional_certificate_may_be_missing_but_not_be_bad)
{
    struct fixture fixture;
    begin(&fixture, 12);
    make_context(&fixture, true, true);
    accept_peer(&fixture, TLS1_3_VERSION, NULL);
    tls_peer_settle(&fixture.peer);
    expect_equal_u64(fixture.secured, 1);
    expect_equal_text(fixture.identity, "memory");
    drop(&fixture);
    accept_peer(&fixture, TLS1_3_VERSION, &fixture.world.client);
    tls_peer_settle(&fixture.peer);
    expect_equal_text(fixture.identity, "till_7_\xc3\xa9_");
    drop(&fixture);
    accept_peer(&fixture, TLS1_3_VERSION, &fixture.world.unknown);
    tls_peer_settle(&fixture.peer);
    expect_failure(&fixture, "the client's certificate is refused: unable to get local issuer certificate");
    accept_bare(&fixture);
    end(&fixture);
}

TEST(a_client_that_does_not_trust_the_server_is_named_as_the_reason)
{
    struct fixture fixture;
    begin(&fixture, 13);
    accept_bare(&fixture);
    tls_peer_init(&fixture.peer, fixture.memory, &fixture.world.stranger, NULL, TLS1_3_VERSION);
    fixture.has_peer = true;
    tls_peer_settle(&fixture.peer);
    expect_failure(&fixture,
                   "the client does not trust this door's certificate: is its authority the right one?");
    accept_bare(&fixture);
    end(&fixture);
}

TEST(versions_below_1_2_are_refused)
{
    struct fixture fixture;
    begin(&fixture, 14);
    accept_peer(&fixture, TLS1_1_VERSION, NULL);
    tls_peer_settle(&fixture.peer);
    expect(fixture.peer.has_failed);
    expect_failure(&fixture, "the client speaks no TLS 1.2 or 1.3");
    accept_bare(&fixture);
    end(&fixture);
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
    struct fixture fixture;
    begin(&fixture, 15);
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        accept_bare(&fixture);
        fixture.memory->chunk_max = MEBIBYTE;
        stream_memory_send_text(fixture.memory, strangers[i].words);
        if (strangers[i].words[0] == '\0')
            stream_memory_end(fixture.memory);
        loop_simulated_pass(&fixture.simulated, 11 * CLOCK_NS_PER_S);
        expect_failure(&fixture, strangers[i].reason);
    }
    accept_bare(&fixture);
    end(&fixture);
}

TEST(a_handshake_has_ten_seconds_however_slowly_it_drips)
{
    struct fixture fixture;
    begin(&fixture, 16);
    accept_bare(&fixture);
    loop_simulated_pass(&fixture.simulated, 9 * CLOCK_NS_PER_S);
    expect_equal_u64(fixture.failed, 0);
    loop_simulated_pass(&fixture.simulated, 2 * CLOCK_NS_PER_S);
    expect_failure(&fixture, "the client has not begun its handshake in time");
    accept_peer(&fixture, TLS1_3_VERSION, NULL);
    tls_peer_step(&fixture.peer);
    struct span hello = buffer_span(&fixture.memory->coming);
    uint8_t *copy = malloc(hello.len);
    expect_not_null(copy);
    memcpy(copy, hello.data, hello.len);
    buffer_clear(&fixture.memory->coming);
    for (size_t i = 0; i < 40 && fixture.failed == 0; i++) {
        stream_memory_send(fixture.memory, span_of(copy + i, 1));
        loop_simulated_pass(&fixture.simulated, CLOCK_NS_PER_S / 2);
    }
    free(copy);
    expect_failure(&fixture, "the client has not completed its handshake in time");
    accept_bare(&fixture);
    end(&fixture);
}

TEST(a_client_that_goes_away_in_the_middle_is_named)
{
    struct fixture fixture;
    begin(&fixture, 17);
    for (unsigned cuts = 0; cuts < 2; cuts++) {
        accept_peer(&fixture, TLS1_3_VERSION, NULL);
        tls_peer_step(&fixture.peer);
        loop_simulated_settle(&fixture.simulated);
        if (cuts)
            stream_memory_cut(fixture.memory);
        else
            stream_memory_end(fixture.memory);
        loop_simulated_settle(&fixture.simulated);
        expect_failure(&fixture, "the client went away before the handshake was complete");
    }
    accept_bare(&fixture);
    end(&fixture);
}

TEST(a_handshake_of_damaged_bytes_fails_or_is_completed_but_never_worse)
{
    enum { ROUNDS = 200 };
    struct fixture fixture;
    unsigned failed = 0;
    begin(&fixture, 18);
    make_context(&fixture, true, true);
    for (unsigned round = 0; round < ROUNDS; round++) {
        accept_peer(&fixture, versions[round % VERSIONS], round % 3 == 0 ? &fixture.world.client : NULL);
        fixture.memory->chunk_max = round % 5 == 0 ? 7 : MEBIBYTE;
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
        drop(&fixture);
    }
    expect(failed > ROUNDS / 2);
    accept_bare(&fixture);
    end(&fixture);
}

/* --- What a reload needs, and what a client does without ---------------------------------------- */

TEST(a_connection_outlives_the_context_it_was_made_with)
{
    struct fixture fixture;
    begin(&fixture, 19);
    connect_peer(&fixture, TLS1_3_VERSION);
    fixture.context = tls_context_unref(fixture.context);
    tls_peer_send(&fixture.peer, span_from_text("on and on"));
    tls_peer_settle(&fixture.peer);
    expect_span_is(buffer_span(&fixture.got), "on and on");
    expect_fine(stream_write(fixture.stream, span_from_text("yes")));
    tls_peer_settle(&fixture.peer);
    expect_span_is(buffer_span(&fixture.peer.received), "yes");
    end(&fixture);
}

/* Unread bytes at its close would be a reset, and what it sent last would be lost. */
TEST(a_client_that_only_sends_finds_nothing_to_read_and_one_that_reads_gets_a_ticket)
{
    struct fixture fixture;
    begin(&fixture, 20);
    accept_peer(&fixture, TLS1_3_VERSION, NULL);
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
    drop(&fixture);
    accept_peer(&fixture, TLS1_3_VERSION, NULL);
    expect(SSL_set_session(fixture.peer.handle, session) == 1);
    tls_peer_settle(&fixture.peer);
    expect(SSL_session_reused(fixture.peer.handle));
    tls_peer_finish(&fixture.peer);
    tls_peer_settle(&fixture.peer);
    drop(&fixture);
    make_context(&fixture, false, false); /* a reload: nobody comes back with what the old one gave */
    accept_peer(&fixture, TLS1_3_VERSION, NULL);
    expect(SSL_set_session(fixture.peer.handle, session) == 1);
    tls_peer_settle(&fixture.peer);
    expect(fixture.peer.is_secured && !SSL_session_reused(fixture.peer.handle));
    SSL_SESSION_free(session);
    end(&fixture);
}

TEST(a_peer_may_change_its_keys_and_ask_for_new_ones)
{
    struct fixture fixture;
    begin(&fixture, 21);
    connect_peer(&fixture, TLS1_3_VERSION);
    for (unsigned i = 0; i < 5; i++) {
        expect(SSL_key_update(fixture.peer.handle, SSL_KEY_UPDATE_REQUESTED) == 1);
        tls_peer_send(&fixture.peer, span_from_text("x"));
        tls_peer_settle(&fixture.peer);
        expect_fine(stream_write(fixture.stream, span_from_text("y")));
        tls_peer_settle(&fixture.peer);
    }
    expect_span_is(buffer_span(&fixture.got), "xxxxx");
    expect_span_is(buffer_span(&fixture.peer.received), "yyyyy");
    end(&fixture);
}

/* It asks for new keys without end and reads none of the answers. */
TEST(what_waits_for_a_peer_that_asks_for_keys_and_does_not_read_is_bounded)
{
    struct fixture fixture;
    begin(&fixture, 22);
    connect_peer(&fixture, TLS1_3_VERSION);
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
    end(&fixture);
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
          a_record_that_was_changed_on_its_way_ends_the_connection,
          a_client_must_show_a_certificate_that_is_good,
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
