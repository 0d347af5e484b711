/* Ends the process when a disk that does not answer would hold up its end. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_STOP_GUARD_H
#define APP_STOP_GUARD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct stop_guard {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t due_ns;
    bool is_over;
    bool is_running;
};

/*
 * From now on the process has so long: then it ends with exit code 0 and a log line, whatever its threads wait for. What was
 * acknowledged is synced; what was not was promised to nobody.
 */
void stop_guard_start(struct stop_guard *guard, int64_t timeout_ns);
/* All has come to its end in time. */
void stop_guard_stop(struct stop_guard *guard);

#endif
