/* Tests the index of runs by number against a plain sorted walk. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "group/seq_index.h"

#include "base/random.h"
#include "group/group_run.h"
#include "support/test.h"

enum { RUNS = 3000, SEQS = 700 };

/* All runs that are in, in order: each is met once, and none before a smaller one. */
static void
expect_walk(const struct seq_index *index, const bool *is_in, struct group_run *runs, uint64_t from)
{
    struct seq_key key = {from, 0};
    uint64_t expected = 0;
    uint64_t met = 0;
    uint64_t last = from;
    for (unsigned i = 0; i < RUNS; i++)
        expected += is_in[i] && runs[i].seq >= from;
    for (struct group_run *run; (run = seq_index_next(index, &key)) != NULL; met++) {
        expect(run->seq >= last && is_in[run - runs]);
        last = run->seq;
    }
    expect_equal_u64(met, expected);
}

TEST(runs_are_found_in_order_of_their_numbers_whatever_comes_and_goes)
{
    static struct group_run runs[RUNS];
    static bool is_in[RUNS];
    struct seq_index index;
    struct random random;
    random_seed(&random, 1);
    seq_index_init(&index);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned at = (unsigned)random_below(&random, RUNS);
        if (is_in[at]) {
            seq_index_remove(&index, &runs[at]);
        } else {
            runs[at].seq = 1 + random_below(&random, SEQS);
            expect_fine(seq_index_add(&index, &runs[at]));
        }
        is_in[at] = !is_in[at];
        if (i % 500 == 0)
            expect_walk(&index, is_in, runs, random_below(&random, SEQS));
    }
    expect_walk(&index, is_in, runs, 0);
    for (unsigned i = 0; i < RUNS; i++)
        if (is_in[i])
            seq_index_remove(&index, &runs[i]);
    struct seq_key key = {0, 0};
    expect_null(seq_index_next(&index, &key));
    seq_index_done(&index);
}

TEST(walk_goes_on_behind_a_run_that_was_removed)
{
    struct group_run runs[3] = {{.seq = 5}, {.seq = 5}, {.seq = 9}};
    struct seq_index index;
    seq_index_init(&index);
    for (unsigned i = 0; i < 3; i++)
        expect_fine(seq_index_add(&index, &runs[i]));
    struct seq_key key = {5, 0};
    for (unsigned i = 0; i < 3; i++) {
        struct group_run *run = seq_index_next(&index, &key);
        expect(run == &runs[i]);
        seq_index_remove(&index, run);
    }
    expect_null(seq_index_next(&index, &key));
    seq_index_done(&index);
}

TEST_MAIN(runs_are_found_in_order_of_their_numbers_whatever_comes_and_goes,
          walk_goes_on_behind_a_run_that_was_removed)
