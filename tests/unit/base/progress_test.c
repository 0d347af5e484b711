/* Tests of progress in the log: silent at first, rare afterwards, honest at the end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/progress.h"

#include "base/clock.h"
#include "base/log.h"
#include "support/test.h"

struct watched {
    struct progress progress;
    struct clock_fake clock;
    unsigned lines;
    char last[500];
};

static void on_line(void *owner, struct span line)
{
    struct watched *watched = owner;
    watched->lines++;
    expect(line.len < sizeof watched->last);
    memcpy(watched->last, line.data, line.len);
    watched->last[line.len] = '\0';
}

static void watched_init(struct watched *watched, uint64_t total, enum progress_unit unit)
{
    *watched = (struct watched){0};
    clock_fake_init(&watched->clock, 0);
    log_set_sink(on_line, watched);
    log_set_clock(&watched->clock.clock);
    progress_init(&watched->progress, "verify", total, unit);
    watched->progress.clock = &watched->clock.clock;
    watched->progress.started_ns = clock_now_ns(&watched->clock.clock);
    watched->progress.is_terminal = false;
}

TEST(short_work_shows_nothing)
{
    static struct watched watched;
    watched_init(&watched, 10, PROGRESS_ITEMS);
    for (int i = 0; i < 10; i++) {
        clock_fake_advance(&watched.clock, 40 * CLOCK_NS_PER_MS);
        progress_step(&watched.progress, 1);
    }
    progress_done(&watched.progress);
    expect_equal_u64(watched.lines, 0);
}

TEST(long_work_says_rate_and_time_left)
{
    static struct watched watched;
    watched_init(&watched, UINT64_C(100) << 20, PROGRESS_BYTES);
    clock_fake_advance(&watched.clock, CLOCK_NS_PER_S);
    progress_step(&watched.progress, UINT64_C(10) << 20);
    expect_equal_u64(watched.lines, 1);
    expect_not_null(strstr(watched.last, "msg=\"verify\" done=10.0MiB percent=10 rate=10.0MiB/s left=9s"));
    clock_fake_advance(&watched.clock, CLOCK_NS_PER_S);
    progress_step(&watched.progress, UINT64_C(90) << 20);
    expect_equal_u64(watched.lines, 1);
    progress_done(&watched.progress);
    expect_not_null(strstr(watched.last, "done=100MiB percent=100 rate=50.0MiB/s left=0ns"));
}

TEST(unknown_total_has_no_percentage)
{
    static struct watched watched;
    watched_init(&watched, 0, PROGRESS_ITEMS);
    clock_fake_advance(&watched.clock, 2 * CLOCK_NS_PER_S);
    progress_step(&watched.progress, 500);
    expect_not_null(strstr(watched.last, "done=500 rate=250/s"));
    expect_null(strstr(watched.last, "percent"));
}

TEST_MAIN(short_work_shows_nothing, long_work_says_rate_and_time_left, unknown_total_has_no_percentage)
