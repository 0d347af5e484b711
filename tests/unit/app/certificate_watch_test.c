/* Tests what is said of certificates, and how often. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/certificate_watch.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "support/test.h"
#include "support/test_authority.h"

enum { HOUR_S = 3600, DAY_S = 24 * HOUR_S };

struct fixture {
    struct test_authority authority;
    struct config *config;
    struct door_plans plans;
    struct certificate_watch watch;
    struct buffer log;
    struct clock_fake clock; /* the log's, for it leaves out what repeats within seconds */
    int64_t now_ns;
};

static void on_line(void *owner, struct span line)
{
    struct fixture *fixture = owner;
    expect_fine(buffer_append(&fixture->log, line));
}

static void begin(struct fixture *fixture, long days)
{
    struct test_subject subject = {"server", "localhost", NULL, -HOUR_S, days * DAY_S};
    char yaml[512];
    struct config_problems problems;
    struct why why;
    *fixture = (struct fixture){.now_ns = clock_wall_ns(clock_linux())};
    buffer_init(&fixture->log, 64 * 1024);
    log_set_sink(on_line, fixture);
    clock_fake_init(&fixture->clock, fixture->now_ns);
    log_set_clock(&fixture->clock.clock);
    test_authority_init(&fixture->authority, "authority");
    struct test_identity server = test_authority_issue(&fixture->authority, &subject);
    (void)snprintf(yaml, sizeof yaml,
                   "doors:\n- { kind: line, serve: acks, listen: \"127.0.0.1:0\" }\n"
                   "- { kind: line, serve: acks, listen: \"127.0.0.1:0\", tls: { cert: %s, key: %s } }\n",
                   server.cert_path, server.key_path);
    config_problems_init(&problems, "w.yaml");
    expect_fine(config_parse(span_from_text(yaml), &problems, &fixture->config));
    config_problems_done(&problems);
    expect_fine(door_plans_open(&fixture->plans, fixture->config, &why));
}

static void end(struct fixture *fixture)
{
    log_set_sink(NULL, NULL);
    log_set_clock(NULL);
    door_plans_close(&fixture->plans);
    fixture->config = config_free(fixture->config);
    test_authority_done(&fixture->authority);
    buffer_done(&fixture->log);
}

/* Lets time pass, looks every hour, and counts the lines that were said. */
static unsigned pass(struct fixture *fixture, unsigned hours, const char *words)
{
    unsigned lines = 0;
    for (unsigned i = 0; i < hours; i++) {
        fixture->now_ns += HOUR_S * CLOCK_NS_PER_S;
        clock_fake_advance(&fixture->clock, HOUR_S * CLOCK_NS_PER_S);
        certificate_watch_look(&fixture->watch, &fixture->plans, fixture->now_ns, false);
        if (fixture->log.len == 0)
            continue;
        lines++;
        expect_fine(buffer_append(&fixture->log, span_of("", 1)));
        if (strstr((const char *)fixture->log.data, words) == NULL)
            test_fail("not `%s`: %s", words, (const char *)fixture->log.data);
        buffer_clear(&fixture->log);
    }
    return lines;
}

/* Looked at from the next midnight on, it ends on the twentieth day. */
TEST(a_certificate_is_named_every_day_from_two_weeks_before_its_end_and_behind_it)
{
    struct fixture fixture;
    begin(&fixture, 20);
    fixture.now_ns -= fixture.now_ns % (DAY_S * CLOCK_NS_PER_S) - DAY_S * CLOCK_NS_PER_S;
    certificate_watch_look(&fixture.watch, &fixture.plans, fixture.now_ns, true);
    expect_equal_u64(fixture.log.len, 0);
    int64_t left_s = metric_get(METRIC_TLS_EXPIRES);
    expect(left_s > 19 * DAY_S - 60 && left_s <= 20 * DAY_S);
    expect_equal_u64(pass(&fixture, 5 * 24, "nothing"), 0);
    expect_equal_u64(pass(&fixture, 24, "days_left=13"), 1);
    expect_equal_u64(pass(&fixture, 12 * 24, "level=warn room=app msg=\"a certificate expires soon\""), 12);
    expect_equal_u64(pass(&fixture, 24, "days_left=0"), 1);
    expect_equal_u64(pass(&fixture, 24, "days_ago=0"), 1);
    expect_equal_u64(pass(&fixture, 3 * 24, "level=error room=app msg=\"a certificate has expired\""), 3);
    expect(metric_get(METRIC_TLS_EXPIRES) < -3 * DAY_S + 60);
    end(&fixture);
}

TEST(without_certificates_there_is_nothing_to_say)
{
    struct fixture fixture;
    begin(&fixture, 1);
    fixture.plans.count--; /* the plain door alone */
    certificate_watch_look(&fixture.watch, &fixture.plans, fixture.now_ns, true);
    expect_equal_u64(fixture.log.len, 0);
    expect_equal_i64(metric_get(METRIC_TLS_EXPIRES), 0);
    fixture.plans.count++;
    certificate_watch_look(&fixture.watch, &fixture.plans, fixture.now_ns, true);
    expect(fixture.log.len > 0);
    end(&fixture);
}

TEST_MAIN(a_certificate_is_named_every_day_from_two_weeks_before_its_end_and_behind_it,
          without_certificates_there_is_nothing_to_say)
