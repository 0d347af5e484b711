/* A failing disk: whichever call fails, nothing is called stored that a power cut could still take. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <time.h>

#include "support/journal_model.h"
#include "support/test.h"

/*
 * The n-th call of the file system ends with an error, for every n, in a run that opens, fills, seals, retires and recycles
 * segments and starts again. Then, three ways: a power cut that loses all that was not synced; a start after SIGKILL on the
 * kernel's memory as it is, more appends, and such a power cut; and reading on in the journal itself.
 */
enum { APPENDS_BEFORE = 80, APPENDS_BEHIND = 60, APPENDS_LATER = 6 };

static void use_few_segments(struct journal_bench *bench)
{
    bench->settings.segment_size = JOURNAL_BENCH_SEGMENT / 2;
    bench->settings.record_size_max = JOURNAL_BENCH_SEGMENT / 16;
    bench->settings.append_size_max = JOURNAL_BENCH_SEGMENT / 8;
    bench->settings.size_max = 2 * JOURNAL_BENCH_SEGMENT;
}

static bool is_small(uint32_t shape)
{
    return journal_model_size_of(shape) <= JOURNAL_BENCH_SEGMENT / 8;
}

/* Submits, and gives failed chores the time to be tried again. */
static void live(struct journal_model *model, uint32_t from, uint32_t count)
{
    struct journal_bench *bench = model->bench;
    for (uint32_t shape = from; shape < from + count; shape++) {
        enum err err = is_small(shape) ? journal_model_submit(model, shape) : ERR_NONE;
        if (err != ERR_NONE && err != ERR_BROKEN && err != ERR_FULL)
            test_fail("%s: append: %s", model->where, err_name(err));
        (void)journal_bench_step(bench);
        if (shape % 4 == 0)
            journal_bench_rest(bench);
    }
    journal_bench_rest(bench);
    journal_bench_rest(bench);
    if (model->pending > 0)
        test_fail("%s: %u appends got no answer", model->where, model->pending);
}

static void check_and_settle(struct journal_model *model)
{
    journal_model_check(model, fs_memory_operations(model->bench->fs));
    journal_model_settle(model);
}

/* Opens; the fault may be met there, and then a second try must do. */
static void open_in_spite(struct journal_bench *bench)
{
    if (journal_bench_try_open(bench) == ERR_NONE)
        return;
    expect(fs_memory_has_failed(bench->fs));
    expect(bench->why.text[0] != '\0');
    journal_bench_open(bench);
}

/* Whether the n-th call was met; the comparison in the middle is spared. */
static bool run(struct journal_model *model, enum fs_memory_call call, uint64_t n)
{
    struct journal_bench *bench = model->bench;
    fs_memory_fail(bench->fs, call, n, ERR_IO);
    open_in_spite(bench);
    live(model, 0, APPENDS_BEFORE);
    if (bench->store->ops->state(bench->store, NULL) != STORE_BROKEN)
        journal_bench_close(bench);
    else
        journal_bench_kill(bench);
    open_in_spite(bench);
    bool was_met = fs_memory_has_failed(bench->fs);
    uint64_t left = was_met ? 0 : n - fs_memory_calls(bench->fs, call);
    fs_memory_fail(bench->fs, call, 0, ERR_NONE);
    check_and_settle(model);
    fs_memory_fail(bench->fs, call, left, ERR_IO);
    live(model, APPENDS_BEFORE, APPENDS_BEHIND);
    was_met = was_met || fs_memory_has_failed(bench->fs);
    fs_memory_fail(bench->fs, call, 0, ERR_NONE);
    return was_met;
}

static void cut_power(const struct journal_model *from, enum fs_memory_mode mode, uint64_t seed)
{
    struct journal_bench bench;
    struct journal_model model;
    struct random random;
    random_seed(&random, seed);
    uint64_t operations = fs_memory_operations(from->bench->fs);
    journal_bench_init_on(&bench, fs_memory_crash(from->bench->fs, operations, mode, &random), seed);
    use_few_segments(&bench);
    journal_model_copy(&model, from, operations, &bench);
    (void)snprintf(model.where, sizeof model.where, "%.200s, then a power cut (%d)", from->where, (int)mode);
    journal_bench_open(&bench);
    if (journal_recovery(bench.journal)->damaged_ranges > 0)
        test_fail("%s is taken for damage: %s", model.where, bench.last_event[JOURNAL_EVENT_DAMAGE]);
    journal_model_check(&model, 0);
    journal_model_done(&model);
    journal_bench_done(&bench);
}

/* False when the run was over before the n-th call. */
static bool fail_one(enum fs_memory_call call, uint64_t n, uint64_t seed)
{
    struct journal_bench bench;
    struct journal_model model;
    journal_bench_init(&bench, seed);
    use_few_segments(&bench);
    journal_model_init(&model, &bench);
    (void)snprintf(model.where, sizeof model.where, "seed %llu, call %llu of kind %d fails",
                   (unsigned long long)seed, (unsigned long long)n, (int)call);
    bool was_met = run(&model, call, n);
    journal_model_check(&model, fs_memory_operations(bench.fs)); /* reads go on */
    cut_power(&model, FS_MEMORY_DROPPED, seed);
    cut_power(&model, FS_MEMORY_REORDERED, seed);
    journal_bench_kill(&bench);
    journal_bench_open(&bench);
    check_and_settle(&model);
    live(&model, APPENDS_BEFORE + APPENDS_BEHIND, APPENDS_LATER);
    cut_power(&model, FS_MEMORY_DROPPED, seed);
    journal_model_done(&model);
    journal_bench_done(&bench);
    return was_met;
}

TEST(whichever_call_fails_nothing_that_was_acknowledged_is_lost)
{
    uint64_t seed = test_number_from_environment("WAYBILL_SEED", (uint64_t)time(NULL));
    print_message("seed %llu\n", (unsigned long long)seed);
    uint64_t n = 1;
    while (fail_one(FS_MEMORY_ANY, n, seed))
        n += test_number_from_environment("WAYBILL_SPARSE", 1);
    print_message("%llu calls\n", (unsigned long long)(n - 1));
    expect(n > 200);
}

static void expect_broken(enum fs_memory_call call)
{
    struct journal_bench bench;
    struct journal_model model;
    journal_bench_init(&bench, 1);
    journal_model_init(&model, &bench);
    journal_bench_open(&bench);
    live(&model, 0, 3);
    fs_memory_fail(bench.fs, call, 1, ERR_IO);
    expect_fine(journal_model_submit(&model, 3));
    expect_fine(journal_model_submit(&model, 4));
    uint64_t syncs = fs_memory_calls(bench.fs, FS_MEMORY_FDATASYNC);
    journal_bench_rest(&bench);
    expect_err(model.appends[3].err, ERR_BROKEN);
    expect_err(model.appends[4].err, ERR_BROKEN);
    struct why why = {{0}};
    expect(bench.store->ops->state(bench.store, &why) == STORE_BROKEN);
    expect(why.text[0] != '\0');
    expect_err(journal_model_submit(&model, 5), ERR_BROKEN);
    expect_equal_u64(bench.events[JOURNAL_EVENT_BROKEN], 1);
    journal_model_check(&model, fs_memory_operations(bench.fs));
    journal_stop(bench.journal);
    expect_equal_u64(fs_memory_calls(bench.fs, FS_MEMORY_FDATASYNC) - syncs,
                     call == FS_MEMORY_FDATASYNC ? 1 : 0);
    journal_model_done(&model);
    journal_bench_done(&bench);
}

TEST(a_failed_write_or_sync_is_final_and_reads_go_on)
{
    expect_broken(FS_MEMORY_PWRITEV);
    expect_broken(FS_MEMORY_FDATASYNC);
}

TEST_MAIN(whichever_call_fails_nothing_that_was_acknowledged_is_lost,
          a_failed_write_or_sync_is_final_and_reads_go_on)
