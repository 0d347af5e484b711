/* A hundred times pwrite and fdatasync of one page that exists already. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/sync_probe.h"

#include "base/histogram.h"
#include "base/log.h"
#include "base/units.h"

static const char probe_path[] = "sync-probe.tmp";

static enum err write_and_sync(struct sync_probe *probe, struct fs_file *file, uint8_t byte)
{
    memset(probe->page, byte, sizeof probe->page);
    enum err err = fs_pwrite(file, span_of(probe->page, sizeof probe->page), 0);
    return err == ERR_NONE ? fs_fdatasync(file) : err;
}

static enum err measure(struct sync_probe *probe, struct fs_file *file, struct histogram *times)
{
    enum err err = write_and_sync(probe, file, 0); /* allocates the page: not counted */
    for (unsigned i = 0; i < SYNC_PROBE_COUNT && err == ERR_NONE && !probe->is_stopping; i++) {
        int64_t began_ns = clock_now_ns(probe->clock);
        err = write_and_sync(probe, file, (uint8_t)i);
        histogram_add(times, (uint64_t)(clock_now_ns(probe->clock) - began_ns));
    }
    return err;
}

static void report(const struct histogram *times)
{
    char median[UNITS_TEXT_SIZE];
    char high[UNITS_TEXT_SIZE];
    uint64_t median_ns = histogram_percentile(times, 50);
    log_line(
        LOG_INFO, "app", "disk measured",
        "syncs=%llu p50=%s p99=%s expect=\"about %llu appends/s from one sender that waits for each; many "
        "senders share a sync\"",
        (unsigned long long)times->count, units_about_duration(median, (int64_t)median_ns),
        units_about_duration(high, (int64_t)histogram_percentile(times, 99)),
        (unsigned long long)(median_ns == 0 ? 0 : (uint64_t)CLOCK_NS_PER_S / median_ns));
}

static void *run(void *argument)
{
    struct sync_probe *probe = argument;
    struct histogram times;
    struct fs_file *file = NULL;
    histogram_init(&times);
    enum err err = fs_open(probe->fs, probe_path, FS_OPEN_WRITE | FS_OPEN_CREATE, &file);
    if (err == ERR_NONE)
        err = measure(probe, file, &times);
    file = fs_close(file);
    (void)probe->fs->ops->unlink(probe->fs, probe_path);
    if (err != ERR_NONE)
        log_line(LOG_WARN, "app", "disk not measured", "err=%s", err_name(err));
    else if (!probe->is_stopping)
        report(&times);
    return NULL;
}

void sync_probe_start(struct sync_probe *probe, struct fs *fs, struct clock *clock)
{
    *probe = (struct sync_probe){.fs = fs, .clock = clock};
    probe->is_running = pthread_create(&probe->thread, NULL, run, probe) == 0;
}

void sync_probe_stop(struct sync_probe *probe)
{
    if (!probe->is_running)
        return;
    probe->is_stopping = true;
    check(pthread_join(probe->thread, NULL) == 0);
    probe->is_running = false;
}
