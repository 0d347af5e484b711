/* Tests of the set of runs, against a list of all that was added. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/run_set.h"

#include <stdlib.h>

#include "base/random.h"
#include "support/test.h"

static void expect_only_run(const struct run_set *set, uint64_t from, uint32_t count, uint32_t position)
{
    expect_equal_u64(set->count, 1);
    struct run_cursor cursor = {0};
    const struct run *run = run_set_next(set, &cursor);
    expect_equal_u64(run->from, from);
    expect_equal_u64(run->count, count);
    expect_equal_u64(run->position, position);
    expect_null(run_set_next(set, &cursor));
}

TEST(consecutive_numbers_of_one_stretch_are_one_run)
{
    struct run_set set;
    run_set_init(&set, 10);
    expect_fine(run_set_add(&set, 1, 100, 4096));
    expect_fine(run_set_add(&set, 101, 1, 5000));
    expect_fine(run_set_add(&set, 102, 50, 4096 + RUN_STRETCH - 1));
    expect_only_run(&set, 1, 151, 4096);
    expect_fine(run_set_add(&set, 152, 1, 4096 + RUN_STRETCH));
    expect_equal_u64(set.count, 2);
    expect_equal_u64(run_set_merged_count(&set), 1);
    run_set_done(&set);
}

TEST(numbers_that_fill_a_gap_join_both_sides)
{
    struct run_set set;
    run_set_init(&set, 10);
    expect_fine(run_set_add(&set, 20, 10, 8));
    expect_fine(run_set_add(&set, 1, 10, 16));
    expect_equal_u64(run_set_merged_count(&set), 2);
    expect_fine(run_set_add(&set, 15, 5, 24)); /* in front of 20 */
    expect_equal_u64(set.count, 2);
    expect_fine(run_set_add(&set, 11, 4, 32));
    expect_only_run(&set, 1, 29, 8);
    expect_equal_u64(run_set_lowest(&set), 1);
    expect_equal_u64(run_set_highest(&set), 29);
    run_set_done(&set);
}

TEST(no_run_is_longer_than_its_limit)
{
    struct run_set set;
    run_set_init(&set, 10);
    expect_fine(run_set_add(&set, 1, 2 * RUN_COUNT_MAX + 5, 8));
    expect_equal_u64(set.count, 3);
    expect_fine(run_set_add(&set, 2 * RUN_COUNT_MAX + 6, RUN_COUNT_MAX - 5, 16));
    expect_equal_u64(set.count, 3);
    expect_fine(run_set_add(&set, 3 * RUN_COUNT_MAX + 1, 1, 16));
    expect_equal_u64(set.count, 4);
    expect(run_set_has(&set, RUN_COUNT_MAX));
    expect(run_set_has(&set, RUN_COUNT_MAX + 1));
    expect(!run_set_has(&set, 3 * RUN_COUNT_MAX + 2));
    expect_equal_u64(run_set_merged_count(&set), 1);
    run_set_done(&set);
}

TEST(number_stored_again_far_away_is_found_in_both_places)
{
    struct run_set set;
    uint32_t positions[4];
    run_set_init(&set, 10);
    expect_fine(run_set_add(&set, 5, 1, 8));
    expect_fine(run_set_add(&set, 5, 1, 16)); /* the first run's stretch holds it */
    expect_equal_u64(set.count, 1);
    expect_fine(run_set_add(&set, 1, 10, 1 << 20));
    expect_equal_u64(run_set_positions(&set, 5, positions, 4), 2);
    expect_equal_u64(positions[0] + positions[1], 8 + (1 << 20));
    expect_equal_u64(run_set_positions(&set, 5, positions, 1), 1);
    expect_equal_u64(run_set_positions(&set, 6, positions, 4), 1);
    expect_equal_u64(run_set_positions(&set, 11, positions, 4), 0);
    run_set_done(&set);
}

TEST(full_or_illegal_additions_leave_the_rest_as_it_was)
{
    struct run_set set;
    run_set_init(&set, 2);
    expect_equal_u64(run_set_lowest(&set), 0);
    expect_equal_u64(run_set_highest(&set), 0);
    expect(!run_set_has(&set, 0));
    expect_fine(run_set_add(&set, 10, 1, 8));
    expect_fine(run_set_add(&set, 20, 1, 8));
    expect_err(run_set_add(&set, 30, 1, 8), ERR_TOO_MANY);
    expect_err(run_set_add(&set, 40, 0, 8), ERR_BAD_INPUT);
    expect_err(run_set_add(&set, RUN_NUMBER_MAX, 2, 8), ERR_BAD_INPUT);
    expect_fine(run_set_add(&set, 21, 1, 8));
    expect(!run_set_has(&set, 30));
    expect_equal_u64(run_set_highest(&set), 21);
    run_set_done(&set);
}

TEST(highest_legal_number_is_kept)
{
    struct run_set set;
    struct run_merge merge;
    struct store_run found;
    run_set_init(&set, 10);
    expect_fine(run_set_add(&set, RUN_NUMBER_MAX - 1, 2, 8));
    expect(run_set_has(&set, RUN_NUMBER_MAX));
    expect(!run_set_has(&set, RUN_NUMBER_MAX + 1));
    expect(!run_set_has(&set, UINT64_MAX));
    run_merge_init(&merge, RUN_NUMBER_MAX, UINT64_MAX, &found, 1);
    run_set_collect(&set, &merge);
    expect_equal_u64(merge.count, 1);
    expect_equal_u64(found.from, RUN_NUMBER_MAX);
    expect_equal_u64(found.count, 1);
    run_set_done(&set);
}

/* --- The model ---------------------------------------------------------------------------------- */

enum { NUMBERS = 20000, ADDITIONS = 4000, PROBES = 300, POSITIONS_MAX = 4096 };

struct addition {
    uint64_t from;
    uint64_t count;
    uint32_t position;
};

struct model {
    struct random random;
    struct run_set set;
    struct addition *additions;
    uint32_t count;
    bool holds[NUMBERS + RUN_COUNT_MAX * 3];
};

/* Numbers go up with some disorder, or come from anywhere; single ones, or many at once. */
static struct addition next_addition(struct model *model, uint64_t *counter, bool is_wild)
{
    struct random *random = &model->random;
    struct addition addition = {.count = 1, .position = model->set.position};
    if (random_below(random, 8) == 0)
        addition.count = 1 + random_below(random, random_below(random, 50) == 0 ? RUN_COUNT_MAX * 2 : 40);
    if (is_wild && random_below(random, 4) != 0)
        addition.from = random_below(random, NUMBERS);
    else
        addition.from = *counter + random_below(random, 4);
    *counter = (*counter + addition.count + random_below(random, 2)) % NUMBERS;
    if (random_below(random, 3) == 0)
        addition.position += (uint32_t)random_below(random, random_below(random, 20) == 0 ? 200000 : 2000);
    return addition;
}

static void add_to_model(struct model *model, struct addition addition)
{
    expect_fine(run_set_add(&model->set, addition.from, addition.count, addition.position));
    model->additions[model->count++] = addition;
    for (uint64_t i = 0; i < addition.count; i++)
        model->holds[addition.from + i] = true;
}

static bool is_within(uint32_t position, uint32_t stretch)
{
    return position >= stretch && position - stretch < RUN_STRETCH;
}

/* Each append with the number is near one of the positions, and near each position is one. */
static void compare_positions(const struct model *model, uint64_t number)
{
    static uint32_t positions[POSITIONS_MAX];
    uint32_t count = run_set_positions(&model->set, number, positions, POSITIONS_MAX);
    expect(count < POSITIONS_MAX);
    bool is_founded[POSITIONS_MAX] = {false};
    for (uint32_t i = 0; i < model->count; i++) {
        const struct addition *addition = &model->additions[i];
        if (number < addition->from || number - addition->from >= addition->count)
            continue;
        bool is_found = false;
        for (uint32_t k = 0; k < count; k++) {
            bool is_here = is_within(addition->position, positions[k]);
            is_founded[k] |= is_here;
            is_found |= is_here;
        }
        expect(is_found);
    }
    for (uint32_t k = 0; k < count; k++)
        expect(is_founded[k]);
}

static void compare_range(const struct model *model, uint64_t from, uint64_t to, uint32_t size)
{
    static struct store_run runs[NUMBERS];
    struct run_merge merge;
    run_merge_init(&merge, from, to, runs, size);
    run_set_collect(&model->set, &merge);
    expect(merge.covered <= to);
    uint32_t next = 0;
    for (uint64_t number = from; number <= merge.covered; number++) {
        bool is_first = model->holds[number] && (number == from || !model->holds[number - 1]);
        if (is_first) {
            expect(next < merge.count);
            expect_equal_u64(runs[next].from, number);
        }
        bool is_last = model->holds[number] && (number == to || !model->holds[number + 1]);
        if (is_last)
            expect_equal_u64(runs[next].from + runs[next].count - 1, number);
        next += is_last ? 1 : 0;
    }
    expect_equal_u64(merge.count, next);
    if (merge.covered < to)
        expect_equal_u64(merge.count, size);
}

static void compare_order(const struct model *model)
{
    struct run_cursor cursor = {0};
    const struct run *run = NULL;
    uint32_t count = 0;
    for (uint64_t from = 0; (run = run_set_next(&model->set, &cursor)) != NULL; count++) {
        expect(run->from >= from);
        from = run->from;
        expect(run->count > 0 && run->count <= RUN_COUNT_MAX);
    }
    expect_equal_u64(count, model->set.count);
    uint32_t merged = 0;
    uint64_t highest = 0;
    for (uint64_t number = 0; number < sizeof model->holds / sizeof model->holds[0]; number++) {
        merged += model->holds[number] && (number == 0 || !model->holds[number - 1]) ? 1 : 0;
        highest = model->holds[number] ? number : highest;
        expect(run_set_has(&model->set, number) == model->holds[number]);
    }
    expect_equal_u64(run_set_merged_count(&model->set), merged);
    expect_equal_u64(run_set_highest(&model->set), highest);
}

static void compare(struct model *model, bool is_wild)
{
    uint64_t counter = 1;
    for (uint32_t i = 0; i < ADDITIONS; i++)
        add_to_model(model, next_addition(model, &counter, is_wild));
    compare_order(model);
    for (uint32_t i = 0; i < PROBES; i++) {
        compare_positions(model, random_below(&model->random, NUMBERS));
        uint64_t from = random_below(&model->random, NUMBERS);
        uint64_t len = random_below(&model->random, i % 2 == 0 ? 100 : NUMBERS);
        compare_range(model, from, from + len < NUMBERS ? from + len : NUMBERS,
                      1 + (uint32_t)random_below(&model->random, 400));
    }
}

TEST(set_answers_like_a_list_of_all_additions)
{
    uint64_t first = random_u64(NULL) % 1000000;
    for (uint64_t seed = first; seed < first + 6; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        struct model *model = calloc(1, sizeof *model);
        model->additions = calloc(ADDITIONS, sizeof *model->additions);
        random_seed(&model->random, seed);
        run_set_init(&model->set, NUMBERS);
        compare(model, seed % 2 == 0);
        run_set_done(&model->set);
        free(model->additions);
        free(model);
    }
}

/* Every second number first, so that chunks fill and split, then those between, so that they empty. */
TEST(chunks_split_and_vanish)
{
    struct run_set set;
    run_set_init(&set, 10000);
    for (uint64_t i = 0; i < 6000; i++)
        expect_fine(run_set_add(&set, 1 + (i * 7919 % 6000) * 2, 1, 8));
    expect_equal_u64(set.count, 6000);
    size_t bytes = run_set_bytes(&set);
    for (uint64_t i = 0; i < 6000; i++)
        expect_fine(run_set_add(&set, 2 + (i * 7919 % 6000) * 2, 1, 8));
    expect_equal_u64(run_set_merged_count(&set), 1);
    expect(set.count < 12);
    expect(run_set_bytes(&set) < bytes);
    for (uint64_t number = 1; number <= 12000; number++)
        expect(run_set_has(&set, number));
    expect(!run_set_has(&set, 12001));
    run_set_done(&set);
}

TEST_MAIN(consecutive_numbers_of_one_stretch_are_one_run,
          numbers_that_fill_a_gap_join_both_sides,
          no_run_is_longer_than_its_limit,
          number_stored_again_far_away_is_found_in_both_places,
          full_or_illegal_additions_leave_the_rest_as_it_was,
          highest_legal_number_is_kept,
          set_answers_like_a_list_of_all_additions,
          chunks_split_and_vanish)
