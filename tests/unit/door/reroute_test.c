/* Tests how parked lines are sent through the routing again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/reroute.h"

#include "support/letter_store.h"
#include "support/test.h"

struct fixture {
    struct letter_store letters;
    struct store_topic parked;
    struct produce_route route;
    struct produce_settings settings;
    const struct produce_settings *doors[1];
    struct reroute *reroute;
    struct reroute_counts counts;
    unsigned ends;
    enum err err;
};

static void begin(struct fixture *fixture)
{
    *fixture = (struct fixture){.ends = 0};
    letter_store_begin(&fixture->letters);
    fixture->parked = letter_store_topic(&fixture->letters, "unrouted.dlq", 2);
    fixture->route = (struct produce_route){span_from_text("k1*"), span_from_text("ones")};
    fixture->settings = PRODUCE_SETTINGS_DEFAULT;
    fixture->settings.fields = span_from_text("key|seq|body");
    fixture->settings.topic = span_of(NULL, 0);
    fixture->settings.routes = &fixture->route;
    fixture->settings.route_count = 1;
    fixture->doors[0] = &fixture->settings;
}

static void end(struct fixture *fixture)
{
    fixture->reroute = reroute_close(fixture->reroute);
    letter_store_end(&fixture->letters);
}

static void park(struct fixture *fixture, uint32_t partition, const char *reason, uint64_t number)
{
    struct letter_plan plan = {.reason = reason, .origin = number};
    letter_store_add(&fixture->letters, &fixture->parked, partition, &plan);
}

static void on_progress(void *owner, const struct reroute_counts *counts)
{
    ((struct fixture *)owner)->counts = *counts;
}

static void on_end(void *owner, enum err err, const struct reroute_counts *counts)
{
    struct fixture *fixture = owner;
    fixture->ends++;
    fixture->err = err;
    fixture->counts = *counts;
    fixture->reroute = reroute_close(fixture->reroute);
}

static enum err start(struct fixture *fixture, bool is_dry, struct why *why)
{
    struct reroute_doors doors = {fixture->doors, 1};
    struct reroute_order order = {.topic = span_from_text("unrouted.dlq"), .is_dry = is_dry};
    struct reroute_events events = {on_progress, on_end, fixture};
    struct letter_seams seams = {fixture->letters.store, &fixture->letters.mailbox,
                                 &fixture->letters.clock.clock, NULL};
    return reroute_new(&seams, &doors, &order, &events, why, &fixture->reroute);
}

static void run(struct fixture *fixture, bool is_dry)
{
    struct why why = {""};
    expect_fine(start(fixture, is_dry, &why));
    letter_store_settle(&fixture->letters);
}

TEST(lines_that_have_a_place_now_go_there_once_with_their_numbers)
{
    struct fixture fixture;
    begin(&fixture);
    park(&fixture, 0, "no_route", 1);
    park(&fixture, 0, "no_route", 2);
    park(&fixture, 1, "no_route", 17);
    run(&fixture, false);
    expect_fine(fixture.err);
    expect(fixture.counts.rerouted == 2 && fixture.counts.left == 1 && fixture.counts.total == 3);
    expect_equal_text(letter_store_values(&fixture.letters, "ones", 0), "v1\nv17\n");
    expect_equal_u64(letter_store_outcome(&fixture.letters, "waybill.reroute", &fixture.parked, 0, 0),
                     STORE_OUTCOME_SKIPPED);
    expect_equal_u64(letter_store_outcome(&fixture.letters, "waybill.reroute", &fixture.parked, 0, 1),
                     STORE_OUTCOME_OPEN);
    uint32_t sequence;
    uint32_t count;
    bool is_unplaced;
    struct store_place places[4];
    struct store *store = fixture.letters.store;
    expect_fine(store->ops->sequence_open(store, span_from_text("default"), &sequence));
    expect_fine(
        store->outcomes->places(store, (struct store_number){sequence, 18}, places, 4, &count, &is_unplaced));
    expect(count == 1 && places[0].position.offset == 1);
    run(&fixture, false);
    expect(fixture.counts.rerouted == 0 && fixture.counts.left == 1);
    end(&fixture);
}

TEST(dry_run_makes_no_topic_and_settles_nothing)
{
    struct fixture fixture;
    begin(&fixture);
    park(&fixture, 0, "no_route", 1);
    run(&fixture, true);
    expect(fixture.counts.rerouted == 1 && fixture.counts.left == 0);
    expect_equal_u64(letter_store_end_of(&fixture.letters, "ones", 0), 0);
    expect_equal_u64(letter_store_outcome(&fixture.letters, "waybill.reroute", &fixture.parked, 0, 0),
                     STORE_OUTCOME_OPEN);
    end(&fixture);
}

TEST(lost_append_leaves_lines_where_they_are)
{
    struct fixture fixture;
    begin(&fixture);
    park(&fixture, 0, "no_route", 1);
    store_memory_set_state(fixture.letters.store, STORE_BROKEN);
    run(&fixture, false);
    expect_err(fixture.err, ERR_BROKEN);
    expect_equal_u64(fixture.counts.rerouted, 0);
    expect_equal_u64(letter_store_outcome(&fixture.letters, "waybill.reroute", &fixture.parked, 0, 0),
                     STORE_OUTCOME_OPEN);
    end(&fixture);
}

TEST(cut_lines_and_wrong_wholes_stay)
{
    struct fixture fixture;
    begin(&fixture);
    park(&fixture, 0, "too_long", 1);
    park(&fixture, 0, "missing_field", 1); /* its value is the line, and has still too few fields */
    run(&fixture, false);
    expect(fixture.counts.rerouted == 0 && fixture.counts.left == 2);
    end(&fixture);
}

TEST(whole_line_is_split_by_the_present_fields)
{
    struct fixture fixture;
    begin(&fixture);
    fixture.settings.fields = span_from_text("body");
    fixture.settings.routes = NULL;
    fixture.settings.route_count = 0;
    fixture.settings.topic = span_from_text("all");
    park(&fixture, 0, "missing_field", 5);
    run(&fixture, false);
    expect_equal_u64(fixture.counts.rerouted, 1);
    expect_equal_text(letter_store_values(&fixture.letters, "all", 0), "v5\n");
    end(&fixture);
}

TEST(topic_that_no_door_parks_in_is_refused)
{
    struct fixture fixture;
    struct why why = {""};
    begin(&fixture);
    fixture.settings.otherwise = span_from_text("elsewhere");
    expect_err(start(&fixture, false, &why), ERR_NOT_FOUND);
    expect_equal_text(why.text, "no produce door says `otherwise: unrouted.dlq`");
    end(&fixture);
}

TEST(many_lines_are_many_appends_and_may_be_left_in_the_middle)
{
    struct fixture fixture;
    struct why why = {""};
    begin(&fixture);
    for (uint64_t i = 0; i < 100; i++)
        park(&fixture, 0, "no_route", 1000 + i);
    fixture.letters.store->append_size_max = 1500;
    run(&fixture, false);
    expect_fine(fixture.err);
    expect_equal_u64(fixture.counts.rerouted, 100);
    expect_equal_u64(letter_store_end_of(&fixture.letters, "ones", 0), 100);
    for (uint64_t i = 0; i < 100; i++)
        park(&fixture, 1, "no_route", 1100 + i);
    store_memory_hold(fixture.letters.store, true);
    expect_fine(start(&fixture, false, &why));
    letter_store_settle(&fixture.letters);
    fixture.reroute = reroute_close(fixture.reroute);
    store_memory_hold(fixture.letters.store, false);
    store_memory_finish(fixture.letters.store, UINT32_MAX);
    end(&fixture);
}

TEST_MAIN(lines_that_have_a_place_now_go_there_once_with_their_numbers,
          dry_run_makes_no_topic_and_settles_nothing,
          lost_append_leaves_lines_where_they_are,
          cut_lines_and_wrong_wholes_stay,
          whole_line_is_split_by_the_present_fields,
          topic_that_no_door_parks_in_is_refused,
          many_lines_are_many_appends_and_may_be_left_in_the_middle)
