/* The bar and the log lines of long work. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/units.h"

enum { BAR_WIDTH = 30 };

#define SILENT_NS    (CLOCK_NS_PER_S / 2)
#define REDRAW_NS    (100 * CLOCK_NS_PER_MS)
#define LOG_EVERY_NS (5 * CLOCK_NS_PER_S)

void progress_init(struct progress *progress, const char *title, uint64_t total, enum progress_unit unit)
{
    *progress = (struct progress){.title = title, .total = total, .unit = unit, .clock = clock_linux()};
    progress->started_ns = clock_now_ns(progress->clock);
    progress->is_terminal = isatty(STDERR_FILENO) == 1;
}

static const char *
put_count(const struct progress *progress, char text[static UNITS_TEXT_SIZE], uint64_t count)
{
    if (progress->unit == PROGRESS_BYTES)
        return units_about_size(text, count);
    (void)snprintf(text, UNITS_TEXT_SIZE, "%" PRIu64, count);
    return text;
}

static uint64_t rate_per_s(const struct progress *progress, int64_t now_ns)
{
    int64_t passed_ns = now_ns - progress->started_ns;
    return passed_ns <= 0 ? 0 : (uint64_t)((double)progress->count * 1e9 / (double)passed_ns);
}

static int64_t left_ns(const struct progress *progress, uint64_t rate)
{
    if (rate == 0 || progress->count >= progress->total)
        return 0;
    return (int64_t)((progress->total - progress->count) / rate) * CLOCK_NS_PER_S;
}

static unsigned percent(const struct progress *progress)
{
    if (progress->count >= progress->total)
        return 100;
    return (unsigned)((double)progress->count * 100 / (double)progress->total);
}

static void draw(const struct progress *progress, int64_t now_ns)
{
    static const char full[BAR_WIDTH + 1] = "##############################";
    uint64_t rate = rate_per_s(progress, now_ns);
    char count[UNITS_TEXT_SIZE];
    char per_s[UNITS_TEXT_SIZE];
    (void)put_count(progress, count, progress->count);
    (void)put_count(progress, per_s, rate);
    if (progress->total == 0) {
        (void)fprintf(stderr, "\r%s %s, %s/s\033[K", progress->title, count, per_s);
        return;
    }
    char left[UNITS_TEXT_SIZE];
    int filled = (int)(percent(progress) * BAR_WIDTH / 100);
    (void)fprintf(stderr, "\r%s [%-*.*s] %3u %% %s, %s/s, %s left\033[K", progress->title, BAR_WIDTH, filled,
                  full, percent(progress), count, per_s, units_put_duration(left, left_ns(progress, rate)));
}

static void write_log(const struct progress *progress, int64_t now_ns)
{
    uint64_t rate = rate_per_s(progress, now_ns);
    char count[UNITS_TEXT_SIZE];
    char per_s[UNITS_TEXT_SIZE];
    char left[UNITS_TEXT_SIZE];
    (void)put_count(progress, count, progress->count);
    (void)put_count(progress, per_s, rate);
    if (progress->total == 0)
        log_line(LOG_INFO, "progress", progress->title, "done=%s rate=%s/s", count, per_s);
    else
        log_line(LOG_INFO, "progress", progress->title, "done=%s percent=%u rate=%s/s left=%s", count,
                 percent(progress), per_s, units_put_duration(left, left_ns(progress, rate)));
}

static void show(struct progress *progress, int64_t now_ns)
{
    if (progress->is_terminal)
        draw(progress, now_ns);
    else
        write_log(progress, now_ns);
    progress->shown_ns = now_ns;
}

void progress_step(struct progress *progress, uint64_t count)
{
    progress->count += count;
    int64_t now_ns = clock_now_ns(progress->clock);
    int64_t every_ns = progress->is_terminal ? REDRAW_NS : LOG_EVERY_NS;
    bool is_due = progress->shown_ns == 0 ? now_ns - progress->started_ns >= SILENT_NS
                                          : now_ns - progress->shown_ns >= every_ns;
    if (is_due)
        show(progress, now_ns);
}

void progress_done(struct progress *progress)
{
    if (progress->shown_ns == 0)
        return;
    show(progress, clock_now_ns(progress->clock));
    if (progress->is_terminal)
        (void)fputc('\n', stderr);
}
