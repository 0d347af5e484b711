/* Tests of the batcher: what lines become, byte for byte, and what cannot be taken. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/line_batcher.h"

#include <stdio.h>
#include <stdlib.h>

#include "store/store_memory.h"
#include "support/test.h"

enum { TIME_MS = 1795334400 };

static const uint8_t large_producer[STORE_PRODUCER_MAX] = {'p'};

struct fixture {
    struct clock_fake clock;
    struct store *store;
    struct produce_settings settings;
    struct line_batcher batcher;
};

static void open_with(struct fixture *fixture, struct produce_settings settings)
{
    fixture->settings = settings;
    clock_fake_init(&fixture->clock, 0);
    fixture->store = store_memory_new(&fixture->clock.clock);
    expect_fine(line_batcher_init(&fixture->batcher, &fixture->settings, fixture->store, NULL));
}

static void close_all(struct fixture *fixture)
{
    line_batcher_done(&fixture->batcher);
    store_memory_free(fixture->store);
}

static enum line_fate add(struct fixture *fixture, const char *line, enum line_error *error)
{
    return line_batcher_add(&fixture->batcher, span_from_text(line), LINE_ERROR_NONE, error);
}

static void take(struct fixture *fixture, const char *line)
{
    enum line_error error;
    expect(add(fixture, line, &error) == LINE_TAKEN);
}

static struct line_append *finish(struct fixture *fixture)
{
    struct line_append *append;
    expect_fine(line_batcher_finish(&fixture->batcher, TIME_MS, &append));
    return append;
}

static size_t name_of(struct fixture *fixture, uint32_t topic, char name[static 256])
{
    uint32_t position = 0;
    struct store_topic found;
    while (fixture->store->ops->topic_next(fixture->store, &position, &found))
        if (found.id == topic)
            return (size_t)snprintf(name, 256, "%s", found.name);
    test_fail("no topic %u", topic);
}

/* All records as text: topic key value name=value ...; one a line, in the order of the append. */
static void expect_records(struct fixture *fixture, const struct store_append *append, const char *expected)
{
    char text[4096];
    size_t len = 0;
    for (uint32_t i = 0; i < append->part_count; i++) {
        const struct store_part *part = &append->parts[i];
        struct record_batch batch;
        struct record_cursor cursor;
        struct record record;
        size_t at;
        char name[256];
        (void)name_of(fixture, part->topic, name);
        expect(record_batch_decode(span_of(append->bytes + part->position, part->len), &batch, &at) ==
               DECODE_DONE);
        expect_equal_u64(batch.bytes.len, part->len);
        expect_equal_u64(batch.record_count, part->records);
        expect_fine(record_cursor_init(&cursor, &batch));
        while (record_cursor_next(&cursor, &record) == DECODE_DONE) {
            len += (size_t)snprintf(text + len, sizeof text - len, "%s %.*s %.*s", name,
                                    record.key_is_null ? 1 : (int)record.key.len,
                                    record.key_is_null ? "-" : (const char *)record.key.data,
                                    (int)record.value.len, (const char *)record.value.data);
            for (uint32_t h = 0; h < record.header_count; h++)
                len += (size_t)snprintf(
                    text + len, sizeof text - len, " %.*s=%.*s", (int)record.headers[h].name.len,
                    (const char *)record.headers[h].name.data, (int)record.headers[h].value.len,
                    (const char *)record.headers[h].value.data);
            len += (size_t)snprintf(text + len, sizeof text - len, "\n");
        }
    }
    expect_span_is(span_of(text, len), expected);
}

static void expect_append(struct fixture *fixture, const char *expected)
{
    struct line_append *append = finish(fixture);
    expect_records(fixture, &append->append, expected);
    line_append_free(append);
}

TEST(a_line_becomes_a_record_with_its_fields_as_headers)
{
    struct fixture fixture;
    open_with(&fixture, PRODUCE_SETTINGS_DEFAULT);
    take(&fixture, "orders|1795334400123|0017|a|b");
    take(&fixture, "orders||18|");
    expect_append(&fixture, "orders orders a|b timestamp=1795334400123 seq=17\norders orders  seq=18\n");
    close_all(&fixture);
}

TEST(what_cannot_be_split_is_parked_whole_and_what_has_no_topic_is_parked_as_it_is)
{
    struct fixture fixture;
    open_with(&fixture, PRODUCE_SETTINGS_DEFAULT);
    take(&fixture, "no fields");
    take(&fixture, "k|1|zero|b");
    take(&fixture, "../etc|1|2|b");
    take(&fixture, "|1|3|b");
    take(&fixture, "waybill.audit|1|4|b");
    take(&fixture, "a.dlq|1|5|b");
    expect_append(&fixture, "unrouted.dlq - no fields reason=missing_field\n"
                            "unrouted.dlq - k|1|zero|b reason=bad_seq\n"
                            "unrouted.dlq ../etc b timestamp=1 seq=2 reason=bad_name\n"
                            "unrouted.dlq - b timestamp=1 seq=3 reason=bad_name\n"
                            "unrouted.dlq waybill.audit b timestamp=1 seq=4 reason=reserved_name\n"
                            "unrouted.dlq a.dlq b timestamp=1 seq=5 reason=reserved_name\n");
    close_all(&fixture);
}

TEST(without_otherwise_every_fault_is_refused_by_its_code)
{
    struct fixture fixture;
    struct produce_settings settings = PRODUCE_SETTINGS_DEFAULT;
    enum line_error error;
    settings.otherwise = span_of(NULL, 0);
    settings.auto_create = false;
    open_with(&fixture, settings);
    expect(add(&fixture, "no fields", &error) == LINE_REFUSED && error == LINE_ERROR_MISSING_FIELD);
    expect(add(&fixture, "k|1|0|b", &error) == LINE_REFUSED && error == LINE_ERROR_BAD_SEQ);
    expect(add(&fixture, "..|1|1|b", &error) == LINE_REFUSED && error == LINE_ERROR_BAD_NAME);
    expect(add(&fixture, "waybill.x|1|1|b", &error) == LINE_REFUSED && error == LINE_ERROR_RESERVED_NAME);
    expect(add(&fixture, "k|1|1|b", &error) == LINE_REFUSED && error == LINE_ERROR_UNKNOWN_TOPIC);
    expect(add(&fixture, "", &error) == LINE_REFUSED && error == LINE_ERROR_EMPTY);
    expect(line_batcher_is_empty(&fixture.batcher));
    close_all(&fixture);
}

TEST(the_first_matching_route_wins_and_the_template_takes_the_rest)
{
    static const struct produce_route routes[] = {
        {{(const uint8_t *)"eu.*", 4}, {(const uint8_t *)"eu", 2}},
        {{(const uint8_t *)"*.a?", 4}, {(const uint8_t *)"a-{seq}", 7}},
        {{(const uint8_t *)"re:^\\d+$", 8}, {(const uint8_t *)"numbers", 7}},
    };
    struct fixture fixture;
    struct produce_settings settings = PRODUCE_SETTINGS_DEFAULT;
    settings.routes = routes;
    settings.route_count = 3;
    settings.topic = span_from_text("other");
    open_with(&fixture, settings);
    take(&fixture, "eu.ab|1|1|b");
    take(&fixture, "us.ab|1|2|b");
    take(&fixture, "x|1|3|b");
    take(&fixture, "42|1|4|b");
    expect_append(&fixture, "eu eu.ab b timestamp=1 seq=1\n"
                            "a-2 us.ab b timestamp=1 seq=2\n"
                            "other x b timestamp=1 seq=3\n"
                            "numbers 42 b timestamp=1 seq=4\n");
    line_batcher_done(&fixture.batcher);
    fixture.settings.topic = span_of(NULL, 0);
    expect_fine(line_batcher_init(&fixture.batcher, &fixture.settings, fixture.store, NULL));
    take(&fixture, "x|1|3|b");
    expect_append(&fixture, "unrouted.dlq x b timestamp=1 seq=3 reason=no_route\n");
    close_all(&fixture);
}

TEST(consecutive_numbers_are_one_run_across_topics)
{
    struct fixture fixture;
    open_with(&fixture, PRODUCE_SETTINGS_DEFAULT);
    take(&fixture, "a|1|1|b");
    take(&fixture, "b|1|2|b");
    take(&fixture, "a|1|3|b");
    take(&fixture, "a|1|7|b");
    struct line_append *append = finish(&fixture);
    expect_equal_u64(append->append.run_count, 2);
    expect_equal_u64(append->append.runs[0].from, 1);
    expect_equal_u64(append->append.runs[0].count, 3);
    expect_equal_u64(append->append.runs[1].from, 7);
    expect_equal_u64(append->append.producer_last, 7);
    expect_equal_u64(append->last_seq, 7);
    expect_equal_u64(append->lines, 4);
    line_append_free(append);
    close_all(&fixture);
}

/* The number of each record, by the places that the append tells, 0 for none: parts one after the other. */
static void expect_numbers(const struct store_append *append, const char *expected)
{
    uint64_t numbers[16][16] = {{0}};
    uint32_t taken[16] = {0};
    uint32_t at = 0;
    char text[1024];
    size_t len = 0;
    check(append->part_count <= 16);
    for (uint32_t i = 0; i < append->run_count; i++)
        for (uint64_t n = 0; n < append->runs[i].count; n++, at++) {
            uint32_t part = append->places == NULL ? 0 : append->places[at];
            expect(part < append->part_count && taken[part] < append->parts[part].records);
            numbers[part][taken[part]++] = append->runs[i].from == 0 ? 0 : append->runs[i].from + n;
        }
    expect(append->places == NULL ? append->place_count == 0 : append->place_count == at);
    for (uint32_t i = 0; i < append->part_count; i++) {
        for (uint32_t n = 0; n < append->parts[i].records; n++)
            len += (size_t)snprintf(text + len, sizeof text - len, "%u ", (unsigned)numbers[i][n]);
        len += (size_t)snprintf(text + len, sizeof text - len, "\n");
    }
    expect_span_is(span_of(text, len), expected);
}

TEST(every_number_is_told_with_its_part_also_beside_lines_that_have_none)
{
    struct fixture fixture;
    open_with(&fixture, PRODUCE_SETTINGS_DEFAULT);
    take(&fixture, "a|1|5|x");
    take(&fixture, "b|1|6|x");
    take(&fixture, "a|1|9|x");
    take(&fixture, "nothing");
    take(&fixture, "nothing either");
    take(&fixture, "b|1|7|x");
    take(&fixture, "../etc|1|8|x");
    take(&fixture, "nor this");
    struct line_append *append = finish(&fixture);
    expect_numbers(&append->append, "5 9 \n6 7 \n0 0 8 0 \n");
    line_append_free(append);
    take(&fixture, "a|1|5|x"); /* of one part that all have a number goes without saying */
    take(&fixture, "a|1|7|x");
    append = finish(&fixture);
    expect_null(append->append.places);
    expect_numbers(&append->append, "5 7 \n");
    line_append_free(append);
    take(&fixture, "nothing");
    append = finish(&fixture);
    expect_null(append->append.places);
    expect_equal_u64(append->append.run_count, 0);
    line_append_free(append);
    close_all(&fixture);
}

TEST(numbers_are_assigned_in_the_order_of_lines_and_never_twice)
{
    struct fixture fixture;
    struct produce_settings settings = PRODUCE_SETTINGS_DEFAULT;
    settings.fields = span_from_text("key|body");
    open_with(&fixture, settings);
    take(&fixture, "a|x");
    take(&fixture, "b|y");
    expect_append(&fixture, "a a x seq=1\nb b y seq=2\n");
    take(&fixture, "bad");
    expect_append(&fixture, "unrouted.dlq - bad seq=3 reason=missing_field\n");
    close_all(&fixture);
}

TEST(duplicates_are_left_out_and_a_batch_of_them_is_a_barrier)
{
    struct fixture fixture;
    struct produce_settings settings = PRODUCE_SETTINGS_DEFAULT;
    settings.drop_duplicates = true;
    open_with(&fixture, settings);
    take(&fixture, "a|1|1|first");
    take(&fixture, "a|1|1|again");
    take(&fixture, "b|1|1|another key");
    struct line_append *append = finish(&fixture);
    expect_records(&fixture, &append->append,
                   "a a first timestamp=1 seq=1\nb b another key timestamp=1 seq=1\n");
    expect_equal_u64(append->append.identity_count, 2);
    expect_equal_u64(append->awaited_count, 0);
    expect_equal_u64(append->lines, 3);
    line_append_free(append);
    take(&fixture, "a|2|1|third time");
    append = finish(&fixture);
    expect_equal_u64(append->append.part_count, 0);
    expect_equal_u64(append->append.len, 0);
    expect_equal_u64(append->awaited_count, 1);
    expect_equal_u64(append->lines, 1);
    line_append_free(append);
    close_all(&fixture);
}

TEST(parts_are_aligned_padded_with_zeros_and_in_order_of_topic_and_partition)
{
    struct fixture fixture;
    open_with(&fixture, PRODUCE_SETTINGS_DEFAULT);
    struct store_topic topic;
    expect_fine(fixture.store->ops->topic_open(fixture.store, span_from_text("many"), 8, true, &topic));
    fixture.batcher.settings = &fixture.settings;
    line_batcher_done(&fixture.batcher);
    fixture.settings.topic = span_from_text("many");
    expect_fine(line_batcher_init(&fixture.batcher, &fixture.settings, fixture.store, NULL));
    static char lines[200][32];
    for (int i = 0; i < 200; i++) {
        (void)snprintf(lines[i], sizeof lines[i], "key-%d|1|%d|%.*s", i, i + 1, i % 9, "xxxxxxxxx");
        take(&fixture, lines[i]);
    }
    struct line_append *append = finish(&fixture);
    expect_equal_u64(append->append.part_count, 8);
    size_t at = 0;
    uint32_t records = 0;
    for (uint32_t i = 0; i < 8; i++) {
        const struct store_part *part = &append->append.parts[i];
        expect_equal_u64(part->partition, i);
        expect_equal_u64(part->position, at + STORE_PART_HEADROOM);
        at = part->position + part->len;
        for (; at % STORE_PART_ALIGNMENT != 0; at++)
            expect_equal_u64(append->append.bytes[at], 0);
        records += part->records;
    }
    expect_equal_u64(append->append.len, at);
    expect_equal_u64(records, 200);
    line_append_free(append);
    close_all(&fixture);
}

TEST(an_append_never_exceeds_the_limit)
{
    struct fixture fixture;
    enum line_error error;
    open_with(&fixture, PRODUCE_SETTINGS_DEFAULT);
    fixture.store->append_size_max = 4096;
    enum line_fate fate;
    unsigned taken = 0;
    while ((fate = add(&fixture, "k|1|1|body", &error)) == LINE_TAKEN)
        taken++;
    expect(fate == LINE_FULL && taken > 10);
    struct line_append *append = finish(&fixture);
    expect(append->append.len <= 4096);
    line_append_free(append);
    static char large[5000] = "k|1|1|";
    memset(large + 6, 'x', sizeof large - 7);
    expect(add(&fixture, large, &error) == LINE_REFUSED && error == LINE_ERROR_TOO_LONG);
    take(&fixture, "k|1|1|body");
    line_append_free(finish(&fixture));
    close_all(&fixture);
}

/* How many lines with every other number fit into one append. */
static uint32_t count_until_full(struct fixture *fixture)
{
    char line[32];
    enum line_error error;
    for (uint32_t i = 0;; i++) {
        (void)snprintf(line, sizeof line, "a|1|%u|b", 2 * i + 1);
        if (add(fixture, line, &error) == LINE_FULL)
            return i;
    }
}

TEST(an_append_has_no_more_runs_and_identities_than_a_store_takes)
{
    struct fixture fixture;
    open_with(&fixture, PRODUCE_SETTINGS_DEFAULT);
    expect_equal_u64(count_until_full(&fixture), STORE_RUNS_MAX);
    struct line_append *append = finish(&fixture);
    expect_equal_u64(append->append.run_count, STORE_RUNS_MAX);
    line_append_free(append);
    expect_equal_u64(count_until_full(&fixture), STORE_RUNS_MAX);
    line_batcher_forget(&fixture.batcher);
    close_all(&fixture);

    struct produce_settings settings = PRODUCE_SETTINGS_DEFAULT;
    settings.drop_duplicates = true;
    open_with(&fixture, settings);
    expect_equal_u64(count_until_full(&fixture), STORE_IDENTITIES_MAX);
    line_batcher_forget(&fixture.batcher);
    close_all(&fixture);
}

TEST(the_numbers_of_an_append_count_against_its_limit)
{
    for (int drops = 0; drops < 2; drops++) {
        struct fixture fixture;
        struct produce_settings settings = PRODUCE_SETTINGS_DEFAULT;
        settings.drop_duplicates = drops == 1;
        open_with(&fixture, settings);
        fixture.store->append_size_max = 16 * 1024;
        expect(count_until_full(&fixture) > 50);
        struct line_append *append = finish(&fixture);
        append->append.producer = span_of(large_producer, STORE_PRODUCER_MAX);
        expect(append->append.run_count > 50);
        expect(store_append_size(&append->append) <= 16 * 1024);
        line_append_free(append);
        close_all(&fixture);
    }
}

TEST(a_line_of_the_longest_length_that_is_promised_is_always_taken)
{
    static char line[5000] = "k|1|1|";
    for (int drops = 0; drops < 2; drops++) {
        struct fixture fixture;
        struct produce_settings settings = PRODUCE_SETTINGS_DEFAULT;
        settings.drop_duplicates = drops == 1;
        open_with(&fixture, settings);
        expect_equal_u64(line_batcher_line_max(&fixture.batcher), settings.max_line);
        fixture.store->append_size_max = 4096;
        uint32_t max = line_batcher_line_max(&fixture.batcher);
        expect(max > 3000 && max < 4096);
        memset(line + 6, 'x', max - 6);
        line[max] = '\0';
        take(&fixture, line);
        struct line_append *append = finish(&fixture);
        append->append.producer = span_of(large_producer, STORE_PRODUCER_MAX);
        expect(store_append_size(&append->append) <= 4096);
        line_append_free(append);
        close_all(&fixture);
    }
}

TEST(the_longest_key_for_every_record_has_room_in_the_append)
{
    static char key[1025];
    struct fixture fixture;
    struct produce_settings settings = PRODUCE_SETTINGS_DEFAULT;
    memset(key, 'k', sizeof key - 1);
    settings.fields = span_from_text("body");
    settings.topic = span_from_text("orders");
    settings.key = span_from_text(key);
    open_with(&fixture, settings);
    take(&fixture, "a");
    struct line_append *append = finish(&fixture);
    expect(append->append.len > 1024);
    line_append_free(append);
    close_all(&fixture);
}

TEST(bad_settings_are_refused_with_their_reason)
{
    static const struct produce_route regular = {{(const uint8_t *)"re:(a", 5}, {(const uint8_t *)"a", 1}};
    struct produce_settings settings[6];
    static const enum err errs[6] = {ERR_BAD_INPUT, ERR_BAD_INPUT, ERR_BAD_NAME,
                                     ERR_BAD_NAME,  ERR_BAD_INPUT, ERR_BAD_INPUT};
    static const struct line_routes_fault faults[6] = {{"fields", 0},    {"topic", 0},      {"topic", 0},
                                                       {"otherwise", 0}, {"duplicates", 0}, {"key", 1}};
    for (int i = 0; i < 6; i++)
        settings[i] = PRODUCE_SETTINGS_DEFAULT;
    settings[0].fields = span_from_text("key|seq");
    settings[1].topic = span_from_text("{tenant}");
    settings[2].topic = span_from_text("waybill.audit");
    settings[3].otherwise = span_from_text("a b");
    settings[4].fields = span_from_text("key|body");
    settings[4].drop_duplicates = true;
    settings[5].routes = &regular;
    settings[5].route_count = 1;
    for (int i = 0; i < 6; i++) {
        struct line_routes routes;
        struct line_routes_fault fault;
        struct why why = {0};
        expect_err(line_routes_init(&routes, &settings[i], &why), errs[i]);
        expect_err(line_routes_examine(&settings[i], &fault, &why), errs[i]);
        expect(why.text[0] != '\0');
        expect_equal_text(fault.setting, faults[i].setting);
        expect_equal_u64(fault.route, faults[i].route);
    }
}

/* The values are stored: these are the published ones of SipHash-2-4 with 128 bits (key 00..0f, input empty and 00). */
TEST(identities_are_siphash_and_tell_key_and_number_apart)
{
    static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    static const uint8_t empty[16] = {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6,
                                      0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93};
    static const uint8_t one[16] = {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44,
                                    0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45};
    uint8_t a[16];
    uint8_t b[16];
    line_identity_hash(span_of(NULL, 0), key, a);
    expect_equal_span(span_of(a, 16), span_of(empty, 16));
    line_identity_hash(span_of("", 1), key, a);
    expect_equal_span(span_of(a, 16), span_of(one, 16));
    struct line_identity identity;
    line_identity_init(&identity, span_from_text("default"));
    line_identity_of(&identity, span_from_text("k"), 1, a);
    line_identity_of(&identity, span_from_text("k"), 2, b);
    expect(memcmp(a, b, 16) != 0);
    line_identity_of(&identity, span_from_text("l"), 1, b);
    expect(memcmp(a, b, 16) != 0);
}

TEST_MAIN(a_line_becomes_a_record_with_its_fields_as_headers,
          what_cannot_be_split_is_parked_whole_and_what_has_no_topic_is_parked_as_it_is,
          without_otherwise_every_fault_is_refused_by_its_code,
          the_first_matching_route_wins_and_the_template_takes_the_rest,
          consecutive_numbers_are_one_run_across_topics,
          every_number_is_told_with_its_part_also_beside_lines_that_have_none,
          numbers_are_assigned_in_the_order_of_lines_and_never_twice,
          duplicates_are_left_out_and_a_batch_of_them_is_a_barrier,
          parts_are_aligned_padded_with_zeros_and_in_order_of_topic_and_partition,
          an_append_never_exceeds_the_limit,
          an_append_has_no_more_runs_and_identities_than_a_store_takes,
          the_numbers_of_an_append_count_against_its_limit,
          a_line_of_the_longest_length_that_is_promised_is_always_taken,
          the_longest_key_for_every_record_has_room_in_the_append,
          bad_settings_are_refused_with_their_reason,
          identities_are_siphash_and_tell_key_and_number_apart)
