/* Progress against a plain list of what is settled. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/group_progress.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/test.h"

enum { MODEL = 14000 };

struct model {
    struct group_progress *progress;
    struct random random;
    uint8_t settled[MODEL + 1]; /* the last one never is */
};

static void begin(struct model *model, uint64_t seed)
{
    *model = (struct model){0};
    random_seed(&model->random, seed);
    expect_fine(group_progress_new(1, 2, 3, 0, &model->progress));
}

static uint64_t next_open(const struct model *model, uint64_t from)
{
    while (from < MODEL && model->settled[from])
        from++;
    return from;
}

static void compare(const struct model *model)
{
    const struct group_progress *progress = model->progress;
    uint64_t low = next_open(model, 0);
    uint64_t above = 0;
    uint64_t end = low;
    expect_equal_u64(progress->low, low);
    for (uint64_t i = low; i < MODEL; i++) {
        above += model->settled[i];
        end = model->settled[i] ? i + 1 : end;
        expect(group_progress_is_settled(progress, i) == (model->settled[i] != 0));
    }
    expect_equal_u64(progress->settled_above, above);
    expect_equal_u64(progress->end, end);
}

static void compare_open(const struct model *model, uint64_t from)
{
    struct progress_range open = group_progress_open_from(model->progress, from);
    uint64_t expected = next_open(model, from);
    uint64_t to = expected;
    while (to < MODEL && !model->settled[to])
        to++;
    expect_equal_u64(open.from, expected);
    expect_equal_u64(open.to, to == MODEL ? UINT64_MAX : to);
}

static void settle(struct model *model, uint64_t from, uint64_t count)
{
    expect_fine(group_progress_settle(model->progress, (struct progress_range){from, from + count}));
    memset(model->settled + from, 1, count);
}

TEST(any_order_leads_to_the_same_mark_and_the_same_open_offsets)
{
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct model model;
        begin(&model, seed);
        uint64_t longest = seed % 3 == 0 ? 9000 : seed % 3 == 1 ? 300 : 1;
        for (int i = 0; i < 600; i++) {
            uint64_t count = 1 + random_below(&model.random, longest);
            settle(&model, random_below(&model.random, MODEL - count), count);
            compare_open(&model, random_below(&model.random, MODEL));
            if (i % 60 == 0)
                compare(&model);
        }
        compare(&model);
        settle(&model, 0, MODEL);
        compare(&model);
        expect(model.progress->partial_count <= 1);
        expect_equal_u64(model.progress->full_count, 0);
        model.progress = group_progress_free(model.progress);
    }
}

TEST(a_window_in_random_order_takes_a_bit_for_each_offset_and_gives_it_back)
{
    enum { WINDOW = 1000000, ROUNDS = 3 };
    struct group_progress *progress;
    struct random random;
    uint32_t *order = malloc(WINDOW * sizeof *order);
    random_seed(&random, 5);
    expect_fine(group_progress_new(1, 0, 0, 0, &progress));
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < WINDOW; i++) {
            uint32_t other = (uint32_t)random_below(&random, i + 1);
            order[i] = order[other];
            order[other] = i;
        }
        for (uint32_t i = 0; i < WINDOW; i++) {
            uint64_t offset = (uint64_t)round * WINDOW + order[i];
            expect_fine(group_progress_settle(progress, (struct progress_range){offset, offset + 1}));
        }
        expect_equal_u64(progress->low, (uint64_t)(round + 1) * WINDOW);
        expect(group_progress_cost(progress) <= PROGRESS_FIXED_COST + 2 * PROGRESS_CHUNK_COST);
    }
    expect(progress->chunk_size <= 512);
    progress = group_progress_free(progress);
    free(order);
}

TEST(what_is_too_far_above_the_mark_is_refused_and_changes_nothing)
{
    struct group_progress *progress;
    expect_fine(group_progress_new(1, 0, 0, 100, &progress));
    struct progress_range most = {100 + PROGRESS_SPAN_MAX - 1, 100 + PROGRESS_SPAN_MAX};
    struct progress_range more = {100 + PROGRESS_SPAN_MAX, 100 + PROGRESS_SPAN_MAX + 1};
    expect(group_progress_settle(progress, more) == ERR_TOO_MANY);
    expect_equal_u64(progress->settled_above, 0);
    expect_fine(group_progress_settle(progress, most));
    expect_equal_u64(progress->settled_above, 1);
    /* From the mark on there is no limit. */
    expect_fine(group_progress_settle(progress, (struct progress_range){50, UINT64_C(1) << 40}));
    expect_equal_u64(progress->low, UINT64_C(1) << 40);
    expect_equal_u64(progress->settled_above, 0);
    progress = group_progress_free(progress);
}

TEST(reserved_bitmaps_are_empty_and_can_be_given_back)
{
    struct group_progress *progress;
    expect_fine(group_progress_new(1, 0, 0, 0, &progress));
    expect_fine(group_progress_reserve(progress, (struct progress_range){10000, 30000}));
    expect_equal_u64(progress->partial_count, 2);
    expect_equal_u64(progress->end, 0);
    uint32_t place = 0;
    struct progress_piece piece;
    expect(!group_progress_next_piece(progress, &place, &piece));
    group_progress_trim(progress);
    expect_equal_u64(progress->partial_count, 0);
    progress = group_progress_free(progress);
}

TEST(a_seek_opens_all_from_there_on_and_closes_all_below)
{
    struct group_progress *progress;
    expect_fine(group_progress_new(1, 0, 0, 0, &progress));
    expect_fine(group_progress_settle(progress, (struct progress_range){0, 5000}));
    expect_fine(group_progress_settle(progress, (struct progress_range){6000, 7000}));
    expect_fine(group_progress_add_stretch(progress, (struct progress_range){100, 200}));
    expect_fine(group_progress_add_stretch(progress, (struct progress_range){6000, 6100}));
    group_progress_seek(progress, 150);
    expect_equal_u64(progress->low, 150);
    expect_equal_u64(progress->settled_above, 0);
    expect(!group_progress_is_settled(progress, 6500));
    expect(group_progress_is_settled(progress, 149));
    expect(group_progress_is_in_stretch(progress, 149));
    expect(!group_progress_is_in_stretch(progress, 150));
    expect(!group_progress_is_in_stretch(progress, 6050));
    progress = group_progress_free(progress);
}

TEST(of_too_many_stretches_the_nearest_become_one)
{
    struct group_progress *progress;
    expect_fine(group_progress_new(1, 0, 0, 0, &progress));
    for (uint64_t i = 0; i < PROGRESS_STRETCHES_MAX * 10; i++) {
        uint64_t from = i * 100 + (i % 2) * 60;
        expect_fine(group_progress_add_stretch(progress, (struct progress_range){from, from + 10}));
        expect(progress->stretch_count <= PROGRESS_STRETCHES_MAX);
    }
    for (uint64_t i = 0; i < PROGRESS_STRETCHES_MAX * 10; i++)
        expect(group_progress_is_in_stretch(progress, i * 100 + (i % 2) * 60 + 5));
    expect_fine(group_progress_add_stretch(progress, (struct progress_range){0, 1000000}));
    expect_equal_u64(progress->stretch_count, 1);
    progress = group_progress_free(progress);
}

TEST_MAIN(any_order_leads_to_the_same_mark_and_the_same_open_offsets,
          a_window_in_random_order_takes_a_bit_for_each_offset_and_gives_it_back,
          what_is_too_far_above_the_mark_is_refused_and_changes_nothing,
          reserved_bitmaps_are_empty_and_can_be_given_back,
          a_seek_opens_all_from_there_on_and_closes_all_below,
          of_too_many_stretches_the_nearest_become_one)
