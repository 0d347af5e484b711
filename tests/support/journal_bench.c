/* The life of a journal under test. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/journal_bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/test.h"

static void on_wake(void *owner)
{
    (void)owner;
}

static void on_event(void *owner, enum journal_event event, const char *fields)
{
    struct journal_bench *bench = owner;
    bench->events[event]++;
    (void)snprintf(bench->last_event[event], JOURNAL_BENCH_EVENT_SIZE, "%s", fields);
    if (getenv("WAYBILL_TEST_EVENTS") != NULL)
        (void)fprintf(stderr, "event %d %s\n", (int)event, fields);
}

void journal_bench_init(struct journal_bench *bench, uint64_t seed)
{
    journal_bench_init_on(bench, fs_memory_new(), seed);
}

void journal_bench_init_on(struct journal_bench *bench, struct fs *take_fs, uint64_t seed)
{
    *bench = (struct journal_bench){.fs = take_fs};
    clock_fake_init(&bench->clock, 1000000 * CLOCK_NS_PER_S);
    random_seed(&bench->random, seed);
    mailbox_init(&bench->mailbox, on_wake, NULL);
    journal_settings_default(&bench->settings);
    bench->settings.segment_size = JOURNAL_BENCH_SEGMENT;
    bench->settings.append_size_max = JOURNAL_BENCH_SEGMENT / 4;
    bench->settings.record_size_max = JOURNAL_BENCH_SEGMENT / 8;
}

void journal_bench_done(struct journal_bench *bench)
{
    if (bench->journal != NULL)
        journal_bench_kill(bench);
    mailbox_done(&bench->mailbox);
    bench->fs = fs_memory_free(bench->fs);
}

enum err journal_bench_try_open(struct journal_bench *bench)
{
    struct journal_seams seams = {
        .fs = bench->fs,
        .clock = &bench->clock.clock,
        .random = &bench->random,
        .on_event = on_event,
        .owner = bench,
    };
    bench->why = (struct why){{0}};
    enum err err = journal_open(&seams, &bench->settings, &bench->why, &bench->journal);
    if (err == ERR_NONE)
        bench->store = journal_store(bench->journal);
    return err;
}

void journal_bench_open(struct journal_bench *bench)
{
    enum err err = journal_bench_try_open(bench);
    if (err != ERR_NONE)
        test_fail("the journal does not open: %s: %s", err_name(err), bench->why.text);
}

void journal_bench_close(struct journal_bench *bench)
{
    journal_stop(bench->journal);
    journal_bench_kill(bench);
}

void journal_bench_kill(struct journal_bench *bench)
{
    bench->journal = journal_free(bench->journal);
    bench->store = NULL;
    (void)mailbox_deliver(&bench->mailbox);
}

bool journal_bench_step(struct journal_bench *bench)
{
    bool did = journal_step(bench->journal);
    (void)mailbox_deliver(&bench->mailbox);
    return did;
}

void journal_bench_settle(struct journal_bench *bench)
{
    while (journal_bench_step(bench) || journal_chore_step(bench->journal))
        ;
}

void journal_bench_rest(struct journal_bench *bench)
{
    journal_bench_settle(bench);
    clock_fake_advance(&bench->clock, CLOCK_NS_PER_S);
    journal_bench_settle(bench);
}

unsigned journal_bench_complaints(const struct journal_bench *bench)
{
    return bench->events[JOURNAL_EVENT_DAMAGE] + bench->events[JOURNAL_EVENT_SET_ASIDE] +
           bench->events[JOURNAL_EVENT_BROKEN] + bench->events[JOURNAL_EVENT_CHORE_FAILED];
}
