/* A thread that waits for the end, but not for ever. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/stop_guard.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static void *run(void *argument)
{
    struct stop_guard *guard = argument;
    struct timespec due = {.tv_sec = guard->due_ns / CLOCK_NS_PER_S,
                           .tv_nsec = guard->due_ns % CLOCK_NS_PER_S};
    check(pthread_mutex_lock(&guard->lock) == 0);
    int waited = 0;
    while (!guard->is_over && waited == 0)
        waited = pthread_cond_timedwait(&guard->changed, &guard->lock, &due);
    if (!guard->is_over) {
        log_line(LOG_ERROR, "app", "the disk does not answer: stopping without it", NULL);
        _exit(EXIT_SUCCESS);
    }
    check(pthread_mutex_unlock(&guard->lock) == 0);
    return NULL;
}

void stop_guard_start(struct stop_guard *guard, int64_t timeout_ns)
{
    pthread_condattr_t monotonic;
    *guard = (struct stop_guard){.due_ns = clock_now_ns(clock_linux()) + timeout_ns};
    check(pthread_condattr_init(&monotonic) == 0);
    check(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    check(pthread_mutex_init(&guard->lock, NULL) == 0);
    check(pthread_cond_init(&guard->changed, &monotonic) == 0);
    check(pthread_condattr_destroy(&monotonic) == 0);
    guard->is_running = pthread_create(&guard->thread, NULL, run, guard) == 0;
    if (!guard->is_running)
        log_line(LOG_WARN, "app", "no thread to watch over the end: it may take longer than `drain`", NULL);
}

void stop_guard_stop(struct stop_guard *guard)
{
    check(pthread_mutex_lock(&guard->lock) == 0);
    guard->is_over = true;
    check(pthread_cond_signal(&guard->changed) == 0);
    check(pthread_mutex_unlock(&guard->lock) == 0);
    if (guard->is_running)
        check(pthread_join(guard->thread, NULL) == 0);
    check(pthread_cond_destroy(&guard->changed) == 0);
    check(pthread_mutex_destroy(&guard->lock) == 0);
}
