/* The disk's own rate first, then loads on a server of its own, each beside that rate. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_tour.h"

#include <stdio.h>

#include "base/clock.h"
#include "cli/bench_disk.h"
#include "cli/bench_produce.h"
#include "cli/bench_question.h"
#include "cli/bench_server.h"
#include "cli/bench_tail.h"

struct bench_tour {
    struct bench_server server;
    int64_t time_ns;
    bool is_json;
    double floor; /* syncs of 4 KiB per second */
    uint64_t next_seq;
};

/* One row: takes the result. */
static enum err show(struct bench_tour *tour, struct bench_result *result)
{
    enum err err = ERR_NONE;
    if (tour->is_json)
        err = bench_result_print_json(result);
    else
        bench_result_print(result, tour->floor);
    result = bench_result_free(result);
    return err;
}

static struct bench_end end_after(const struct bench_tour *tour)
{
    return (struct bench_end){.at_ns = clock_now_ns(clock_linux()) + tour->time_ns};
}

static enum err measure_disk(struct bench_tour *tour, const char *name, uint32_t size, struct why *why)
{
    struct bench_disk_settings settings = {
        .directory = tour->server.directory, .write_size = size, .time_ns = tour->time_ns};
    struct bench_result *result = bench_result_new(name);
    if (result == NULL)
        return ERR_MEMORY;
    enum err err = bench_disk_run(&settings, result, why);
    if (err == ERR_NONE && tour->floor <= 0)
        tour->floor = bench_result_rate(result);
    enum err shown = show(tour, result);
    return err == ERR_NONE ? shown : err;
}

static enum err measure_produce(
    struct bench_tour *tour, const char *name, uint32_t connections, uint32_t window, struct why *why)
{
    struct bench_produce_settings settings = {
        .sender = {.address = tour->server.produce,
                   .shape = {.fields = "key|timestamp|seq|body", .size = 100, .keys = 37, .topics = 1},
                   .window = window},
        .connections = connections,
        .first_seq = tour->next_seq,
        .end = end_after(tour),
    };
    struct bench_result *result = bench_result_new(name);
    if (result == NULL)
        return ERR_MEMORY;
    enum err err = bench_produce_run(&settings, result, why);
    tour->next_seq += result->count;
    enum err shown = show(tour, result);
    return err == ERR_NONE ? shown : err;
}

static enum err measure_acks(struct bench_tour *tour, const char *name, uint32_t depth, struct why *why)
{
    struct bench_question_settings settings = {.kind = &bench_question_acks,
                                               .address = tour->server.acks,
                                               .depth = depth,
                                               .first_seq = BENCH_SEQ_FIRST,
                                               .behind_seq = tour->next_seq,
                                               .end = end_after(tour)};
    struct bench_result *result = bench_result_new(name);
    if (result == NULL)
        return ERR_MEMORY;
    enum err err = bench_question_run(&settings, result, why);
    enum err shown = show(tour, result);
    return err == ERR_NONE ? shown : err;
}

static enum err measure_tail(struct bench_tour *tour, const char *name, struct why *why)
{
    struct bench_tail_settings settings = {
        .data = tour->server.data, .topic = "bench", .end = end_after(tour)};
    struct bench_result *result = bench_result_new(name);
    if (result == NULL)
        return ERR_MEMORY;
    enum err err = bench_tail_run(&settings, result, why);
    enum err shown = show(tour, result);
    return err == ERR_NONE ? shown : err;
}

static enum err measure(struct bench_tour *tour, struct why *why)
{
    enum err err = measure_disk(tour, "disk: write and sync 4 KiB", 4096, why);
    if (err == ERR_NONE)
        err = measure_disk(tour, "disk: write and sync 1 MiB", 1024 * 1024, why);
    if (err == ERR_NONE)
        err = measure_produce(tour, "1 sender, 1 line open", 1, 1, why);
    if (err == ERR_NONE)
        err = measure_produce(tour, "64 senders, 1 line open each", 64, 1, why);
    if (err == ERR_NONE)
        err = measure_produce(tour, "1 sender, 10,000 lines open", 1, 10000, why);
    if (err == ERR_NONE)
        err = measure_acks(tour, "GET_ACK, one by one", 1, why);
    if (err == ERR_NONE)
        err = measure_acks(tour, "GET_ACK, 1,000 in flight", 1000, why);
    return err == ERR_NONE ? measure_tail(tour, "tail from the start", why) : err;
}

enum err bench_tour_run(const char *directory, int64_t time_ns, bool is_json, struct why *why)
{
    struct bench_tour tour = {.time_ns = time_ns, .is_json = is_json, .next_seq = BENCH_SEQ_FIRST};
    enum err err = bench_server_start(&tour.server, directory, why);
    if (err == ERR_NONE) {
        if (!is_json)
            bench_result_print_head();
        err = measure(&tour, why);
    }
    bench_server_stop(&tour.server);
    return err;
}
