/* Tests listing and dropping of dead letters, and the JSON that they become. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "deadletter/letter_list.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json_reader.h"
#include "deadletter/letter_drop.h"
#include "support/letter_store.h"
#include "support/test.h"

struct fixture {
    struct letter_store letters;
    struct store_topic dead_letters;
    struct letter_list *list;
    char ids[2048];  /* "<id>=<state> " of each letter */
    char json[8192]; /* the latest one */
    char next[256];
    bool stalls;
    unsigned ends;
    enum err err;
    uint64_t dropped;
};

static void begin(struct fixture *fixture)
{
    *fixture = (struct fixture){.list = NULL};
    letter_store_begin(&fixture->letters);
    fixture->dead_letters = letter_store_topic(&fixture->letters, "orders.dlq", 2);
}

static void end(struct fixture *fixture)
{
    fixture->list = letter_list_close(fixture->list);
    letter_store_end(&fixture->letters);
}

static void
add(struct fixture *fixture, uint32_t partition, const char *group, const char *reason, uint64_t origin)
{
    struct letter_plan plan = {"orders", group, reason, origin};
    letter_store_add(&fixture->letters, &fixture->dead_letters, partition, &plan);
}

static void take_member(struct span json, const char *name, char *to, size_t size)
{
    struct json_reader reader;
    json_reader_init(&reader, json);
    (void)json_reader_next(&reader);
    while (json_reader_next(&reader) == JSON_NAME) {
        bool is_it = json_text_equal(json_reader_piece(&reader), name);
        expect(json_reader_skip(&reader));
        struct span piece = json_reader_piece(&reader);
        if (is_it)
            snprintf(to, size, "%.*s", (int)piece.len, (const char *)piece.data);
    }
}

static bool on_letter(void *owner, struct span json)
{
    struct fixture *fixture = owner;
    char id[64] = "";
    char state[32] = "";
    snprintf(fixture->json, sizeof fixture->json, "%.*s", (int)json.len, (const char *)json.data);
    take_member(json, "id", id, sizeof id);
    take_member(json, "state", state, sizeof state);
    size_t len = strlen(fixture->ids);
    snprintf(fixture->ids + len, sizeof fixture->ids - len, "%s=%s ", id, state);
    return !fixture->stalls;
}

static void on_end(void *owner, enum err err, struct span next)
{
    struct fixture *fixture = owner;
    fixture->ends++;
    fixture->err = err;
    snprintf(fixture->next, sizeof fixture->next, "%.*s", (int)next.len, (const char *)next.data);
    fixture->list = letter_list_close(fixture->list);
}

static void list(struct fixture *fixture, struct letter_list_order order)
{
    struct letter_list_events events = {on_letter, on_end, fixture};
    struct why why = {""};
    fixture->ids[0] = '\0';
    order.topic = span_from_text("orders.dlq");
    expect_fine(letter_list_new(fixture->letters.store, &fixture->letters.mailbox, &order, &events, &why,
                                &fixture->list));
    letter_store_settle(&fixture->letters);
}

static void on_dropped(void *owner, enum err err, uint64_t dropped)
{
    struct fixture *fixture = owner;
    fixture->ends++;
    fixture->err = err;
    fixture->dropped = dropped;
}

static void drop(struct fixture *fixture, struct audit *audit, struct letter_drop_order order)
{
    struct letter_drop_events events = {on_dropped, fixture};
    struct letter_drop *made;
    struct why why = {""};
    order.topic = span_from_text("orders.dlq");
    order.by = span_from_text("operator");
    struct letter_seams seams = {fixture->letters.store, &fixture->letters.mailbox,
                                 &fixture->letters.clock.clock, audit};
    expect_fine(letter_drop_new(&seams, &order, &events, &why, &made));
    letter_store_settle(&fixture->letters);
    letter_drop_close(made);
    letter_store_settle(&fixture->letters);
}

TEST(letter_is_told_with_all_that_its_block_says)
{
    struct fixture fixture;
    begin(&fixture);
    add(&fixture, 1, "billing", "no \"customer\"", 17);
    list(&fixture, (struct letter_list_order){.limit = 1, .is_whole = true});
    expect_equal_text(
        fixture.json,
        "{\"id\":\"orders.dlq/1/0\",\"origin\":\"orders/1/17\",\"group\":\"billing\",\"state\":\"open\","
        "\"reason\":\"no \\\"customer\\\"\",\"attempts\":1,\"first\":1650000000000,\"last\":1650000000000,"
        "\"key\":\"k17\",\"seq\":18,\"bytes\":3,\"timestamp\":1600000000000,"
        "\"headers\":[{\"name\":\"seq\",\"value\":\"18\"}],\"value\":\"v17\"}");
    end(&fixture);
}

TEST(limit_ends_a_list_and_next_goes_on_with_it)
{
    struct fixture fixture;
    begin(&fixture);
    for (uint64_t i = 0; i < 3; i++) {
        add(&fixture, 0, "g", "r", i);
        add(&fixture, 1, "g", "r", i);
    }
    list(&fixture, (struct letter_list_order){.limit = 2});
    expect_equal_text(fixture.ids, "orders.dlq/0/0=open orders.dlq/0/1=open ");
    expect_equal_text(fixture.next, "0:2,1:0");
    char from[sizeof fixture.next];
    snprintf(from, sizeof from, "%s", fixture.next);
    list(&fixture, (struct letter_list_order){.limit = 2, .from = span_from_text(from)});
    expect_equal_text(fixture.ids, "orders.dlq/0/2=open orders.dlq/1/0=open ");
    snprintf(from, sizeof from, "%s", fixture.next);
    list(&fixture, (struct letter_list_order){.from = span_from_text(from)});
    expect_equal_text(fixture.ids, "orders.dlq/1/1=open orders.dlq/1/2=open ");
    expect_equal_text(fixture.next, "");
    end(&fixture);
}

TEST(filters_and_ranges_leave_letters_out)
{
    struct fixture fixture;
    begin(&fixture);
    add(&fixture, 0, "g", "timeout", 1);
    add(&fixture, 0, "g", "bad input", 2);
    add(&fixture, 0, NULL, "no_route", 33);
    list(&fixture, (struct letter_list_order){.reason = span_from_text("re:^bad")});
    expect_equal_text(fixture.ids, "orders.dlq/0/1=open ");
    list(&fixture, (struct letter_list_order){.key = span_from_text("k??")});
    expect_equal_text(fixture.ids, "orders.dlq/0/2=open ");
    list(&fixture, (struct letter_list_order){.from = span_from_text("1"), .to = span_from_text("0:2")});
    expect_equal_text(fixture.ids, "orders.dlq/0/1=open ");
    struct letter_list_events events = {on_letter, on_end, &fixture};
    struct why why = {""};
    struct letter_list *refused;
    static const char *const bad[] = {"x", "0:", ":1", "2:0", "0:1,", "-1", "0:1,1"};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct letter_list_order order = {.topic = span_from_text("orders.dlq"),
                                          .from = span_from_text(bad[i])};
        if (strcmp(bad[i], "0:1,") == 0)
            continue; /* an end is no item */
        expect_err(
            letter_list_new(fixture.letters.store, &fixture.letters.mailbox, &order, &events, &why, &refused),
            ERR_BAD_INPUT);
        expect(why.text[0] != '\0');
    }
    end(&fixture);
}

TEST(reader_that_stalls_gets_the_rest_later)
{
    struct fixture fixture;
    begin(&fixture);
    for (uint64_t i = 0; i < 3; i++)
        add(&fixture, 0, "g", "r", i);
    fixture.stalls = true;
    list(&fixture, (struct letter_list_order){.limit = 0});
    expect_equal_text(fixture.ids, "orders.dlq/0/0=open ");
    expect_equal_u64(fixture.ends, 0);
    fixture.stalls = false;
    letter_list_resume(fixture.list);
    letter_store_settle(&fixture.letters);
    expect_equal_text(fixture.ids, "orders.dlq/0/0=open orders.dlq/0/1=open orders.dlq/0/2=open ");
    expect_equal_u64(fixture.ends, 1);
    end(&fixture);
}

TEST(dropped_letters_are_settled_for_their_groups_and_audited)
{
    struct fixture fixture;
    struct audit *audit;
    struct audit_settings settings = {.topic = span_from_text("waybill.audit")};
    begin(&fixture);
    expect_fine(audit_new(fixture.letters.store, &fixture.letters.mailbox, &fixture.letters.clock.clock,
                          &settings, &audit));
    add(&fixture, 0, "a", "old", 1);
    add(&fixture, 0, "a", "old", 2);
    add(&fixture, 0, "b", "old", 3);
    add(&fixture, 0, "b", "new", 4);
    add(&fixture, 1, NULL, "old", 5);
    drop(&fixture, audit, (struct letter_drop_order){.reason = span_from_text("old")});
    expect_fine(fixture.err);
    expect_equal_u64(fixture.dropped, 4);
    list(&fixture, (struct letter_list_order){.limit = 0});
    expect_equal_text(fixture.ids, "orders.dlq/0/0=dropped orders.dlq/0/1=dropped orders.dlq/0/2=dropped "
                                   "orders.dlq/0/3=open orders.dlq/1/0=dropped ");
    expect_equal_u64(letter_store_outcome(&fixture.letters, "a", &fixture.dead_letters, 0, 1),
                     STORE_OUTCOME_SKIPPED);
    expect_equal_u64(letter_store_outcome(&fixture.letters, "b", &fixture.dead_letters, 0, 1),
                     STORE_OUTCOME_OPEN);
    const char *told = letter_store_values(&fixture.letters, "waybill.audit", 0);
    expect(strstr(told, "\"offset\":0,\"auditStatus\":\"SUCCESS\"") != NULL);
    expect(strstr(told, "\"event\":\"deadletters_drop\",\"to\":2,\"count\":2,\"group\":\"a\",\"identity\":"
                        "\"operator\"}") != NULL);
    drop(&fixture, audit, (struct letter_drop_order){.reason = span_from_text("old")});
    expect_equal_u64(fixture.dropped, 0);
    letter_store_settle(&fixture.letters);
    audit_free(audit);
    end(&fixture);
}

TEST(drop_into_a_broken_log_says_so)
{
    struct fixture fixture;
    begin(&fixture);
    add(&fixture, 0, "a", "old", 1);
    store_memory_set_state(fixture.letters.store, STORE_BROKEN);
    drop(&fixture, NULL, (struct letter_drop_order){.from = span_from_text("0")});
    expect_equal_u64(fixture.ends, 1);
    expect_err(fixture.err, ERR_BROKEN);
    expect_equal_u64(fixture.dropped, 0);
    end(&fixture);
}

TEST(bytes_that_are_no_text_are_told_in_base64_and_long_values_cut)
{
    struct record record = {.key = span_of("\xff\x00", 2), .value_is_null = true, .offset = 3};
    struct letter_view view;
    struct buffer json;
    letter_look(&record, &view);
    buffer_init(&json, LETTER_JSON_SIZE_MAX);
    expect_fine(letter_json_write(&json, "t.dlq", 0, &view, "open", true));
    expect_span_is(buffer_span(&json),
                   "{\"id\":\"t.dlq/0/"
                   "3\",\"state\":\"open\",\"attempts\":0,\"first\":0,\"last\":0,\"key_base64\":\"/wA=\","
                   "\"bytes\":0,\"timestamp\":0,\"headers\":[]}");
    uint8_t *bytes = malloc(1 << 20);
    expect_not_null(bytes);
    memset(bytes, 1, 1 << 20);
    for (unsigned i = 0; i < 2; i++) { /* escapes are longest for controls, base64 for others */
        record.value_is_null = false;
        record.key = record.value = span_of(bytes, 1 << 14);
        record.value.len = 1 << 20;
        bytes[5] = i == 0 ? 1 : 0xff;
        buffer_clear(&json);
        expect_fine(letter_json_write(&json, "t.dlq", 0, &view, "open", true));
    }
    free(bytes);
    buffer_done(&json);
}

TEST_MAIN(letter_is_told_with_all_that_its_block_says,
          limit_ends_a_list_and_next_goes_on_with_it,
          filters_and_ranges_leave_letters_out,
          reader_that_stalls_gets_the_rest_later,
          dropped_letters_are_settled_for_their_groups_and_audited,
          drop_into_a_broken_log_says_so,
          bytes_that_are_no_text_are_told_in_base64_and_long_values_cut)
