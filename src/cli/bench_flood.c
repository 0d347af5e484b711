/* The flood has a thread of its own, so that the slow sender's clock is not held up by it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_flood.h"

#include <pthread.h>

#include "base/clock.h"

/* The slow sender is measured only when the flood has filled what there is to fill. */
#define RISE_NS (500 * CLOCK_NS_PER_MS)

struct flood {
    struct bench_produce_settings settings;
    struct bench_result *result;
    struct why why;
    enum err err;
    _Atomic bool is_over;
};

static void *run_flood(void *argument)
{
    struct flood *flood = argument;
    flood->err = bench_produce_run(&flood->settings, flood->result, &flood->why);
    return NULL;
}

static enum err run_slow(const struct bench_flood_settings *settings,
                         uint64_t seq,
                         struct bench_result *result,
                         struct why *why)
{
    struct bench_produce_settings slow = settings->slow;
    slow.first_seq = seq;
    slow.end = (struct bench_end){.at_ns = clock_now_ns(clock_linux()) + settings->time_ns};
    return bench_produce_run(&slow, result, why);
}

static void wait_for_rise(void)
{
    struct bench_end end = {.at_ns = clock_now_ns(clock_linux()) + RISE_NS};
    while (!bench_end_is_reached(&end, clock_now_ns(clock_linux()), 0))
        (void)nanosleep(&(struct timespec){.tv_nsec = CLOCK_NS_PER_MS}, NULL);
}

enum err bench_flood_run(const struct bench_flood_settings *settings,
                         const struct bench_flood_results *results,
                         struct why *why)
{
    struct flood flood = {.settings = settings->flood, .result = results->flood};
    pthread_t thread;
    flood.settings.end = (struct bench_end){.at_ns = INT64_MAX, .asked = &flood.is_over};
    enum err err = run_slow(settings, settings->slow.first_seq, results->alone, why);
    if (err != ERR_NONE)
        return err;
    if (pthread_create(&thread, NULL, run_flood, &flood) != 0)
        return ERR_SYSTEM;
    wait_for_rise();
    err = run_slow(settings, settings->slow.first_seq + results->alone->count, results->beside, why);
    atomic_store(&flood.is_over, true);
    check(pthread_join(thread, NULL) == 0);
    if (err == ERR_NONE && flood.err != ERR_NONE)
        err = why_set(why, flood.err, "the flood: %s", flood.why.text);
    return err;
}
