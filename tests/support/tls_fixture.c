/* One connection at a time, from accept to drop. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/tls_fixture.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "support/test.h"

enum { HOUR_S = 3600, GOT_MAX = 64 * 1024 * 1024 };

const int tls_fixture_versions[TLS_FIXTURE_VERSIONS] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* --- The owner of the stream -------------------------------------------------------------------- */

static bool on_bytes(void *owner, struct span bytes)
{
    struct tls_fixture *fixture = owner;
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
    struct tls_fixture *fixture = owner;
    fixture->ended++;
    fixture->was_cut = stream_is_cut(fixture->stream);
}

static void on_drained(void *owner)
{
    ((struct tls_fixture *)owner)->drained++;
}

static void on_closed(void *owner, enum err err)
{
    struct tls_fixture *fixture = owner;
    fixture->closed++;
    fixture->close_err = err;
    fixture->stream = NULL;
}

static void on_secured(void *owner, struct stream *stream)
{
    static const struct stream_events events = {on_bytes, on_end, on_drained, on_closed};
    struct tls_fixture *fixture = owner;
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
    struct tls_fixture *fixture = owner;
    expect_equal_text(peer, "memory");
    fixture->failed++;
    strncpy(fixture->reason, reason, sizeof fixture->reason - 1);
}

/* --- Beginning and end -------------------------------------------------------------------------- */

static void make_world(struct tls_world *world)
{
    static const struct test_subject server = {"server", "localhost", NULL, -HOUR_S, HOUR_S};
    static const struct test_subject client = {"client", "till 7 \xc3\xa9\n", NULL, -HOUR_S, HOUR_S};
    static const struct test_subject nameless = {"nameless", NULL, "email:a@b.example", -HOUR_S, HOUR_S};
    static const struct test_subject expired = {"expired", "old", NULL, -HOUR_S, -60};
    static const struct test_subject unknown = {"unknown", "unknown", NULL, -HOUR_S, HOUR_S};
    test_authority_init(&world->authority, "test authority");
    test_authority_init(&world->stranger, "another authority");
    world->server = test_authority_issue(&world->authority, &server);
    char name[] = "xyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy";
    for (size_t i = 1; i + 2 < sizeof name; i += 2) {
        name[i] = '\xc3';
        name[i + 1] = '\xa9';
    }
    const struct test_subject wordy = {"wordy", name, NULL, -HOUR_S, HOUR_S};
    world->wordy = test_authority_issue(&world->authority, &wordy);
    world->client = test_authority_issue(&world->authority, &client);
    world->nameless = test_authority_issue(&world->authority, &nameless);
    world->expired = test_authority_issue(&world->authority, &expired);
    world->unknown = test_authority_issue(&world->stranger, &unknown);
}

void tls_fixture_secure(struct tls_fixture *fixture, bool asks_clients, bool is_optional)
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
void tls_fixture_accept(struct tls_fixture *fixture)
{
    static const struct stream_tls_events events = {on_secured, on_failed};
    fixture->memory = stream_memory_new(&fixture->simulated);
    expect_fine(stream_tls_new(&fixture->memory->stream, fixture->context, &events, fixture, &fixture->made));
}

void tls_fixture_accept_peer(struct tls_fixture *fixture, int version, const struct test_identity *identity)
{
    tls_fixture_accept(fixture);
    tls_peer_init(&fixture->peer, fixture->memory, &fixture->world.authority, identity, version);
    fixture->has_peer = true;
}

void tls_fixture_connect(struct tls_fixture *fixture, int version)
{
    tls_fixture_accept_peer(fixture, version, NULL);
    tls_peer_settle(&fixture->peer);
    expect_equal_u64(fixture->secured, 1);
    expect(fixture->peer.is_secured);
}

void tls_fixture_init(struct tls_fixture *fixture, uint64_t seed)
{
    *fixture = (struct tls_fixture){.made = NULL};
    make_world(&fixture->world);
    tls_fixture_secure(fixture, false, false);
    loop_simulated_init(&fixture->simulated, seed);
    random_seed(&fixture->random, seed);
    buffer_init(&fixture->got, GOT_MAX);
}

/* Takes the connection down, so that another can be accepted. */
void tls_fixture_drop(struct tls_fixture *fixture)
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

void tls_fixture_done(struct tls_fixture *fixture)
{
    tls_fixture_drop(fixture);
    fixture->context = tls_context_unref(fixture->context);
    loop_simulated_done(&fixture->simulated);
    buffer_done(&fixture->got);
    test_authority_done(&fixture->world.authority);
    test_authority_done(&fixture->world.stranger);
}

uint8_t *tls_fixture_bytes(size_t len, uint64_t seed)
{
    struct random random;
    uint8_t *bytes = malloc(len);
    check(bytes != NULL);
    random_seed(&random, seed);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)random_u64(&random);
    return bytes;
}
