/* Tests of the way from a configuration to the groups that decide. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/receipt_plan.h"

#include "support/test.h"

static struct config *parse(const char *yaml)
{
    struct config_problems problems;
    struct config *config = NULL;
    config_problems_init(&problems, "w.yaml");
    expect_fine(config_parse(span_from_text(yaml), &problems, &config));
    config_problems_done(&problems);
    return config;
}

TEST(topics_that_name_groups_have_rules_and_so_have_all_others_when_the_defaults_do)
{
    struct config *config = parse("topics:\n"
                                  "  defaults: { processed_by: [c] }\n"
                                  "  orders: { processed_by: [a, b] }\n"
                                  "doors: [ { kind: line, serve: status, listen: \"127.0.0.1:0\" } ]\n");
    struct receipt_plan plan;
    expect_fine(receipt_plan_init(&plan, config));
    expect_equal_u64(plan.policy.rule_count, 2);
    expect_null(plan.policy.rules[0].topic);
    expect_equal_text(plan.policy.rules[0].groups[0], "c");
    expect_equal_text(plan.policy.rules[1].topic, "orders");
    expect_equal_u64(plan.policy.rules[1].group_count, 2);
    expect_equal_text(plan.policy.rules[1].groups[1], "b");
    expect_equal_u64(plan.policy.log_group_count, 0);
    receipt_plan_done(&plan);
    config = config_free(config);
}

TEST(topics_without_names_have_no_rule_and_doors_with_a_log_give_its_group)
{
    struct config *config =
        parse("topics: { orders: {} }\n"
              "doors:\n"
              "- { kind: line, serve: status, listen: \"127.0.0.1:0\", processed_log: a.log }\n"
              "- { kind: line, serve: status, listen: \"127.0.0.1:0\", processed_log: b.log, group: g }\n"
              "- { kind: line, serve: status, listen: \"127.0.0.1:0\" }\n");
    struct receipt_plan plan;
    expect_fine(receipt_plan_init(&plan, config));
    expect_equal_u64(plan.policy.rule_count, 0);
    expect_equal_u64(plan.policy.log_group_count, 2);
    expect_equal_text(plan.policy.log_groups[0], "processed_log");
    expect_equal_text(plan.policy.log_groups[1], "g");
    receipt_plan_done(&plan);
    config = config_free(config);
}

TEST(deliveries_into_files_only_deliver)
{
    struct config *config = parse("doors: [ { kind: line, serve: status, listen: \"127.0.0.1:0\" } ]\n"
                                  "deliveries: [ { name: archive, from: [orders], to: \"file:a.log\" } ]\n");
    struct receipt_plan plan;
    expect_fine(receipt_plan_init(&plan, config));
    expect_equal_u64(plan.policy.carrier_group_count, 1);
    expect_equal_text(plan.policy.carrier_groups[0], "archive");
    receipt_plan_done(&plan);
    config = config_free(config);
}

TEST_MAIN(topics_that_name_groups_have_rules_and_so_have_all_others_when_the_defaults_do,
          topics_without_names_have_no_rule_and_doors_with_a_log_give_its_group,
          deliveries_into_files_only_deliver)
