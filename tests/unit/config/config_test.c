/* Tests of whole configurations: the values of good ones, the exact words about bad ones. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/test.h"

#define DOOR "doors: [ { kind: line, serve: acks, listen: \"127.0.0.1:0\" } ]\n"

/* The configuration of a text that must be right. */
static struct config *parse(const char *yaml)
{
    struct config_problems problems;
    struct config *config = NULL;
    config_problems_init(&problems, "w.yaml");
    enum err err = config_parse(span_from_text(yaml), &problems, &config);
    if (err != ERR_NONE)
        test_fail("%s: %.*s", err_name(err), (int)problems.text.len, (const char *)problems.text.data);
    config_problems_done(&problems);
    return config;
}

static void expect_problems(struct span yaml, const char *expected)
{
    struct config_problems problems;
    struct config *config = NULL;
    config_problems_init(&problems, "w.yaml");
    expect_err(config_parse(yaml, &problems, &config), ERR_CONFIG);
    expect_null(config);
    expect_span_is(buffer_span(&problems.text), expected);
    config_problems_done(&problems);
}

TEST(defaults_are_those_of_the_design)
{
    struct config *config = NULL;
    expect_fine(config_default(&config));
    expect_equal_text(config->data, "./waybill-data");
    expect_equal_i64(config->drain_ns, INT64_C(10000000000));
    expect_equal_u64(config->log.segment_size, 64 << 20);
    expect_equal_u64(config->log.ack, CONFIG_ACK_SYNCED);
    expect_equal_u64(config->log.size_max, UINT64_C(20) << 30);
    expect_equal_u64(config->limits.record, 1 << 20);
    expect_equal_u64(config->limits.append, 8 << 20);
    expect_equal_u64(config->limits.topics, 1000);
    expect(config->limits.auto_create);
    expect_equal_i64(config->receipts.keep_ns, INT64_C(604800000000000));
    const struct config_topic *topic = config->topics.defaults;
    expect_equal_u64(topic->partitions, 1);
    expect_equal_u64(topic->when_full, CONFIG_BLOCK);
    expect_equal_i64(topic->retention.age_ns, INT64_C(604800000000000));
    expect_equal_u64(topic->retention.size, 1 << 30);
    expect_equal_u64(config->doors.count, 4);
    const struct config_door *doors = config->doors.items;
    expect_equal_u64(doors[0].serve, CONFIG_PRODUCE);
    expect_equal_u64(doors[0].listen.port, 5673);
    expect_equal_text(doors[0].topic, "{key}");
    expect_equal_text(doors[0].fields, "key|timestamp|seq|body");
    expect_equal_text(doors[0].otherwise, "unrouted.dlq");
    expect_equal_text(doors[0].sequence, "default");
    expect(doors[0].hello);
    expect_equal_u64(doors[0].window, 10000);
    expect_equal_u64(doors[0].max_line, 1 << 20);
    expect_equal_u64(doors[1].serve, CONFIG_SUBSCRIBE);
    expect_equal_u64(doors[1].listen.port, 5674);
    expect_equal_i64(doors[1].lease_ns, INT64_C(60000000000));
    expect_equal_u64(doors[2].serve, CONFIG_ACKS);
    expect_equal_u64(doors[2].listen.port, 5675);
    expect_equal_u64(doors[3].serve, CONFIG_STATUS);
    expect_equal_u64(doors[3].listen.port, 5676);
    expect_null(doors[3].processed_log);
    expect_equal_text(doors[3].group, "processed_log");
    config = config_free(config);
}

TEST(values_of_a_file_replace_the_defaults)
{
    struct config *config =
        parse("data: /tmp/w\n"
              "drain: 20ms\n"
              "log: { segment_size: 16MiB, ack: written }\n"
              "limits: { append: 2MiB, auto_create: false }\n"
              "topics:\n"
              "  orders: { partitions: 4, retention: { age: 1h } }\n"
              "  defaults: { partitions: 2, when_full: drop_oldest, retention: { size: 10MiB } }\n"
              "  \"1\": {}\n"
              "doors:\n"
              "  - kind: line\n"
              "    serve: produce\n"
              "    listen: \"[::1]:7000\"\n"
              "    hello: off\n"
              "    duplicates: drop\n"
              "    routes: [ { key: \"eu.*\", topic: eu }, { key: us, topic: \"us-{key}\" } ]\n"
              "threads: { loops: 3 }\n");
    expect_equal_text(config->data, "/tmp/w");
    expect_equal_i64(config->drain_ns, 20000000);
    expect_equal_u64(config->log.segment_size, 16 << 20);
    expect_equal_u64(config->log.ack, CONFIG_ACK_WRITTEN);
    expect(!config->limits.auto_create);
    expect_equal_u64(config->topics.count, 2);
    const struct config_topic *topics = config->topics.items;
    expect_equal_text(topics[0].name, "orders");
    expect_equal_u64(topics[0].partitions, 4);
    expect_equal_u64(topics[0].when_full, CONFIG_DROP_OLDEST);
    expect_equal_i64(topics[0].retention.age_ns, INT64_C(3600000000000));
    expect_equal_u64(topics[0].retention.size, 10 << 20);
    expect_equal_text(topics[1].name, "1");
    expect_equal_u64(topics[1].partitions, 2);
    const struct config_door *door = config->doors.items;
    expect_equal_text(door->listen.host, "::1");
    expect(!door->hello);
    expect_equal_u64(door->duplicates, CONFIG_DROP);
    expect_equal_u64(config_place_of(door->node, "").line, 10);
    expect_equal_u64(config_place_of(door->node, "hello").line, 13);
    const struct config_route *routes = door->routes.items;
    expect_equal_u64(door->routes.count, 2);
    expect_equal_text(routes[0].key, "eu.*");
    expect_equal_text(routes[1].topic, "us-{key}");
    expect_equal_u64(config->threads.loops, 3);
    config = config_free(config);
}

TEST(variables_come_from_the_environment)
{
    expect(setenv("WAYBILL_TEST_DATA", "/srv/${HOME}", 1) == 0);
    expect(unsetenv("WAYBILL_TEST_NONE") == 0);
    struct config *config = parse("data: ${WAYBILL_TEST_DATA}/a${WAYBILL_TEST_NONE:}$x$${y}\n"
                                  "drain: ${WAYBILL_TEST_NONE:5s}\n" DOOR);
    expect_equal_text(config->data, "/srv/${HOME}/a$x${y}");
    expect_equal_i64(config->drain_ns, INT64_C(5000000000));
    config = config_free(config);
}

static const struct {
    const char *yaml;
    const char *problems;
} bad_files[] = {
    {"dta: x\n" DOOR, "w.yaml:1:1: `dta` is no key here: did you mean `data`?\n"},
    {"data: x\nlog:\n  segmnet_size: 1MiB\n" DOOR,
     "w.yaml:3:3: `segmnet_size` is no key here: did you mean `segment_size`?\n"},
    {"flux_capacitor: 1\n" DOOR,
     "w.yaml:1:1: `flux_capacitor` is no key here: `waybill check --explain` lists those that are\n"},
    {"proxies: []\n" DOOR, "w.yaml:1:1: `proxies` is not in this version yet\n"},
    {"topics: { a: { store: \"kafka:main\" } }\n" DOOR,
     "w.yaml:1:23: `store: kafka:main` is not in this version yet\n"},
    {"doors: [ { kind: http, listen: \"127.0.0.1:1\" } ]\n",
     "w.yaml:1:18: `kind: http` is not in this version yet\n"},
    {"doors: [ { kind: line, serve: acks, lissten: \"127.0.0.1:1\" } ]\n",
     "w.yaml:1:37: `lissten` is no key here: did you mean `listen`?\n"},
    {"doors: [ { kind: line, listen: \"127.0.0.1:1\" } ]\n",
     "w.yaml:1:10: `serve` is missing here: What a line door is for.\n"},
    {"doors: [ { kind: line, serve: acks, listen: \"127.0.0.1:1\", processed_log: x } ]\n",
     "w.yaml:1:60: `processed_log` belongs to a door that says `serve: status`: remove it\n"},
    {"doors: [ { kind: line, serve: status, listen: \"127.0.0.1:1\", group: x } ]\n",
     "w.yaml:1:62: `group` is that of `processed_log`, which this door does not have: remove it\n"},
    {"doors: [ { kind: line, serve: status, listen: \"127.0.0.1:1\", fields: body } ]\n",
     "w.yaml:1:62: `fields` belongs to a door that says `serve: produce`: remove it\n"},
    {"doors: [ { kind: line, serve: acks, listen: \"127.0.0.1:1\", tls: { cert: a } } ]\n",
     "w.yaml:1:65: `key` is missing here: A PEM file: the private key of the certificate, without a "
     "passphrase.\n"},
    {"doors: [ { kind: line, serve: acks, listen: \"127.0.0.1:1\", client_ca: a } ]\n",
     "w.yaml:1:60: `client_ca` belongs to a door with TLS: add `tls: { cert: FILE, key: FILE }`\n"},
    {"doors: [ { kind: line, serve: acks, listen: \"127.0.0.1:1\", tls: { cert: a, key: b }, client_cert: "
     "optional "
     "} ]\n",
     "w.yaml:1:86: `client_cert` belongs to a door with `client_ca`: add it, or remove this\n"},
    {"doors: [ { kind: line, serve: acks, listen: \"0.0.0.0:1\", tls: { cert: a, key: b }, client_ca: c, "
     "client_cert: "
     "optional } ]\n",
     "w.yaml:1:45: 0.0.0.0 can be reached from outside and nothing protects it: listen on 127.0.0.1, demand "
     "client "
     "certificates (`tls`, `client_ca`), or say `insecure: true`\n"},
    {"drain: 10\n" DOOR,
     "w.yaml:1:8: `drain: 10`: this takes a duration from 0ns to 1h, with its unit (ns, us, ms, s, "
     "m, h, d)\n"},
    {"limits: { record: 1MB }\n" DOOR,
     "w.yaml:1:19: `record: 1MB`: this takes a size from 1KiB to 256MiB, with its "
     "unit (B, KiB, MiB, GiB, TiB)\n"},
    {"limits: { topics: many }\n" DOOR,
     "w.yaml:1:19: `topics: many`: this takes a whole number from 1 to 100000\n"},
    {"limits: { auto_create: yes }\n" DOOR, "w.yaml:1:24: `auto_create: yes`: this takes true or false\n"},
    {"log: { ack: maybe }\n" DOOR, "w.yaml:1:13: `ack: maybe`: this takes synced or written\n"},
    {"log: 5\n" DOOR, "w.yaml:1:6: `log` takes a section (`key: value`)\n"},
    {"data: [a]\n" DOOR, "w.yaml:1:7: `data` takes one value\n"},
    {"data:\n" DOOR, "w.yaml:1:6: `data` has no value: give it one, or leave it out\n"},
    {"- a\n", "w.yaml:1:1: `the configuration` takes a section (`key: value`)\n"},
    {"doors: { kind: line }\n", "w.yaml:1:8: `doors` takes a list (`- ...` or `[ ... ]`)\n"},
    {"", "w.yaml: no door: with a file only the doors that it names are opened, so add `doors:`\n"},
    {"# nothing\n",
     "w.yaml: no door: with a file only the doors that it names are opened, so add `doors:`\n"},
    {"doors: [ { kind: line, serve: acks, listen: 5675 } ]\n",
     "w.yaml:1:45: `listen: 5675`: this takes host:port\n"},
    {"doors: [ { kind: line, serve: acks, listen: \"0.0.0.0:5675\" } ]\n",
     "w.yaml:1:45: 0.0.0.0 can be reached from outside and nothing protects it: listen on 127.0.0.1, demand "
     "client certificates (`tls`, `client_ca`), or say `insecure: true`\n"},
    {"doors: [ { kind: line, serve: acks, listen: \"[::1]:1\", window: 5 } ]\n",
     "w.yaml:1:56: `window` belongs to a door that says `serve: produce`: remove it\n"},
    {"doors: [ { kind: line, serve: produce, listen: \"[::1]:1\", mode: kmq } ]\n",
     "w.yaml:1:59: `mode` belongs to a door that says `serve: acks` or `status`: remove it\n"},
    {"doors: [ { kind: line, serve: acks, listen: \"[::1]:1\", lease: 5s } ]\n",
     "w.yaml:1:56: `lease` belongs to a door that says `serve: subscribe`: remove it\n"},
    {"doors: [ { kind: line, serve: subscribe, listen: \"[::1]:1\", sequence: a } ]\n",
     "w.yaml:1:61: `sequence` belongs to a door that says `serve: produce`, `acks` or `status`: remove it\n"},
    {"doors: [ { kind: line, serve: produce, listen: \"[::1]:1\", max_line: 2MiB } ]\n",
     "w.yaml:1:59: `max_line` of this door must be at most `limits.record`\n"},
    {"doors: [ { kind: line, serve: produce, listen: \"[::1]:1\", routes: [ { key: a } ] } ]\n",
     "w.yaml:1:69: `topic` is missing here: Where lines with such a key go: a name or a template.\n"},
    {"limits: { record: 64KiB }\ndoors: [ { kind: line, serve: produce, listen: \"[::1]:1\" } ]\n",
     "w.yaml:1:11: `max_line` of this door must be at most `limits.record`\n"},
    {"limits: { record: 8MiB }\n" DOOR,
     "w.yaml:1:11: `limits.record` must be smaller than `limits.append`\n"},
    {"log: { segment_size: 16MiB }\n" DOOR,
     "w.yaml:1:8: `limits.append` must be at most a quarter of `log.segment_size`\n"},
    {"log: { size_max: 100MiB }\n" DOOR,
     "w.yaml:1:8: `log.size_max` must be at least four times `log.segment_size`\n"},
    {"limits:\n  append: 17MiB\nlog:\n  segment_size: 64MiB\n" DOOR,
     "w.yaml:2:3: `limits.append` must be at most a quarter of `log.segment_size`\n"},
    {"data: a\ndata: b\n" DOOR,
     "w.yaml:2:1: `data` stands here for the second time, first in line 1: remove one\n"},
    {"data: &x a\n" DOOR, "w.yaml:1:7: anchors and tags are not supported: write the value out\n"},
    {"data: !!str a\n" DOOR, "w.yaml:1:7: anchors and tags are not supported: write the value out\n"},
    {"data: *x\n" DOOR, "w.yaml:1:7: aliases are not supported: write the value out\n"},
    {"---\ndata: a\n---\ndata: b\n", "w.yaml:3:1: a second document: one file is one configuration\n"},
    {"? [a]\n: b\n", "w.yaml:1:3: a key must be a plain word\n"},
    {"data: [\n", "w.yaml:2:1: not YAML: while parsing a flow node, did not find expected node content\n"},
    {"a: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]\n", "w.yaml:1:19: nested too deeply: at most 16 levels\n"},
    {"data: ${WAYBILL_TEST_NONE}\n" DOOR,
     "w.yaml:1:7: the environment has no variable WAYBILL_TEST_NONE: set it, or give a default with "
     "${WAYBILL_TEST_NONE:default}\n"},
    {"data: ${1A}\n" DOOR, "w.yaml:1:7: `${1A}` names no variable: write ${NAME} or ${NAME:default}\n"},
    {"data: ${A\n" DOOR, "w.yaml:1:7: `${` has no `}`: close it, or write $${ for a plain ${\n"},
    {"data: \"a\\0b\"\n" DOOR, "w.yaml:1:7: a zero byte is no text\n"},
};

TEST(bad_files_are_refused_with_place_and_advice)
{
    expect(unsetenv("WAYBILL_TEST_NONE") == 0);
    for (size_t i = 0; i < sizeof bad_files / sizeof bad_files[0]; i++)
        expect_problems(span_from_text(bad_files[i].yaml), bad_files[i].problems);
}

TEST(bytes_that_are_no_text_are_refused)
{
    expect_problems(span_from_text("data: \xff\n"), "w.yaml:1:1: not YAML: invalid leading UTF-8 octet\n");
}

TEST(huge_files_are_refused)
{
    static char big[CONFIG_FILE_SIZE_MAX + 1];
    memset(big, '#', sizeof big);
    expect_problems(span_of(big, sizeof big), "w.yaml: larger than 1 MiB: this is no configuration\n");
    memset(big, '[', sizeof big);
    struct config_problems problems;
    struct config *config = NULL;
    config_problems_init(&problems, "w.yaml");
    expect_err(config_parse(span_of(big, sizeof big - 1), &problems, &config), ERR_CONFIG);
    config_problems_done(&problems);
}

TEST(all_problems_are_told_at_once_but_not_too_many)
{
    expect_problems(
        span_from_text("drain: x\ndta: y\nlimits: { topics: 0 }\n" DOOR),
        "w.yaml:1:8: `drain: x`: this takes a duration from 0ns to 1h, with its unit (ns, us, ms, s, m, h, "
        "d)\n"
        "w.yaml:2:1: `dta` is no key here: did you mean `data`?\n"
        "w.yaml:3:19: `topics: 0`: this takes a whole number from 1 to 100000\n");
    char yaml[2000];
    size_t at = 0;
    for (int i = 0; i < 100; i++)
        at += (size_t)snprintf(yaml + at, sizeof yaml - at, "k%d: 1\n", i);
    struct config_problems problems;
    struct config *config = NULL;
    config_problems_init(&problems, "w.yaml");
    expect_err(config_parse(span_of(yaml, at), &problems, &config), ERR_CONFIG);
    expect_equal_u64(problems.count, 100);
    size_t lines = 0;
    for (size_t i = 0; i < problems.text.len; i++)
        lines += problems.text.data[i] == '\n';
    expect_equal_u64(lines, CONFIG_PROBLEMS_MAX);
    config_problems_done(&problems);
}

TEST(missing_file_is_named)
{
    struct config_problems problems;
    struct config *config = NULL;
    config_problems_init(&problems, "/nowhere/w.yaml");
    expect_err(config_load("/nowhere/w.yaml", &problems, &config), ERR_NOT_FOUND);
    expect_span_is(buffer_span(&problems.text), "/nowhere/w.yaml: cannot be read: not found\n");
    config_problems_done(&problems);
}

TEST(directory_in_the_place_of_the_file_is_told_as_one)
{
    struct config_problems problems;
    struct config *config = NULL;
    config_problems_init(&problems, "/");
    expect_err(config_load("/", &problems, &config), ERR_SYSTEM);
    expect_span_is(buffer_span(&problems.text), "/: cannot be read: Is a directory\n");
    config_problems_done(&problems);
}

TEST(reference_lists_every_key_with_its_default)
{
    struct buffer text;
    buffer_init(&text, 1 << 20);
    expect_fine(config_explain(&text, CONFIG_EXPLAIN_TEXT));
    expect_fine(buffer_append(&text, span_of("", 1)));
    static const char *const parts[] = {
        "log.segment_size: a size from 256KiB to 1GiB; default 64MiB; restart\n",
        "topics.NAME.retention.age: a duration from 0ns to 36500d; default 7d; reload\n",
        "doors[].serve: produce, subscribe, acks or status; required; restart\n",
        "doors[].routes[].key: text; required; restart\n",
        "proxies\n    Not in this version yet. ",
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strstr((const char *)text.data, parts[i]) == NULL)
            test_fail("not in the reference: %s", parts[i]);
    buffer_done(&text);
}

TEST_MAIN(defaults_are_those_of_the_design,
          values_of_a_file_replace_the_defaults,
          variables_come_from_the_environment,
          bad_files_are_refused_with_place_and_advice,
          bytes_that_are_no_text_are_refused,
          huge_files_are_refused,
          all_problems_are_told_at_once_but_not_too_many,
          missing_file_is_named,
          directory_in_the_place_of_the_file_is_told_as_one,
          reference_lists_every_key_with_its_default)
