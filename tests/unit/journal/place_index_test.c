/* Places and outcomes in memory and in a file, against plain lists. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/place_index.h"

#include <stdlib.h>
#include <string.h>

#include "journal/index_file.h"
#include "support/fs_memory.h"
#include "support/test.h"

enum { NUMBERS = 20000, BATCHES = 40, APPEND_NUMBERS = 200, NUMBER = 7, PARTITIONS = 13 };

static const uint64_t epoch = 0x0123456789abcdef;

struct known {
    struct place_found place;
    uint32_t count; /* how often it was stored; the place is the latest one's */
};

struct fixture {
    struct fs *fs;
    struct random random;
    struct segment_index *index;
    struct known *known; /* by number */
    uint64_t next[PARTITIONS];
    uint64_t last;
    int64_t wall_ns;
    struct index_file *file;
    struct block_cache *cache;
};

static void begin(struct fixture *fixture, uint64_t seed)
{
    *fixture = (struct fixture){.fs = fs_memory_new(), .wall_ns = 1000};
    random_seed(&fixture->random, seed);
    fixture->known = calloc(NUMBERS + 1, sizeof *fixture->known);
    expect_fine(segment_index_new(1 << 22, &fixture->index));
}

static void end(struct fixture *fixture)
{
    fixture->file = index_file_close(fixture->file);
    if (fixture->cache != NULL)
        block_cache_done(fixture->cache);
    free(fixture->cache);
    free(fixture->known);
    fixture->index = segment_index_free(fixture->index);
    fixture->fs = fs_memory_free(fixture->fs);
}

static void seal(struct fixture *fixture, bool remembers)
{
    struct index_content content = {
        .number = NUMBER, .epoch = epoch, .end = 1 << 20, .index = fixture->index};
    expect_fine(index_file_write(fixture->fs, &content));
    expect_fine(index_file_open(fixture->fs, NUMBER, epoch, &fixture->file));
    expect(!index_file_is_older(fixture->file));
    expect_fine(index_file_verify(fixture->file));
    if (!remembers)
        return;
    fixture->cache = calloc(1, sizeof *fixture->cache);
    index_file_remember(fixture->file, fixture->cache);
}

/* --- Places -------------------------------------------------------------------------------------- */

struct append {
    struct place_append about;
    struct store_run runs[APPEND_NUMBERS];
    uint16_t places[APPEND_NUMBERS];
    struct place_batch batches[BATCHES];
};

static void know(struct fixture *fixture, uint64_t number, const struct place_batch *batch, uint32_t record)
{
    struct known *known = &fixture->known[number];
    known->place =
        (struct place_found){batch->topic, batch->partition, batch->base_offset + record, fixture->wall_ns};
    known->count++;
}

/* Runs of up to `run_max` numbers (now and then from 0), spread over up to `batches` partitions. */
static void make_append(struct fixture *fixture, struct append *append, uint32_t batches, uint32_t run_max)
{
    uint32_t records[BATCHES] = {0};
    uint32_t total = 0;
    *append = (struct append){.about = {.sequence = 3, .runs = append->runs, .batches = append->batches}};
    uint32_t runs = 1 + (uint32_t)random_below(&fixture->random, 5);
    for (uint32_t i = 0; i < runs; i++) {
        uint64_t count = 1 + random_below(&fixture->random, run_max);
        bool has_none = random_below(&fixture->random, 4) == 0;
        uint64_t gap = random_below(&fixture->random, 3);
        uint64_t from = has_none ? 0 : fixture->last + 1 + gap;
        if (fixture->last + gap + count > NUMBERS)
            continue;
        append->runs[append->about.run_count++] = (struct store_run){from, count};
        fixture->last = has_none ? fixture->last : from + count - 1;
        for (uint64_t k = 0; k < count; k++)
            append->places[total++] = (uint16_t)random_below(&fixture->random, batches);
    }
    for (uint32_t i = 0; i < total; i++)
        records[append->places[i]]++;
    for (uint32_t i = 0; i < batches; i++) {
        uint32_t partition = (uint32_t)random_below(&fixture->random, PARTITIONS);
        append->batches[i] =
            (struct place_batch){partition / 3, partition % 3, fixture->next[partition], records[i]};
        fixture->next[partition] += records[i];
    }
    append->about.batch_count = batches;
    append->about.places = batches == 1 ? NULL : append->places;
    append->about.place_count = batches == 1 ? 0 : total;
    append->about.wall_ns = fixture->wall_ns;
}

static void add_append(struct fixture *fixture, const struct append *append)
{
    uint32_t records[BATCHES] = {0};
    uint32_t at = 0;
    expect_fine(segment_index_add_places(fixture->index, &append->about));
    for (uint32_t i = 0; i < append->about.run_count; i++) {
        for (uint64_t k = 0; k < append->runs[i].count; k++, at++) {
            uint32_t batch = append->about.place_count == 0 ? 0 : append->places[at];
            if (append->runs[i].from > 0)
                know(fixture, append->runs[i].from + k, &append->batches[batch], records[batch]);
            records[batch]++;
        }
    }
}

static void expect_found(const struct known *known, const struct place_found *found, uint32_t count)
{
    expect_equal_u64(count, known->count);
    if (count == 0)
        return;
    expect_equal_u64(found[0].topic, known->place.topic);
    expect_equal_u64(found[0].partition, known->place.partition);
    expect_equal_u64(found[0].offset, known->place.offset);
    expect(known->place.wall_ns / 1000000000 == found[0].wall_ns / 1000000000);
}

static void compare(struct fixture *fixture)
{
    const struct place_index *places = segment_index_places(fixture->index);
    struct place_found found[4];
    for (uint64_t number = 1; number <= NUMBERS; number++) {
        uint32_t count = place_index_find(places, 3, number, found, 4);
        expect_found(&fixture->known[number], found, count);
        if (fixture->file == NULL)
            continue;
        expect_fine(index_file_places(fixture->file, 3, number, found, 4, &count));
        expect_found(&fixture->known[number], found, count);
        expect_fine(index_file_places(fixture->file, 4, number, found, 4, &count));
        expect_equal_u64(count, 0);
    }
}

TEST(every_number_is_found_where_its_append_put_it)
{
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct fixture fixture;
        struct append append;
        begin(&fixture, seed);
        uint32_t run_max = seed % 2 == 0 ? 3 : APPEND_NUMBERS / 5;
        for (int i = 0; i < 400; i++) {
            uint32_t batches = random_below(&fixture.random, 3) == 0
                                   ? 1
                                   : 1 + (uint32_t)random_below(&fixture.random, BATCHES);
            make_append(&fixture, &append, batches, run_max);
            add_append(&fixture, &append);
            fixture.wall_ns += (int64_t)random_below(&fixture.random, 400000000);
        }
        compare(&fixture);
        seal(&fixture, seed % 2 == 0);
        compare(&fixture);
        end(&fixture);
    }
}

TEST(numbers_that_follow_each_other_in_one_partition_take_one_run_a_second)
{
    struct fixture fixture;
    begin(&fixture, 3);
    for (uint32_t i = 0; i < 5000; i++) {
        struct store_run run = {fixture.last + 1, 1};
        struct place_batch batch = {1, 2, 700 + i, 1};
        struct place_append about = {
            .sequence = 3, .runs = &run, .run_count = 1, .batches = &batch, .batch_count = 1, .wall_ns = 5};
        expect_fine(segment_index_add_places(fixture.index, &about));
        know(&fixture, ++fixture.last, &batch, 0);
        fixture.known[fixture.last].place.wall_ns = 5;
    }
    expect_equal_u64(segment_index_places(fixture.index)->sequences[3].count, 2); /* of at most 4096 */
    expect_equal_u64(segment_index_places(fixture.index)->spots.count, 1);
    compare(&fixture);
    end(&fixture);
}

TEST(places_that_contradict_the_batches_are_not_known)
{
    struct store_run run = {10, 3};
    struct place_batch batches[] = {{0, 0, 100, 1}, {0, 1, 200, 2}};
    const uint16_t fine[] = {0, 1, 1};
    const uint16_t wrong_count[] = {0, 0, 1};
    const uint16_t wrong_batch[] = {0, 1, 2};
    const uint16_t *const all[] = {wrong_count, wrong_batch, NULL, fine};
    struct fixture fixture;
    struct place_found found[2];
    begin(&fixture, 1);
    const struct place_index *places = segment_index_places(fixture.index);
    for (uint32_t i = 0; i < 4; i++) {
        struct place_append about = {.sequence = 3,
                                     .runs = &run,
                                     .run_count = 1,
                                     .places = all[i],
                                     .place_count = all[i] == NULL ? 0 : 3,
                                     .batches = batches,
                                     .batch_count = 2};
        expect_equal_u64(place_index_find(places, 3, 11, found, 2), 0);
        expect_fine(segment_index_add_places(fixture.index, &about));
    }
    expect_equal_u64(place_index_find(places, 3, 11, found, 2), 1);
    expect_equal_u64(found[0].offset, 200);
    struct place_append short_of_records = {
        .sequence = 3, .runs = &run, .run_count = 1, .batches = batches, .batch_count = 1};
    expect_fine(segment_index_add_places(fixture.index, &short_of_records));
    expect_equal_u64(place_index_find(places, 3, 11, found, 2), 1);
    end(&fixture);
}

/* --- Outcomes -------------------------------------------------------------------------------------- */

static struct outcome_mark mark_of(enum store_outcome outcome, uint16_t attempts, int64_t at_ns)
{
    struct outcome_mark mark = {.outcome = (uint8_t)outcome,
                                .attempts = attempts,
                                .status = 200,
                                .at_ns = at_ns,
                                .dead_topic = UINT32_MAX,
                                .by_len = 5};
    memcpy(mark.by, "somebody", 5);
    return mark;
}

static void shuffle(struct fixture *fixture, uint32_t *order, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t other = (uint32_t)random_below(&fixture->random, i + 1);
        order[i] = order[other];
        order[other] = i;
    }
}

TEST(outcomes_in_random_order_within_a_second_become_few_runs)
{
    enum { OFFSETS = 100000 };
    struct fixture fixture;
    begin(&fixture, 9);
    uint32_t *order = malloc(OFFSETS * sizeof *order);
    shuffle(&fixture, order, OFFSETS);
    struct outcome_key key = {2, 5, 1};
    for (uint32_t i = 0; i < OFFSETS; i++) {
        struct outcome_mark mark = mark_of(STORE_OUTCOME_DONE, 1, 7000000000 + i * 9000);
        expect_fine(segment_index_add_outcome(fixture.index, &key, order[i], 1, &mark));
    }
    const struct outcome_index *outcomes = segment_index_outcomes(fixture.index);
    expect_equal_u64(outcomes->marks.count, 1);
    expect(outcomes->keys[0]->runs.count <= OFFSETS / RUN_COUNT_MAX * 3);
    free(order);
    end(&fixture);
}

TEST(the_latest_mark_of_each_offset_is_found_in_memory_and_in_the_file)
{
    enum { OFFSETS = 3000, KEYS = 4, ROUNDS = 4000 };
    struct fixture fixture;
    static struct outcome_mark latest[KEYS][OFFSETS];
    memset(latest, 0, sizeof latest);
    begin(&fixture, 11);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint32_t which = (uint32_t)random_below(&fixture.random, KEYS);
        struct outcome_key key = {1 + which / 2, 5, which % 2};
        uint64_t count = 1 + random_below(&fixture.random, 12);
        uint64_t from = random_below(&fixture.random, OFFSETS - count);
        enum store_outcome outcome =
            random_below(&fixture.random, 9) == 0 ? STORE_OUTCOME_DEAD : STORE_OUTCOME_DONE;
        struct outcome_mark mark = mark_of(outcome, (uint16_t)random_below(&fixture.random, 3), i * 10000000);
        if (outcome == STORE_OUTCOME_DEAD) {
            mark.dead_topic = 9;
            mark.dead_shift = random_below(&fixture.random, 5) - from;
        }
        /* What has an outcome gets another only after a seek. */
        segment_index_begin_outcomes_anew(fixture.index);
        expect_fine(segment_index_add_outcome(fixture.index, &key, from, count, &mark));
        for (uint64_t k = 0; k < count; k++)
            latest[which][from + k] = mark;
    }
    seal(&fixture, true);
    for (uint32_t which = 0; which < KEYS; which++) {
        struct outcome_key key = {1 + which / 2, 5, which % 2};
        for (uint64_t offset = 0; offset < OFFSETS; offset++) {
            const struct outcome_mark *expected = &latest[which][offset];
            const struct outcome_mark *found =
                outcome_index_find(segment_index_outcomes(fixture.index), &key, offset);
            struct outcome_mark in_file;
            enum err err = index_file_outcome(fixture.file, &key, offset, &in_file);
            expect((found != NULL) == (expected->outcome != 0) && (err == ERR_NONE) == (found != NULL));
            if (found == NULL)
                continue;
            expect_equal_span(span_of(found, sizeof *found), span_of(expected, sizeof *expected));
            expect_equal_span(span_of(&in_file, sizeof in_file), span_of(expected, sizeof *expected));
        }
    }
    struct outcome_mark in_file;
    expect(index_file_outcome(fixture.file, &(struct outcome_key){7, 5, 0}, 0, &in_file) == ERR_NOT_FOUND);
    end(&fixture);
}

TEST_MAIN(every_number_is_found_where_its_append_put_it,
          numbers_that_follow_each_other_in_one_partition_take_one_run_a_second,
          places_that_contradict_the_batches_are_not_known,
          outcomes_in_random_order_within_a_second_become_few_runs,
          the_latest_mark_of_each_offset_is_found_in_memory_and_in_the_file)
