/* Tests of what a configuration says of deliveries, and of the lists and short forms that it needs for it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"
#include "support/test.h"

#define DOOR "doors: [ { kind: line, serve: acks, listen: \"127.0.0.1:0\" } ]\n"

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

static void expect_problems(const char *yaml, const char *expected)
{
    struct config_problems problems;
    struct config *config = NULL;
    config_problems_init(&problems, "w.yaml");
    expect_err(config_parse(span_from_text(yaml), &problems, &config), ERR_CONFIG);
    expect_span_is(buffer_span(&problems.text), expected);
    config_problems_done(&problems);
}

TEST(a_delivery_has_the_defaults_of_the_design)
{
    struct config *config =
        parse(DOOR "deliveries: [ { name: f, from: [a], to: \"file:/x/append.log\" } ]\n");
    expect_equal_u64(config->deliveries.count, 1);
    const struct config_delivery *delivery = config->deliveries.items;
    expect_equal_text(delivery->name, "f");
    expect_equal_text(config_delivery_path(delivery), "/x/append.log");
    expect_equal_u64(delivery->batch.records, 100);
    expect_equal_u64(delivery->batch.bytes, 100 * 1024);
    expect_equal_i64(delivery->batch.wait_ns, 20000000);
    expect_equal_u64(delivery->in_flight, 100);
    expect_equal_i64(delivery->retry.first_ns, 200000000);
    expect_equal_i64(delivery->retry.max_ns, INT64_C(30000000000));
    expect(delivery->retry.jitter > 0.19 && delivery->retry.jitter < 0.21);
    expect_equal_u64(delivery->breaker.failures, 5);
    expect_equal_i64(delivery->breaker.every_ns, 1000000000);
    expect_equal_u64(delivery->rotate.size, 0);
    config_free(config);
}

TEST(sources_may_be_names_or_pin_partitions)
{
    struct config *config =
        parse(DOOR "deliveries:\n"
                   "- name: f\n"
                   "  from: [ a, { topic: b, partitions: [0, 3] }, { topic: c, partitions: 1 } ]\n"
                   "  to: file:x\n");
    const struct config_delivery *delivery = config->deliveries.items;
    const struct config_delivery_source *from = delivery->from.items;
    expect_equal_u64(delivery->from.count, 3);
    expect_equal_text(from[0].topic, "a");
    expect_equal_u64(from[0].partitions.count, 0);
    expect_equal_text(from[1].topic, "b");
    expect_equal_u64(from[1].partitions.count, 2);
    expect_equal_text(from[1].partitions.items[1], "3");
    expect_equal_u64(from[2].partitions.count, 1);
    config_free(config);
}

TEST(processed_by_is_a_list_of_names_or_one_name)
{
    struct config *config =
        parse(DOOR "topics: { a: { processed_by: [x, y] }, b: { processed_by: z }, c: {} }\n");
    const struct config_topic *topics = config->topics.items;
    expect_equal_u64(topics[0].processed_by.count, 2);
    expect_equal_text(topics[0].processed_by.items[1], "y");
    expect_equal_text(topics[1].processed_by.items[0], "z");
    expect_equal_u64(topics[2].processed_by.count, 0);
    config_free(config);
}

TEST(mistakes_are_told_with_their_places)
{
    expect_problems(DOOR "deliveries:\n- { from: [a], to: \"file:x\" }\n",
                    "w.yaml:3:3: `name` is missing here: Its name, and that of its group.\n");
    expect_problems(DOOR "deliveries:\n- { name: f, from: a, to: \"file:x\" }\n",
                    "w.yaml:3:20: `from` takes a list (`- ...` or `[ ... ]`)\n");
    expect_problems(DOOR "deliveries:\n- { name: f, from: [[a]], to: \"file:x\" }\n",
                    "w.yaml:3:21: `from` takes a section (`key: value`)\n");
    expect_problems(DOOR "deliveries:\n- { name: f, from: [], to: \"file:x\" }\n",
                    "w.yaml:3:14: `from` names no topic\n");
    expect_problems(DOOR
                    "deliveries:\n- { name: f, from: [{ topic: a, partitions: [1024] }], to: \"file:x\" }\n",
                    "w.yaml:3:33: `1024` is no number of a partition (0 to 1023)\n");
    expect_problems(DOOR "deliveries:\n- { name: f, from: [a], to: \"http://x\" }\n",
                    "w.yaml:3:29: `to: http://x` is not in this version yet\n");
    expect_problems(DOOR "deliveries:\n- { name: f, from: [a], to: x }\n",
                    "w.yaml:3:25: `to: x`: this takes file:PATH\n");
    expect_problems(DOOR "deliveries:\n- { name: f, from: [a], to: \"file:x\", retry: { jitter: 1.01 } }\n",
                    "w.yaml:3:56: `jitter: 1.01`: this takes a number from 0 to 1\n");
    expect_problems(DOOR "topics: { a: { processed_by: [x, \"\"] } }\n",
                    "w.yaml:2:34: `processed_by` holds an empty name\n");
    expect_problems(DOOR "topics: { a: { processed_by: { x: 1 } } }\n",
                    "w.yaml:2:30: `processed_by` takes a list (`- ...` or `[ ... ]`)\n");
}

TEST_MAIN(a_delivery_has_the_defaults_of_the_design,
          sources_may_be_names_or_pin_partitions,
          processed_by_is_a_list_of_names_or_one_name,
          mistakes_are_told_with_their_places)
