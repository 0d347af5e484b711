/* Tests that certificates and keys are taken when they are good, and refused in words that help when they are not. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/test.h"
#include "support/test_authority.h"

enum { HOUR_S = 3600, DAY_S = 24 * HOUR_S };

struct fixture {
    struct test_authority authority;
    struct test_identity server;
    struct tls_settings settings;
    struct why why;
    const char *setting;
    struct tls_context *context;
};

static void begin(struct fixture *fixture)
{
    static const struct test_subject subject = {"server", "localhost", "DNS:localhost", -HOUR_S, 10 * DAY_S};
    *fixture = (struct fixture){.context = NULL};
    test_authority_init(&fixture->authority, "test authority");
    fixture->server = test_authority_issue(&fixture->authority, &subject);
    fixture->settings =
        (struct tls_settings){.cert = fixture->server.cert_path, .key = fixture->server.key_path};
}

static void end(struct fixture *fixture)
{
    test_authority_done(&fixture->authority);
}

static enum err make(struct fixture *fixture)
{
    return tls_context_new(&fixture->settings, clock_wall_ns(clock_linux()), &fixture->setting, &fixture->why,
                           &fixture->context);
}

static void expect_refusal(struct fixture *fixture, const char *setting, const char *words)
{
    expect_err(make(fixture), ERR_CONFIG);
    expect_equal_text(fixture->setting, setting);
    if (strstr(fixture->why.text, words) == NULL)
        test_fail("`%s` does not say `%s`", fixture->why.text, words);
    expect_null(fixture->context);
}

TEST(a_certificate_with_its_key_is_taken_and_its_end_is_known)
{
    struct fixture fixture;
    begin(&fixture);
    fixture.settings.client_ca = fixture.authority.cert_path;
    expect_fine(make(&fixture));
    int64_t left_ns = tls_context_expires_ns(fixture.context) - clock_wall_ns(clock_linux());
    expect(left_ns > (10 * DAY_S - 60) * CLOCK_NS_PER_S && left_ns <= 10 * DAY_S * CLOCK_NS_PER_S);
    expect_null(tls_context_unref(fixture.context));
    end(&fixture);
}

TEST(the_first_end_in_a_chain_is_what_counts)
{
    static const struct test_subject sooner = {"sooner", "sooner", NULL, -HOUR_S, 2 * DAY_S};
    struct fixture fixture;
    begin(&fixture);
    struct test_identity other = test_authority_issue(&fixture.authority, &sooner);
    char command[512];
    (void)snprintf(command, sizeof command, "cat '%s' >> '%s'", other.cert_path, fixture.server.cert_path);
    expect(system(command) == 0);
    expect_fine(make(&fixture));
    int64_t left_ns = tls_context_expires_ns(fixture.context) - clock_wall_ns(clock_linux());
    expect(left_ns <= 2 * DAY_S * CLOCK_NS_PER_S);
    expect_null(tls_context_unref(fixture.context));
    end(&fixture);
}

TEST(files_that_cannot_be_used_are_refused_by_name)
{
    struct fixture fixture;
    char path[128];
    begin(&fixture);
    fixture.settings.cert = "/nowhere/cert.pem";
    expect_refusal(&fixture, "cert", "/nowhere/cert.pem cannot be read: ");
    fixture.settings.cert = fixture.authority.folder;
    expect_refusal(&fixture, "cert", "is empty or no file");
    test_authority_write(&fixture.authority, "empty", "", path);
    fixture.settings.cert = path;
    expect_refusal(&fixture, "cert", "is empty or no file");
    test_authority_write(&fixture.authority, "torn", "-----BEGIN CERTIFICATE-----\nabc\n", path);
    expect_refusal(&fixture, "cert", "torn holds no certificate that can be used");
    test_authority_write(&fixture.authority, "text", "what is this\n", path);
    expect_refusal(&fixture, "cert", "holds no certificate that can be used");
    fixture.settings.cert = fixture.server.cert_path;
    fixture.settings.key = path;
    expect_refusal(&fixture, "key", "holds no private key");
    fixture.settings.key = fixture.server.key_path;
    fixture.settings.client_ca = path;
    expect_refusal(&fixture, "client_ca", "holds no certificate");
    end(&fixture);
}

TEST(a_key_of_another_certificate_is_refused)
{
    static const struct test_subject other = {"other", "other", NULL, -HOUR_S, DAY_S};
    struct fixture fixture;
    begin(&fixture);
    struct test_identity identity = test_authority_issue(&fixture.authority, &other);
    fixture.settings.key = identity.key_path;
    expect_refusal(&fixture, "key", "other.key is not the key of the certificate in `cert`");
    end(&fixture);
}

TEST(a_key_with_a_passphrase_is_refused_without_asking_for_it)
{
    struct fixture fixture;
    char command[512];
    char path[128];
    begin(&fixture);
    test_authority_write(&fixture.authority, "locked.key", "", path);
    (void)snprintf(command, sizeof command, "openssl pkey -in '%s' -out '%s' -aes128 -passout pass:secret",
                   fixture.server.key_path, path);
    expect(system(command) == 0);
    fixture.settings.key = path;
    expect_refusal(&fixture, "key", "is locked with a passphrase");
    end(&fixture);
}

TEST(a_certificate_out_of_its_time_is_refused_with_the_time)
{
    static const struct test_subject expired = {"expired", "localhost", NULL, -2 * DAY_S, -DAY_S};
    static const struct test_subject future = {"future", "localhost", NULL, DAY_S, 2 * DAY_S};
    struct fixture fixture;
    begin(&fixture);
    struct test_identity identity = test_authority_issue(&fixture.authority, &expired);
    fixture.settings = (struct tls_settings){.cert = identity.cert_path, .key = identity.key_path};
    expect_refusal(&fixture, "cert", "expired.pem expired at 20");
    identity = test_authority_issue(&fixture.authority, &future);
    expect_refusal(&fixture, "cert", "future.pem is not valid before 20");
    end(&fixture);
}

TEST(an_old_context_lives_as_long_as_somebody_refers_to_it)
{
    struct fixture fixture;
    begin(&fixture);
    expect_fine(make(&fixture));
    struct tls_context *second = tls_context_ref(fixture.context);
    expect_null(tls_context_unref(fixture.context));
    expect(tls_context_expires_ns(second) > 0);
    expect_null(tls_context_unref(second));
    expect_null(tls_context_unref(NULL));
    end(&fixture);
}

TEST_MAIN(a_certificate_with_its_key_is_taken_and_its_end_is_known,
          the_first_end_in_a_chain_is_what_counts,
          files_that_cannot_be_used_are_refused_by_name,
          a_key_of_another_certificate_is_refused,
          a_key_with_a_passphrase_is_refused_without_asking_for_it,
          a_certificate_out_of_its_time_is_refused_with_the_time,
          an_old_context_lives_as_long_as_somebody_refers_to_it)
