/* Tests of doors made ready: sockets, names, settings. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/door_plan.h"

#include <stdio.h>

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

TEST(sockets_are_bound_and_named)
{
    struct config *config = parse("doors:\n"
                                  "- { kind: line, serve: produce, listen: \"127.0.0.1:0\", otherwise: off,\n"
                                  "    routes: [ { key: a, topic: b } ], duplicates: drop, window: 7 }\n"
                                  "- { kind: line, serve: acks, listen: \"127.0.0.1:0\" }\n");
    struct door_plans plans;
    struct why why;
    char name[64];
    expect_fine(door_plans_open(&plans, config, &why));
    expect_equal_u64(plans.count, 2);
    (void)snprintf(name, sizeof name, "produce 127.0.0.1:%u", plans.plans[0].socket.port);
    expect_equal_text(plans.plans[0].name, name);
    expect(plans.plans[0].socket.port != plans.plans[1].socket.port);
    const struct produce_settings *settings = &plans.plans[0].settings;
    expect_equal_u64(settings->otherwise.len, 0);
    expect_equal_u64(settings->route_count, 1);
    expect_span_is(settings->routes[0].topic, "b");
    expect(settings->drop_duplicates && settings->auto_create && settings->hello);
    expect_equal_u64(settings->window, 7);
    door_plans_close(&plans);
    config = config_free(config);
}

TEST(address_of_another_machine_is_refused_and_the_others_are_given_back)
{
    struct config *config =
        parse("doors: [ { kind: line, serve: acks, listen: \"127.0.0.1:0\" },\n"
              "         { kind: line, serve: acks, listen: \"203.0.113.1:0\", insecure: true } ]\n");
    struct door_plans plans;
    struct why why = {0};
    expect(door_plans_open(&plans, config, &why) != ERR_NONE);
    expect(strlen(why.text) > 0);
    expect_equal_u64(plans.count, 0);
    expect_null(plans.plans);
    config = config_free(config);
}

TEST_MAIN(sockets_are_bound_and_named, address_of_another_machine_is_refused_and_the_others_are_given_back)
