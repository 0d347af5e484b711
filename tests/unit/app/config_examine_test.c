/* Tests of what the rooms refuse in a configuration, with its place. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/config_examine.h"

#include <stdio.h>

#include "support/test.h"
#include "support/test_authority.h"

static void expect_problems(const char *yaml, const char *expected)
{
    struct config_problems problems;
    struct config *config = NULL;
    config_problems_init(&problems, "w.yaml");
    expect_fine(config_parse(span_from_text(yaml), &problems, &config));
    expect_err(config_examine(config, &problems), *expected == '\0' ? ERR_NONE : ERR_CONFIG);
    expect_span_is(buffer_span(&problems.text), expected);
    config_problems_done(&problems);
    config = config_free(config);
}

#define PRODUCE(more) "doors:\n- { kind: line, serve: produce, listen: \"127.0.0.1:0\"" more " }\n"

TEST(legal_configuration_has_no_problems)
{
    expect_problems(PRODUCE(", topic: \"a-{key}\", routes: [ { key: \"x*\", topic: y } ]"), "");
    expect_problems(PRODUCE(", otherwise: off"), "");
    expect_problems("topics: { \"a.b-c_D9\": {} }\n" PRODUCE(""), "");
}

TEST(illegal_names_of_topics_are_refused)
{
    expect_problems(
        "topics: { \"../etc\": {} }\n" PRODUCE(""),
        "w.yaml:1:11: `../etc` is no topic's name: 1 to 200 of A-Z a-z 0-9 . _ -, and not `.` or `..`\n");
    expect_problems(
        "topics:\n  \"..\": {}\n" PRODUCE(""),
        "w.yaml:2:3: `..` is no topic's name: 1 to 200 of A-Z a-z 0-9 . _ -, and not `.` or `..`\n");
}

TEST(illegal_sequence_is_refused)
{
    expect_problems(
        PRODUCE(", sequence: \"a b\""),
        "w.yaml:2:56: `sequence: a b` is no legal name: 1 to 200 of A-Z a-z 0-9 . _ -, and not `.` or "
        "`..`\n");
}

#define NAME_RULE    "1 to 200 of A-Z a-z 0-9 . _ -, and not `.` or `..`\n"
#define STATUS(more) "doors:\n- { kind: line, serve: status, listen: \"127.0.0.1:0\"" more " }\n"

TEST(illegal_names_of_groups_and_logs_are_refused_where_they_are_said)
{
    expect_problems("topics:\n  defaults: { processed_by: [a, \"b c\"] }\n  x: {}\n" PRODUCE(""),
                    "w.yaml:2:15: `processed_by: b c` is no legal name: " NAME_RULE);
    expect_problems("topics: { x: { processed_by: [\"*\"] } }\n" PRODUCE(""),
                    "w.yaml:1:16: `processed_by: *` is no legal name: " NAME_RULE);
    expect_problems(STATUS(", processed_log: p.log, group: \"a/b\""),
                    "w.yaml:2:77: `group: a/b` is no legal name: " NAME_RULE);
    expect_problems(STATUS(", topic: \"{key}\""), "w.yaml:2:55: `topic: {key}` is no legal name: " NAME_RULE);
    expect_problems(STATUS(", processed_log: \"a/\""),
                    "w.yaml:2:55: `processed_log: a/` names a directory: give the file's name\n");
    expect_problems(STATUS(", processed_log: .."),
                    "w.yaml:2:55: `processed_log: ..` names a directory: give the file's name\n");
    expect_problems(STATUS(", processed_log: p.log, group: g, topic: t, keys: on, mode: kmq"), "");
}

#define DELIVERY(name, from, to) "- { name: " name ", from: [" from "], to: \"" to "\" }\n"

TEST(deliveries_need_legal_and_different_names_and_a_path_that_stays_where_it_is)
{
    expect_problems("deliveries:\n" DELIVERY("a", "x", "file:/tmp/{topic}.log")
                        DELIVERY("b", "x", "file:append.log") PRODUCE(""),
                    "");
    expect_problems("deliveries:\n" DELIVERY("a", "x", "file:one") DELIVERY("a", "y", "file:two") PRODUCE(""),
                    "w.yaml:3:5: another delivery is called `a` already: give this one its own name\n");
    expect_problems("deliveries:\n" DELIVERY("a", "x", "file:one") DELIVERY("b", "y", "file:one") PRODUCE(""),
                    "w.yaml:3:25: delivery `a` writes this file already: two would write over each other\n");
    expect_problems(
        "deliveries:\n" DELIVERY("a b", "x", "file:one") PRODUCE(""),
        "w.yaml:2:5: delivery `a b`: a name has 1 to 200 of A-Z a-z 0-9 . _ -, and not `.` or `..`\n");
    expect_problems(
        "deliveries:\n" DELIVERY("a", "x/y", "file:one") PRODUCE(""),
        "w.yaml:2:5: delivery a: topic `x/y`: a name has 1 to 200 of A-Z a-z 0-9 . _ -, and not `.` or "
        "`..`\n");
    expect_problems(
        "deliveries:\n" DELIVERY("a", "x", "file:/tmp/{topic}/a.log") PRODUCE(""),
        "w.yaml:2:5: delivery a: {topic} may stand in the file's name alone: /tmp/{topic}/a.log\n");
    expect_problems("deliveries:\n" DELIVERY("a", "x", "file:/tmp/..") PRODUCE(""),
                    "w.yaml:2:5: delivery a: \"..\" is no file's name\n");
}

#define ACKS(address) "- { kind: line, serve: acks, listen: \"" address "\", insecure: true }\n"

TEST(doors_whose_addresses_meet_are_refused_however_they_are_written)
{
    expect_problems(
        "doors:\n" ACKS("[::1]:1") ACKS("[::1]:2") ACKS("[0::1]:1"),
        "w.yaml:4:30: another door listens on ::1 port 1 already, in line 2: give this one its own\n");
    expect_problems(
        "doors:\n" ACKS("127.0.0.1:7") ACKS("0.0.0.0:7") ACKS("127.0.0.2:7"),
        "w.yaml:3:30: another door listens on 127.0.0.1 port 7 already, in line 2: give this one its own\n"
        "w.yaml:4:30: another door listens on 0.0.0.0 port 7 already, in line 3: give this one its own\n");
    expect_problems("doors:\n" ACKS("no..host:7") ACKS("no..host:7"),
                    "w.yaml:3:30: another door listens on no..host port 7 already, in line 2: give this one "
                    "its own\n");
    expect_problems("doors:\n" ACKS("127.0.0.1:0") ACKS("127.0.0.1:0") ACKS("127.0.0.1:7") ACKS("[::1]:7"),
                    "");
}

TEST(certificates_that_cannot_be_used_are_refused_where_they_are_named)
{
    expect_problems(PRODUCE(",\n tls: {\n cert: /nowhere/c.pem, key: /nowhere/k.pem }"),
                    "w.yaml:4:2: `cert`: /nowhere/c.pem cannot be read: not found\n");
    struct test_authority authority;
    struct test_subject subject = {"server", "localhost", NULL, -3600, 3600};
    char yaml[1024];
    test_authority_init(&authority, "test authority");
    struct test_identity server = test_authority_issue(&authority, &subject);
    (void)snprintf(yaml, sizeof yaml, PRODUCE(",\n tls: {\n cert: %s, key: %s },\n client_ca: %s"),
                   server.cert_path, server.key_path, authority.cert_path);
    expect_problems(yaml, "");
    (void)snprintf(yaml, sizeof yaml, PRODUCE(",\n tls: {\n cert: %s,\n key: /nowhere/k.pem }"),
                   server.cert_path);
    expect_problems(yaml, "w.yaml:5:2: `key`: /nowhere/k.pem cannot be read: not found\n");
    (void)snprintf(yaml, sizeof yaml, PRODUCE(",\n tls: {\n cert: %s, key: %s },\n client_ca: /nowhere/ca"),
                   server.cert_path, server.key_path);
    expect_problems(yaml, "w.yaml:5:2: `client_ca`: /nowhere/ca cannot be read: not found\n");
    test_authority_done(&authority);
}

/* The words are the door's own; here it counts that they come with the place of the key. */
TEST(broken_routing_is_refused_where_it_is_said)
{
    static const struct {
        const char *yaml;
        const char *place;
    } files[] = {
        {PRODUCE(",\n topic: \"{nothing}\""), "w.yaml:3:2: "},
        {PRODUCE(",\n fields: \"key|seq\""), "w.yaml:3:2: "},
        {PRODUCE(",\n fields: \"key|body\",\n duplicates: drop"), "w.yaml:4:2: "},
        {PRODUCE(",\n fields: \"seq|body\", topic: t, routes: [\n { key: a, topic: b } ]"), "w.yaml:4:4: "},
        {PRODUCE(",\n routes: [ { key: a, topic: b },\n { key: c,\n topic: \"a/b\" } ]"), "w.yaml:5:2: "},
        {PRODUCE(",\n otherwise: \"a/b\""), "w.yaml:3:2: "},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct config_problems problems;
        struct config *config = NULL;
        config_problems_init(&problems, "w.yaml");
        expect_fine(config_parse(span_from_text(files[i].yaml), &problems, &config));
        expect_err(config_examine(config, &problems), ERR_CONFIG);
        if (!span_starts_with(buffer_span(&problems.text), files[i].place))
            test_fail("not at %s but %.*s", files[i].place, (int)problems.text.len,
                      (const char *)problems.text.data);
        config_problems_done(&problems);
        config = config_free(config);
    }
}

TEST_MAIN(deliveries_need_legal_and_different_names_and_a_path_that_stays_where_it_is,
          certificates_that_cannot_be_used_are_refused_where_they_are_named,
          legal_configuration_has_no_problems,
          illegal_names_of_topics_are_refused,
          illegal_sequence_is_refused,
          illegal_names_of_groups_and_logs_are_refused_where_they_are_said,
          doors_whose_addresses_meet_are_refused_however_they_are_written,
          broken_routing_is_refused_where_it_is_said)
