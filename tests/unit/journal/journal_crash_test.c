/* Power cuts: the journal is recovered from what each moment of a run would have left on the disk, twice. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "journal/survey.h"
#include "support/journal_model.h"
#include "support/test.h"

/*
 * 1. A run of some hundred appends is recorded: topics appear, segments fill, are retired and recycled, the program
 *    stops, is killed and starts again.
 * 2. For each operation and each mode of the file system the journal is recovered from what a power cut there leaves,
 *    and compared with what had been acknowledged by then. A power cut is never damage.
 * 3. What was lost is submitted again, in the same shapes, so that it takes the same bytes; the power fails a second
 *    time somewhere in that, and the comparison is made again: nothing of the first life may come back.
 *
 * WAYBILL_CRASH_ROUNDS runs, each with its own random seed, from WAYBILL_SEED on; every WAYBILL_SPARSE-th operation.
 */
enum { APPENDS = 300, SECOND_LIFE = 12, ROUNDS = 2 };

static const char *const mode_names[FS_MEMORY_MODE_COUNT] = {"kept", "dropped", "torn", "reordered"};

static void prepare_settings(struct journal_bench *bench)
{
    /* Of one topic less is kept: it expires in segments that stay for the others. */
    static const struct journal_topic_settings small = {
        .name = "topic-1", .partitions = 3, .retention_size = JOURNAL_BENCH_SEGMENT / 8};
    bench->settings.size_max = 5 * JOURNAL_BENCH_SEGMENT; /* the oldest are retired and recycled */
    bench->settings.topics = &small;
    bench->settings.topic_count = 1;
}

/* --- The run ------------------------------------------------------------------------------------- */

static void restart(struct journal_model *model, bool is_killed)
{
    struct journal_bench *bench = model->bench;
    if (is_killed)
        journal_bench_kill(bench);
    else
        journal_bench_close(bench);
    journal_bench_open(bench);
    uint64_t operations = fs_memory_operations(bench->fs);
    journal_model_check(model, operations);
    journal_model_settle(model);
}

static void work(struct journal_model *model, uint32_t shape)
{
    struct journal_bench *bench = model->bench;
    struct random *random = &bench->random;
    enum err err = journal_model_submit(model, shape);
    if (err != ERR_NONE)
        test_fail("%s: append refused: %s", model->where, err_name(err));
    if (random_below(random, 3) == 0)
        return; /* it shares a group with the next */
    (void)journal_bench_step(bench);
    while (random_below(random, 2) == 0 && journal_chore_step(bench->journal))
        ;
    clock_fake_advance(&bench->clock, (int64_t)random_below(random, 8) * CLOCK_NS_PER_MS);
    if (random_below(random, 10) == 0) {
        clock_fake_advance(&bench->clock, 30 * CLOCK_NS_PER_MS);
        (void)journal_bench_step(bench); /* covers */
    }
}

static void run(struct journal_model *model)
{
    struct journal_bench *bench = model->bench;
    journal_bench_open(bench);
    for (uint32_t shape = 0; shape < APPENDS; shape++) {
        work(model, shape);
        if (random_below(&bench->random, 60) == 0)
            restart(model, random_below(&bench->random, 2) == 0);
        if (random_below(&bench->random, 20) == 0)
            journal_bench_settle(bench);
    }
    journal_bench_settle(bench);
    journal_model_check(model, fs_memory_operations(bench->fs));
    bool has_expired = false;
    for (uint32_t id = 0; id < model->count; id++)
        has_expired = has_expired || model->appends[id].is_expired;
    expect(has_expired);
    journal_bench_close(bench);
}

/* --- The power cuts -------------------------------------------------------------------------------- */

static void on_segment(void *owner, const struct survey_segment *segment)
{
    (void)owner;
    (void)segment;
}

static void on_finding(void *owner, enum survey_finding finding, const char *fields)
{
    const struct journal_model *model = owner;
    if (finding == SURVEY_DAMAGE)
        test_fail("%s: verify calls it damage: %s", model->where, fields);
}

static void survey(struct journal_model *model)
{
    struct survey survey = {
        .fs = model->bench->fs, .on_segment = on_segment, .on_finding = on_finding, .owner = model};
    struct why why = {{0}};
    enum err err = survey_run(&survey, &why);
    if (err != ERR_NONE)
        test_fail("%s: verify: %s: %s", model->where, err_name(err), why.text);
}

/* Opens what the power cut left, and compares. */
static void recover(struct journal_model *model, uint64_t operations)
{
    struct journal_bench *bench = model->bench;
    survey(model);
    enum err err = journal_bench_try_open(bench);
    if (err != ERR_NONE)
        test_fail("%s: it does not open: %s: %s", model->where, err_name(err), bench->why.text);
    if (journal_bench_complaints(bench) > 0 || journal_recovery(bench->journal)->damaged_ranges > 0)
        test_fail("%s: a power cut is taken for damage: %s%s", model->where,
                  bench->last_event[JOURNAL_EVENT_DAMAGE], bench->last_event[JOURNAL_EVENT_SET_ASIDE]);
    journal_model_check(model, operations);
    journal_model_settle(model);
}

/* Submits the lost shapes again, then new ones. */
static void live_again(struct journal_model *model)
{
    uint32_t position = 0;
    uint32_t shape = APPENDS;
    uint32_t count_before = model->count;
    for (uint32_t i = 0; i < SECOND_LIFE; i++) {
        if (position >= count_before || !journal_model_next_lost(model, &position, &shape))
            shape = APPENDS + i;
        work(model, shape);
    }
    (void)journal_bench_step(model->bench);
}

static void cut_again(struct journal_model *first, struct random *random)
{
    struct journal_bench bench;
    struct journal_model model;
    uint64_t operations = random_below(random, fs_memory_operations(first->bench->fs) + 1);
    enum fs_memory_mode mode = (enum fs_memory_mode)random_below(random, FS_MEMORY_MODE_COUNT);
    struct fs *fs = fs_memory_crash(first->bench->fs, operations, mode, random);
    journal_bench_init_on(&bench, fs, random_u64(random));
    prepare_settings(&bench);
    journal_model_copy(&model, first, operations, &bench);
    (void)snprintf(model.where, sizeof model.where, "%.200s, then %llu %s", first->where,
                   (unsigned long long)operations, mode_names[mode]);
    recover(&model, 0);
    journal_bench_settle(&bench);
    journal_model_check(&model, fs_memory_operations(bench.fs));
    journal_bench_done(&bench);
    journal_model_done(&model);
}

static void
cut(const struct journal_model *whole, uint64_t operations, enum fs_memory_mode mode, uint64_t seed)
{
    struct random random;
    struct journal_bench bench;
    struct journal_model model;
    random_seed(&random, seed + operations * FS_MEMORY_MODE_COUNT + (uint64_t)mode);
    struct fs *fs = fs_memory_crash(whole->bench->fs, operations, mode, &random);
    journal_bench_init_on(&bench, fs, random_u64(&random));
    prepare_settings(&bench);
    journal_model_copy(&model, whole, operations, &bench);
    char last[256] = "the beginning";
    if (operations > 0)
        (void)fs_memory_describe(whole->bench->fs, operations - 1, last);
    (void)snprintf(model.where, sizeof model.where, "seed %llu, cut behind %s, %s", (unsigned long long)seed,
                   last, mode_names[mode]);
    recover(&model, 0);
    live_again(&model);
    cut_again(&model, &random);
    journal_bench_done(&bench);
    journal_model_done(&model);
}

static void run_round(uint64_t seed)
{
    struct journal_bench bench;
    struct journal_model model;
    journal_bench_init(&bench, seed);
    prepare_settings(&bench);
    journal_model_init(&model, &bench);
    (void)snprintf(model.where, sizeof model.where, "seed %llu", (unsigned long long)seed);
    run(&model);
    uint64_t operations = fs_memory_operations(bench.fs);
    print_message("seed %llu: %u appends, %llu operations\n", (unsigned long long)seed, model.count,
                  (unsigned long long)operations);
    uint64_t sparse = test_number_from_environment("WAYBILL_SPARSE", 1);
    for (uint64_t i = 0; i <= operations; i += sparse)
        for (int mode = 0; mode < FS_MEMORY_MODE_COUNT; mode++)
            cut(&model, i, (enum fs_memory_mode)mode, seed);
    journal_bench_done(&bench);
    journal_model_done(&model);
}

TEST(what_was_acknowledged_survives_a_power_cut_at_any_operation_and_a_second_one)
{
    uint64_t rounds = test_number_from_environment("WAYBILL_CRASH_ROUNDS", ROUNDS);
    uint64_t first = test_number_from_environment("WAYBILL_SEED", (uint64_t)time(NULL));
    for (uint64_t i = 0; i < rounds; i++)
        run_round(first + i);
}

TEST_MAIN(what_was_acknowledged_survives_a_power_cut_at_any_operation_and_a_second_one)
