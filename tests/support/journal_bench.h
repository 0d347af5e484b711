/* A journal in a file system of memory, under a clock that stands: opened, stepped, stopped, killed. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_JOURNAL_BENCH_H
#define SUPPORT_JOURNAL_BENCH_H

#include "base/mailbox.h"
#include "journal/journal.h"
#include "support/fs_memory.h"

enum { JOURNAL_BENCH_SEGMENT = 64 * 1024, JOURNAL_BENCH_EVENT_SIZE = 256 };

/* `fs` and `settings` may be changed while the journal is closed. */
struct journal_bench {
    struct fs *fs; /* the bench's: freed by done */
    struct clock_fake clock;
    struct random random;
    struct journal_settings settings;
    struct journal *journal; /* NULL: closed */
    struct store *store;
    struct mailbox mailbox;
    struct why why; /* of the last open */
    unsigned events[JOURNAL_EVENT_COUNT];
    char last_event[JOURNAL_EVENT_COUNT][JOURNAL_BENCH_EVENT_SIZE];
};

/* Small segments, DESIGN's values otherwise; not open yet. WAYBILL_TEST_EVENTS=1 prints what the journal tells. */
void journal_bench_init(struct journal_bench *bench, uint64_t seed);
/* On the files that another one left. Takes `fs`. */
void journal_bench_init_on(struct journal_bench *bench, struct fs *take_fs, uint64_t seed);
void journal_bench_done(struct journal_bench *bench);

enum err journal_bench_try_open(struct journal_bench *bench) MUST_CHECK;
/* Expects that it opens. */
void journal_bench_open(struct journal_bench *bench);
/* Stops and frees it. */
void journal_bench_close(struct journal_bench *bench);
/* Frees it as it is, so that nothing more is written: the files are left as by SIGKILL. */
void journal_bench_kill(struct journal_bench *bench);

/* One step of the writer, and the mail that it brings. */
bool journal_bench_step(struct journal_bench *bench);
/* Steps of writer and helper until there is nothing to do. */
void journal_bench_settle(struct journal_bench *bench);
/* Idle for long enough that the last group is covered. */
void journal_bench_rest(struct journal_bench *bench);

/* How often something was told that no sound journal has to say: damage, broken, a failed chore. */
unsigned journal_bench_complaints(const struct journal_bench *bench);

#endif
