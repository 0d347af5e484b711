/* Tests of what the rooms refuse in a configuration, with its place. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/config_examine.h"

#include "support/test.h"

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
        "w.yaml:2:3: `sequence: a b` is no legal name: 1 to 200 of A-Z a-z 0-9 . _ -, and not `.` or "
        "`..`\n");
}

/* The words are the door's own; here it counts that they come with the door's place. */
TEST(broken_routing_is_refused_at_its_door)
{
    static const char *const files[] = {
        PRODUCE(", topic: \"{nothing}\""),
        PRODUCE(", fields: \"key|seq\""),
        PRODUCE(", fields: \"seq|body\", topic: t, routes: [ { key: a, topic: b } ]"),
        PRODUCE(", otherwise: \"a/b\""),
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct config_problems problems;
        struct config *config = NULL;
        config_problems_init(&problems, "w.yaml");
        expect_fine(config_parse(span_from_text(files[i]), &problems, &config));
        expect_err(config_examine(config, &problems), ERR_CONFIG);
        expect(span_starts_with(buffer_span(&problems.text), "w.yaml:2:3: "));
        config_problems_done(&problems);
        config = config_free(config);
    }
}

TEST_MAIN(legal_configuration_has_no_problems,
          illegal_names_of_topics_are_refused,
          illegal_sequence_is_refused,
          broken_routing_is_refused_at_its_door)
