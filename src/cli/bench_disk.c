/* The writes go round in a pre-written file, as those of the log do in its recycled segments. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"

enum { FILE_SIZE = 256 * 1024 * 1024, FILL_SIZE = 4 * 1024 * 1024, ALIGNMENT = 4096 };

static enum err fill(struct fs_file *file, const uint8_t *bytes)
{
    enum err err = ERR_NONE;
    for (uint64_t at = 0; at < FILE_SIZE && err == ERR_NONE; at += FILL_SIZE)
        err = fs_pwrite(file, span_of(bytes, FILL_SIZE), at);
    return err == ERR_NONE ? fs_fdatasync(file) : err;
}

static enum err go_round(struct fs_file *file,
                         const struct bench_disk_settings *settings,
                         uint8_t *bytes,
                         struct bench_result *result)
{
    int64_t started_ns = clock_now_ns(clock_linux());
    struct bench_end end = {.at_ns = started_ns + settings->time_ns, .count = settings->count};
    int64_t before_ns = started_ns;
    uint64_t at = 0;
    enum err err = ERR_NONE;
    while (err == ERR_NONE && !bench_end_is_reached(&end, before_ns, result->count)) {
        bytes[0]++; /* no two writes alike, should the disk be clever */
        err = fs_pwrite(file, span_of(bytes, settings->write_size), at);
        if (err == ERR_NONE)
            err = fs_fdatasync(file);
        int64_t now_ns = clock_now_ns(clock_linux());
        histogram_add(&result->latency, (uint64_t)(now_ns - before_ns));
        bench_result_add(result, now_ns - started_ns, 1, settings->write_size);
        before_ns = now_ns;
        at = at + 2 * settings->write_size <= FILE_SIZE ? at + settings->write_size : 0;
    }
    return err;
}

static enum err run_on_file(const struct bench_disk_settings *settings,
                            struct fs *fs,
                            const char *name,
                            struct bench_result *result)
{
    struct fs_file *file;
    uint8_t *bytes = aligned_alloc(ALIGNMENT, FILL_SIZE);
    if (bytes == NULL)
        return ERR_MEMORY;
    memset(bytes, 'w', FILL_SIZE);
    enum err err = fs_open(fs, name, FS_OPEN_WRITE | FS_OPEN_CREATE | FS_OPEN_EXCLUSIVE, &file);
    if (err == ERR_NONE) {
        err = fs->ops->unlink(fs, name); /* at once: it goes with the process, however that ends */
        if (err == ERR_NONE)
            err = fill(file, bytes);
        if (err == ERR_NONE)
            err = go_round(file, settings, bytes, result);
        file = fs_close(file);
    }
    free(bytes);
    return err;
}

enum err
bench_disk_run(const struct bench_disk_settings *settings, struct bench_result *result, struct why *why)
{
    struct fs *fs;
    char name[64];
    check(settings->write_size > 0 && settings->write_size <= FILL_SIZE);
    (void)snprintf(name, sizeof name, "waybill-bench-%ld.tmp", (long)getpid());
    enum err err = fs_linux_new(settings->directory, &fs);
    if (err == ERR_NONE) {
        int64_t cpu_ns = bench_cpu_ns();
        err = run_on_file(settings, fs, name, result);
        result->cpu_ns = bench_cpu_ns() - cpu_ns;
        fs = fs_linux_free(fs);
    }
    return err == ERR_NONE ? err : why_set(why, err, "%s: %s", settings->directory, err_text(err));
}
