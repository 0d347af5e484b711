/* Tests the control socket's operations for dead letters: what they answer, and peers that go away. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/letter_desk.h"

#include <stdio.h>

#include "support/letter_world.h"
#include "support/test.h"

struct fixture {
    struct letter_world world;
    struct test_member member;
    struct letter_desk desk;
    struct control_operations operations;
    char lines[16 * 1024];
    bool stalls;
    unsigned finishes;
    enum err err;
    char text[256];
};

static struct fixture fixture; /* a request is too large for the stack */

static bool write_lines(void *owner, struct span lines)
{
    size_t len = strlen(fixture.lines);
    (void)owner;
    snprintf(fixture.lines + len, sizeof fixture.lines - len, "%.*s", (int)lines.len,
             (const char *)lines.data);
    return !fixture.stalls;
}

static void on_finish(void *owner, enum err err, const char *text)
{
    (void)owner;
    fixture.finishes++;
    fixture.err = err;
    snprintf(fixture.text, sizeof fixture.text, "%s", text);
}

/* Two dead letters of the group billing. */
static void begin(void)
{
    memset(&fixture, 0, sizeof fixture);
    struct letter_world *world = &fixture.world;
    letter_world_begin(world, 1);
    letter_world_produce(world, 0, 1, 2);
    letter_world_join(world, &fixture.member, "billing", "orders");
    (void)letter_world_take(world, &fixture.member);
    letter_world_fail(world, &fixture.member, "orders", 1, 2, "bad");
    fixture.desk.seams = (struct letter_seams){world->groups.store, &world->groups.mailbox,
                                               &world->groups.clock.clock, world->audit};
    fixture.desk.audit_topic = span_from_text("waybill.audit");
    fixture.desk.replays = world->replays;
    fixture.operations = letter_desk_operations(&fixture.desk);
}

static void end(void)
{
    test_member_leave(&fixture.member);
    letter_world_end(&fixture.world);
}

static enum err ask(const char *line, struct control_task **ret_task)
{
    struct control_sink sink = {write_lines, on_finish, NULL};
    struct why why = {""};
    *ret_task = NULL;
    fixture.lines[0] = '\0';
    fixture.finishes = 0;
    enum err err =
        fixture.operations.begin(fixture.operations.owner, span_from_text(line), &sink, &why, ret_task);
    snprintf(fixture.text, sizeof fixture.text, "%s", why.text);
    return err;
}

static const char *answer(const char *line)
{
    struct control_task *task;
    expect_fine(ask(line, &task));
    letter_world_turn(&fixture.world);
    expect_equal_u64(fixture.finishes, 1);
    expect_fine(fixture.err);
    return fixture.lines;
}

TEST(replay_is_answered_when_it_is_durable_and_can_be_followed)
{
    begin();
    expect_equal_text(answer("{\"op\":\"replay\",\"topic\":\"orders.dlq\"}"), "{\"id\":\"00000001\"}\n");
    expect_equal_u64(letter_world_take(&fixture.world, &fixture.member), 2);
    letter_world_done(&fixture.world, &fixture.member, 1, 1);
    expect_equal_text(
        answer("{\"op\":\"replays\",\"id\":\"1\"}"),
        "{\"id\":\"00000001\",\"topic\":\"orders.dlq\",\"state\":\"running\",\"dry_run\":false,\"by\":"
        "\"operator\","
        "\"started\":1700000000000,\"wanted\":2,\"given\":2,\"settled\":1,\"left\":1,\"failed_again\":0,"
        "\"completed\":0,\"left_out\":0,\"foreign\":0,\"waiting\":0,"
        "\"lanes\":[{\"group\":\"billing\",\"topic\":\"orders\",\"wanted\":2}]}\n");
    expect_equal_text(answer("{\"op\":\"replay_stop\",\"id\":\"1\"}"), "");
    expect(strstr(answer("{\"op\":\"replays\"}"), "\"state\":\"stopped\"") != NULL);
    end();
}

TEST(letters_topics_drops_and_audit_are_answered)
{
    begin();
    expect_equal_text(answer("{\"op\":\"deadletters\"}"), "{\"topic\":\"orders.dlq\",\"records\":2}\n");
    expect(strstr(answer("{\"op\":\"deadletters\",\"topic\":\"orders.dlq\",\"limit\":1}"),
                  "\"key\":\"k\",\"seq\":1,\"bytes\":1}\n{\"next\":\"0:1\"}\n") != NULL);
    expect_equal_text(answer("{\"op\":\"drop\",\"topic\":\"orders.dlq\",\"from\":\"1\"}"),
                      "{\"dropped\":1}\n");
    expect(strstr(answer("{\"op\":\"audit\",\"event\":\"deadletters_drop\"}"), "\"group\":\"billing\"") !=
           NULL);
    expect_equal_text(answer("{\"op\":\"audit\",\"topic\":\"absent\"}"), "");
    end();
}

TEST(requests_that_cannot_be_met_are_refused_with_a_reason)
{
    static const struct {
        const char *line;
        enum err err;
    } cases[] = {
        {"{\"op\":\"tail\"}", ERR_NOT_FOUND},
        {"{\"op\":\"deadletters\",\"topic\":\"absent.dlq\"}", ERR_UNKNOWN_TOPIC},
        {"{\"op\":\"replay\",\"topic\":\"orders.dlq\",\"reason\":\"re:(\"}", ERR_BAD_INPUT},
        {"{\"op\":\"replay\",\"topic\":\"orders.dlq\",\"reroute\":true}", ERR_NOT_FOUND},
        {"{\"op\":\"replays\",\"id\":\"7\"}", ERR_NOT_FOUND},
        {"{\"op\":\"replay_stop\",\"id\":\"7\"}", ERR_NOT_FOUND},
        {"{\"op\":\"audit\",\"from\":\"x\"}", ERR_BAD_INPUT},
    };
    begin();
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct control_task *task;
        expect_err(ask(cases[i].line, &task), cases[i].err);
        expect((fixture.text[0] == '\0') == (i == 0));
        expect_null(task);
        expect_equal_u64(fixture.finishes, 0);
    }
    end();
}

TEST(peers_may_go_away_in_the_middle)
{
    static const char *const lines[] = {
        "{\"op\":\"deadletters\",\"topic\":\"orders.dlq\"}",
        "{\"op\":\"drop\",\"topic\":\"orders.dlq\",\"to\":\"0\"}",
        "{\"op\":\"audit\"}",
        "{\"op\":\"replay\",\"topic\":\"orders.dlq\"}",
    };
    begin();
    for (unsigned i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct control_task *task;
        expect_fine(ask(lines[i], &task));
        expect_not_null(task);
        task->ops->close(task);
        letter_world_turn(&fixture.world);
        expect_equal_u64(fixture.finishes, 0);
    }
    expect_equal_u64(replays_next(fixture.world.replays, 0), 1); /* it goes on whoever asked */
    expect_equal_u64(letter_world_take(&fixture.world, &fixture.member), 2);
    end();
}

TEST_MAIN(replay_is_answered_when_it_is_durable_and_can_be_followed,
          letters_topics_drops_and_audit_are_answered,
          requests_that_cannot_be_met_are_refused_with_a_reason,
          peers_may_go_away_in_the_middle)
