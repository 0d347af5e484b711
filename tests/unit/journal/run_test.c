/* Tests of the merge of runs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/run.h"

#include "support/test.h"

static void expect_run(const struct store_run *run, uint64_t from, uint64_t count)
{
    expect_equal_u64(run->from, from);
    expect_equal_u64(run->count, count);
}

TEST(runs_that_touch_overlap_or_repeat_become_one)
{
    struct store_run runs[4];
    struct run_merge merge;
    run_merge_init(&merge, 0, UINT64_MAX, runs, 4);
    expect(run_merge_add(&merge, 10, 5));
    expect(run_merge_add(&merge, 10, 2));
    expect(run_merge_add(&merge, 12, 8));
    expect(run_merge_add(&merge, 20, 1));
    expect(run_merge_add(&merge, 22, 1));
    expect_equal_u64(merge.count, 2);
    expect_run(&runs[0], 10, 11);
    expect_run(&runs[1], 22, 1);
    expect_equal_u64(merge.covered, UINT64_MAX);
}

TEST(runs_are_cut_to_the_range_asked_for)
{
    struct store_run runs[4];
    struct run_merge merge;
    run_merge_init(&merge, 100, 199, runs, 4);
    expect(run_merge_add(&merge, 50, 50));
    expect(run_merge_add(&merge, 60, 41));
    expect(run_merge_add(&merge, 190, 100));
    expect(!run_merge_add(&merge, 200, 1));
    expect_equal_u64(merge.count, 2);
    expect_run(&runs[0], 100, 1);
    expect_run(&runs[1], 190, 10);
    expect_equal_u64(merge.covered, 199);
}

TEST(full_answer_says_how_far_it_speaks)
{
    struct store_run runs[1];
    struct run_merge merge;
    run_merge_init(&merge, 1, 100, runs, 1);
    expect(run_merge_add(&merge, 3, 2));
    expect(run_merge_add(&merge, 5, 5)); /* touches: needs no place */
    expect(!run_merge_add(&merge, 20, 1));
    expect_equal_u64(merge.count, 1);
    expect_run(&runs[0], 3, 7);
    expect_equal_u64(merge.covered, 19);
}

TEST(runs_without_numbers_or_with_too_high_ones_are_not_legal)
{
    expect(run_is_legal(0, 1));
    expect(run_is_legal(RUN_NUMBER_MAX, 1));
    expect(run_is_legal(1, RUN_NUMBER_MAX));
    expect(!run_is_legal(1, 0));
    expect(!run_is_legal(RUN_NUMBER_MAX, 2));
    expect(!run_is_legal(RUN_NUMBER_MAX + 1, 1));
    expect(!run_is_legal(2, RUN_NUMBER_MAX));
    expect(!run_is_legal(1, UINT64_MAX));
}

TEST_MAIN(runs_that_touch_overlap_or_repeat_become_one,
          runs_are_cut_to_the_range_asked_for,
          full_answer_says_how_far_it_speaks,
          runs_without_numbers_or_with_too_high_ones_are_not_legal)
