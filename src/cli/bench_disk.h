/* What the disk itself can do: the floor that all figures of the log are held against. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_DISK_H
#define CLI_BENCH_DISK_H

#include "base/why.h"
#include "cli/bench_end.h"
#include "cli/bench_result.h"

struct bench_disk_settings {
    const char *directory; /* on the disk in question; the file in it is removed again */
    uint32_t write_size;
    int64_t time_ns; /* from when the file is ready */
    uint64_t count;  /* of writes; 0: the time alone */
};

/* One pwrite and one fdatasync after the other, through a file that was written before. */
enum err bench_disk_run(const struct bench_disk_settings *settings,
                        struct bench_result *result,
                        struct why *why) MUST_CHECK;

#endif
