/* Tests which groups a configuration names, and for which topics. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/named_groups.h"

#include "support/test.h"

TEST(groups_of_topics_hold_these_and_the_owner_of_a_processed_log_holds_none)
{
    struct config_problems problems;
    struct config *config = NULL;
    struct named_groups named;
    static const char yaml[] =
        "topics: { defaults: { processed_by: all }, orders: { processed_by: [billing, processed_log] } }\n"
        "doors:\n"
        "- { kind: line, serve: status, listen: \"127.0.0.1:0\", processed_log: p.log }\n"
        "- { kind: line, serve: status, listen: \"127.0.0.1:0\" }\n";
    config_problems_init(&problems, "w.yaml");
    expect_fine(config_parse(span_from_text(yaml), &problems, &config));
    config_problems_done(&problems);
    expect_fine(named_groups_init(&named, config));
    expect_equal_u64(named.count, 4);
    expect_equal_text(named.groups[0].name, "processed_log");
    expect_equal_text(named.groups[0].topic, "");
    expect_equal_text(named.groups[1].name, "all");
    expect_null(named.groups[1].topic);
    expect_equal_text(named.groups[2].name, "billing");
    expect_equal_text(named.groups[3].name, "processed_log");
    expect_equal_text(named.groups[3].topic, "orders");
    named_groups_done(&named);
    config = config_free(config);
}

TEST_MAIN(groups_of_topics_hold_these_and_the_owner_of_a_processed_log_holds_none)
