/* Tests that each difference between two configurations is told once, with its path, class and place. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_diff.h"

#include <stdlib.h>

#include "support/test.h"

#define ACKS "{ kind: line, serve: acks, listen: \"127.0.0.1:1\" }"

static struct config *parse(const char *yaml)
{
    struct config_problems problems;
    struct config *config = NULL;
    config_problems_init(&problems, "w.yaml");
    if (config_parse(span_from_text(yaml), &problems, &config) != ERR_NONE)
        test_fail("%.*s", (int)problems.text.len, (const char *)problems.text.data);
    config_problems_done(&problems);
    return config;
}

static void on_change(void *owner, const struct config_change *change)
{
    struct buffer *text = owner;
    expect_fine(buffer_printf(text, "%u:%u %s %s\n", change->place.line, change->place.column,
                              change->reload == CONFIG_LIVE ? "live" : "restart", change->path));
}

static void expect_changes(const char *before_yaml, const char *after_yaml, const char *expected)
{
    struct buffer text;
    struct config *before = parse(before_yaml);
    struct config *after = parse(after_yaml);
    buffer_init(&text, 1024 * 1024);
    config_diff(before, after, on_change, &text);
    expect_span_is(buffer_span(&text), expected);
    buffer_done(&text);
    before = config_free(before);
    after = config_free(after);
}

TEST(the_same_said_in_another_way_is_no_change)
{
    expect_changes("doors: [ " ACKS " ]\n",
                   "drain: 10000ms\nlog: { scrub_rate: 8192KiB }\ndoors:\n- " ACKS "\n", "");
}

TEST(values_of_every_kind_are_compared)
{
    expect_changes("doors: [ " ACKS " ]\n",
                   "data: /d\ndrain: 5s\nlog: { ack: written, scrub_rate: 1MiB }\n"
                   "limits: { topics: 7, auto_create: off }\nthreads: { loops: 2 }\n"
                   "doors: [ { kind: line, serve: acks, listen: \"127.0.0.1:2\" } ]\n",
                   "1:1 restart data\n2:1 live drain\n3:8 restart log.ack\n3:22 live log.scrub_rate\n"
                   "4:11 live limits.topics\n4:22 live limits.auto_create\n6:37 restart doors[0].listen\n"
                   "5:12 restart threads.loops\n");
}

TEST(topics_are_found_by_their_names_and_a_default_is_a_change_of_each)
{
    expect_changes("topics: { a: {}, b: { when_full: drop_oldest }, c: {} }\ndoors: [ " ACKS " ]\n",
                   "topics:\n  c: { retention: { size: 1MiB } }\n  d: {}\n  b: { when_full: block }\n"
                   "doors: [ " ACKS " ]\n",
                   "2:21 live topics.c.retention.size\n1:1 live topics.d\n4:8 live topics.b.when_full\n"
                   "1:1 live topics.a\n");
    expect_changes("topics: { a: {} }\ndoors: [ " ACKS " ]\n",
                   "topics: { defaults: { partitions: 3 }, a: {} }\ndoors: [ " ACKS " ]\n",
                   "1:23 restart topics.defaults.partitions\n1:40 restart topics.a.partitions\n");
    expect_changes("topics: { a: { processed_by: [x, y] } }\ndoors: [ " ACKS " ]\n",
                   "topics: { a: { processed_by: [x, z] } }\ndoors: [ " ACKS " ]\n",
                   "1:16 restart topics.a.processed_by\n");
}

TEST(a_door_that_comes_and_one_that_turns_to_tls_are_one_change_each)
{
    expect_changes(
        "doors: [ " ACKS " ]\n",
        "doors:\n- { kind: line, serve: acks, listen: \"127.0.0.1:1\", tls: { cert: c, key: k } }\n"
        "- { kind: line, serve: acks, listen: \"127.0.0.1:2\" }\n",
        "2:53 restart doors[0].tls\n1:1 restart doors\n");
    expect_changes(
        "doors: [ { kind: line, serve: acks, listen: \"127.0.0.1:1\", tls: { cert: c, key: k } } ]\n",
        "doors: [ { kind: line, serve: acks, listen: \"127.0.0.1:1\", tls: { cert: c, key: l }, client_ca: a "
        "} ]\n",
        "1:76 live doors[0].tls.key\n1:86 live doors[0].client_ca\n");
    expect_changes(
        "doors: [ { kind: line, serve: produce, listen: \"127.0.0.1:1\", routes: [ { key: a, topic: b } ] } "
        "]\n",
        "doors: [ { kind: line, serve: produce, listen: \"127.0.0.1:1\", routes: [ { key: a, topic: c },\n"
        " { key: d, topic: e } ] } ]\n",
        "1:83 restart doors[0].routes[0].topic\n1:63 restart doors[0].routes\n");
}

TEST_MAIN(the_same_said_in_another_way_is_no_change,
          values_of_every_kind_are_compared,
          topics_are_found_by_their_names_and_a_default_is_a_change_of_each,
          a_door_that_comes_and_one_that_turns_to_tls_are_one_change_each)
