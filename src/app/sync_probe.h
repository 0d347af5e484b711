/* Measures how fast the data disk syncs, beside the running program: what rate can be expected of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_SYNC_PROBE_H
#define APP_SYNC_PROBE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/fs.h"

enum { SYNC_PROBE_COUNT = 100, SYNC_PROBE_PAGE = 4096 };

struct sync_probe {
    struct fs *fs;
    struct clock *clock;
    pthread_t thread;
    bool is_running;
    _Atomic bool is_stopping;
    uint8_t page[SYNC_PROBE_PAGE];
};

/* Writes and syncs one page a hundred times on a thread of its own, then logs the times. A failure is a log line. */
void sync_probe_start(struct sync_probe *probe, struct fs *fs, struct clock *clock);
/* Ends it early if need be; the file is removed. */
void sync_probe_stop(struct sync_probe *probe);

#endif
