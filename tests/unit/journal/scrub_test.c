/* The scrubber: damage at rest is told although nobody reads, and only what is damaged. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/scrub.h"

#include "support/journal_model.h"
#include "support/test.h"

enum { APPENDS = 120 };

static void fill(struct journal_bench *bench, struct journal_model *model)
{
    journal_bench_init(bench, 11);
    bench->settings.scrub_every_ns = 3600 * CLOCK_NS_PER_S;
    bench->settings.scrub_rate = 4096;
    journal_bench_open(bench);
    journal_model_init(model, bench);
    for (uint32_t i = 0; i < APPENDS; i++) {
        expect_fine(journal_model_submit(model, i));
        journal_bench_settle(bench);
    }
}

/* A second passes, and the helper does what is due. */
static void let_pass(struct journal_bench *bench, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        clock_fake_advance(&bench->clock, CLOCK_NS_PER_S);
        journal_bench_settle(bench);
    }
}

/* The preads of a minute: retention looks at indexes, too. */
static uint64_t preads_of_a_minute(struct journal_bench *bench)
{
    uint64_t before = fs_memory_calls(bench->fs, FS_MEMORY_PREAD);
    let_pass(bench, 60);
    return fs_memory_calls(bench->fs, FS_MEMORY_PREAD) - before;
}

TEST(a_pass_over_sound_segments_tells_nothing)
{
    struct journal_bench bench;
    struct journal_model model;
    fill(&bench, &model);
    uint64_t before = preads_of_a_minute(&bench);
    clock_fake_advance(&bench.clock, 3600 * CLOCK_NS_PER_S);
    uint64_t during = preads_of_a_minute(&bench);
    let_pass(&bench, 300);
    expect_equal_u64(journal_bench_complaints(&bench), 0);
    expect(before < during);
    expect_equal_u64(preads_of_a_minute(&bench), before);
    expect_equal_u64(journal_bench_complaints(&bench), 0);
    journal_model_done(&model);
    journal_bench_done(&bench);
}

TEST(a_byte_that_went_bad_is_told_by_the_next_pass)
{
    struct journal_bench bench;
    struct journal_model model;
    fill(&bench, &model);
    fs_memory_poke(bench.fs, "0000000000000001.segment", 6000, 0x10);
    clock_fake_advance(&bench.clock, 3600 * CLOCK_NS_PER_S);
    let_pass(&bench, 300);
    expect_equal_u64(bench.events[JOURNAL_EVENT_DAMAGE], 1);
    if (strstr(bench.last_event[JOURNAL_EVENT_DAMAGE], "segment=1 ") == NULL ||
        strstr(bench.last_event[JOURNAL_EVENT_DAMAGE], "found_by=scrubber") == NULL)
        test_fail("told: %s", bench.last_event[JOURNAL_EVENT_DAMAGE]);
    journal_model_done(&model);
    journal_bench_done(&bench);
}

TEST(without_an_interval_nothing_is_read)
{
    struct journal_bench bench;
    struct journal_model model;
    fill(&bench, &model);
    journal_bench_close(&bench);
    bench.settings.scrub_every_ns = 0;
    journal_bench_open(&bench);
    journal_bench_settle(&bench);
    fs_memory_poke(bench.fs, "0000000000000001.segment", 6000, 0x10);
    let_pass(&bench, 7200);
    expect_equal_u64(bench.events[JOURNAL_EVENT_DAMAGE], 0);
    journal_model_done(&model);
    journal_bench_done(&bench);
}

TEST_MAIN(a_pass_over_sound_segments_tells_nothing,
          a_byte_that_went_bad_is_told_by_the_next_pass,
          without_an_interval_nothing_is_read)
