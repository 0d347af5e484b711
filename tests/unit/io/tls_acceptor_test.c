/* Tests that handshakes under way are bounded, and that they and their acceptor may go in any order. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_acceptor.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "support/test.h"
#include "support/tls_peer.h"

enum { HOUR_S = 3600 };

struct fixture {
    struct test_authority authority;
    struct tls_context *context;
    struct loop_simulated simulated;
    struct tls_acceptor *acceptor;
    struct stream *secured;
    unsigned secured_count;
    unsigned refused;
    unsigned closed;
    char reason[128];
};

static bool on_bytes(void *owner, struct span bytes)
{
    (void)owner;
    (void)bytes;
    return true;
}

static void on_nothing(void *owner)
{
    (void)owner;
}

static void on_closed(void *owner, enum err err)
{
    (void)err;
    ((struct fixture *)owner)->closed++;
}

static void on_secured(void *owner, struct stream *stream)
{
    static const struct stream_events events = {on_bytes, on_nothing, on_nothing, on_closed};
    struct fixture *fixture = owner;
    fixture->secured = stream;
    fixture->secured_count++;
    stream->events = &events;
    stream->owner = fixture;
    stream_resume(stream);
}

static void on_refused(void *owner, const char *peer, const char *reason)
{
    struct fixture *fixture = owner;
    expect_equal_text(peer, "memory");
    fixture->refused++;
    strncpy(fixture->reason, reason, sizeof fixture->reason - 1);
}

static struct tls_context *make_context(struct fixture *fixture, const char *name)
{
    struct test_subject subject = {name, name, NULL, -HOUR_S, HOUR_S};
    struct test_identity server = test_authority_issue(&fixture->authority, &subject);
    struct tls_settings settings = {.cert = server.cert_path, .key = server.key_path};
    struct tls_context *context = NULL;
    const char *setting = NULL;
    struct why why;
    expect_fine(tls_context_new(&settings, clock_wall_ns(clock_linux()), &setting, &why, &context));
    return context;
}

static void begin(struct fixture *fixture)
{
    static const struct tls_acceptor_events events = {on_secured, on_refused};
    *fixture = (struct fixture){.acceptor = NULL};
    test_authority_init(&fixture->authority, "test authority");
    fixture->context = make_context(fixture, "first");
    loop_simulated_init(&fixture->simulated, 1);
    expect_fine(tls_acceptor_new(fixture->context, &events, fixture, &fixture->acceptor));
    fixture->context = tls_context_unref(fixture->context); /* it has its own */
}

static void end(struct fixture *fixture)
{
    loop_simulated_settle(&fixture->simulated);
    loop_simulated_done(&fixture->simulated);
    test_authority_done(&fixture->authority);
}

static void shake_hands(struct fixture *fixture, const char *expected_name)
{
    char name[64] = "";
    struct tls_peer peer;
    struct stream_memory *memory = stream_memory_new(&fixture->simulated);
    tls_acceptor_take(fixture->acceptor, &memory->stream);
    tls_peer_init(&peer, memory, &fixture->authority, NULL, TLS1_3_VERSION);
    tls_peer_settle(&peer);
    X509_NAME *subject = X509_get_subject_name(SSL_get0_peer_certificate(peer.handle));
    expect(X509_NAME_get_text_by_NID(subject, NID_commonName, name, sizeof name) > 0);
    expect_equal_text(name, expected_name);
    stream_close(fixture->secured, false);
    tls_peer_settle(&peer);
    tls_peer_done(&peer);
    stream_memory_free(memory);
}

TEST(a_changed_context_is_that_of_the_handshakes_to_come)
{
    struct fixture fixture;
    begin(&fixture);
    shake_hands(&fixture, "first");
    struct tls_context *second = make_context(&fixture, "second");
    tls_acceptor_change(fixture.acceptor, second);
    tls_context_unref(second);
    shake_hands(&fixture, "second");
    expect_equal_u64(fixture.secured_count, 2);
    expect_equal_u64(fixture.refused, 0);
    expect_null(tls_acceptor_close(fixture.acceptor));
    end(&fixture);
}

TEST(an_acceptor_that_closes_cuts_what_is_under_way_and_says_no_more)
{
    enum { PEERS = 5 };
    struct fixture fixture;
    struct stream_memory *memories[PEERS];
    begin(&fixture);
    for (size_t i = 0; i < PEERS; i++) {
        memories[i] = stream_memory_new(&fixture.simulated);
        tls_acceptor_take(fixture.acceptor, &memories[i]->stream);
        stream_memory_send_text(memories[i], "\x16\x03\x01");
    }
    loop_simulated_settle(&fixture.simulated);
    stream_memory_send_text(memories[0], "\x01\x01 this is no hello: it has failed and is not gone yet");
    expect_null(tls_acceptor_close(fixture.acceptor));
    loop_simulated_settle(&fixture.simulated);
    expect_equal_u64(fixture.refused + fixture.secured_count, 0);
    for (size_t i = 0; i < PEERS; i++)
        stream_memory_free(memories[i]);
    expect_null(tls_acceptor_close(NULL));
    end(&fixture);
}

TEST(beyond_the_maximum_the_one_that_waited_longest_is_cut)
{
    static struct stream_memory *memories[TLS_HANDSHAKES_MAX + 2];
    struct fixture fixture;
    begin(&fixture);
    for (size_t i = 0; i < TLS_HANDSHAKES_MAX + 2; i++) {
        memories[i] = stream_memory_new(&fixture.simulated);
        /* The simulated loop has no room for so many peers: these never say anything. */
        loop_simulated_leave(&fixture.simulated, &memories[i]->actor);
        tls_acceptor_take(fixture.acceptor, &memories[i]->stream);
    }
    expect_equal_u64(fixture.refused, 2);
    expect_equal_text(fixture.reason, "too many handshakes are under way");
    for (size_t i = 0; i < TLS_HANDSHAKES_MAX + 2; i++)
        expect(memories[i]->is_closing == (i < 2));
    expect_null(tls_acceptor_close(fixture.acceptor));
    for (size_t i = 0; i < TLS_HANDSHAKES_MAX + 2; i++) {
        loop_simulated_join(&fixture.simulated, &memories[i]->actor);
        loop_simulated_settle(&fixture.simulated);
        stream_memory_free(memories[i]);
    }
    end(&fixture);
}

TEST_MAIN(a_changed_context_is_that_of_the_handshakes_to_come,
          an_acceptor_that_closes_cuts_what_is_under_way_and_says_no_more,
          beyond_the_maximum_the_one_that_waited_longest_is_cut)
