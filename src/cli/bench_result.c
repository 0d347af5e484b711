/* A row of the table for people, or a JSON object for scripts, with times in nanoseconds. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_result.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/json_writer.h"
#include "base/units.h"

static const double percents[] = {50, 99, 99.9};
static const char *const percent_names[] = {"p50", "p99", "p99.9"};

enum { PERCENTS = sizeof percents / sizeof percents[0] };

struct bench_result *bench_result_new(const char *name)
{
    struct bench_result *result = calloc(1, sizeof *result);
    if (result == NULL)
        return NULL;
    result->name = name;
    histogram_init(&result->latency);
    return result;
}

struct bench_result *bench_result_free(struct bench_result *result)
{
    free(result);
    return NULL;
}

void bench_result_add(struct bench_result *result, int64_t since_start_ns, uint64_t count, uint64_t bytes)
{
    int64_t second = since_start_ns / CLOCK_NS_PER_S;
    result->count += count;
    result->bytes += bytes;
    result->took_ns = since_start_ns;
    if (second < BENCH_SECONDS_MAX)
        result->by_second[second] += count;
}

double bench_result_rate(const struct bench_result *result)
{
    return result->took_ns > 0 ? (double)result->count * 1e9 / (double)result->took_ns : 0;
}

void bench_result_print_head(void)
{
    (void)printf("%-36s %12s %9s %9s %9s %9s %9s\n", "", "per second", "MB/s", "p50", "p99", "p99.9",
                 "x floor");
}

void bench_result_print(const struct bench_result *result, double floor)
{
    double rate = bench_result_rate(result);
    char text[UNITS_TEXT_SIZE];
    (void)printf("%-36s %12.0f %9.1f", result->name, rate,
                 result->took_ns > 0 ? (double)result->bytes * 1e3 / (double)result->took_ns : 0);
    for (unsigned i = 0; i < PERCENTS; i++) {
        int64_t ns = (int64_t)histogram_percentile(&result->latency, percents[i]);
        (void)printf(" %9s", result->latency.count > 0 ? units_about_duration(text, ns) : "-");
    }
    if (floor > 0)
        (void)printf(" %9.2f", rate / floor);
    (void)printf(result->refused > 0 ? "  %llu refused\n" : "\n", (unsigned long long)result->refused);
    (void)fflush(stdout);
}

static void write_number(struct json_writer *writer, const char *name, uint64_t value)
{
    json_write_name(writer, name);
    json_write_u64(writer, value);
}

static void write_latency(struct json_writer *writer, const struct histogram *latency)
{
    json_write_name(writer, "latency_ns");
    json_write_object_begin(writer);
    write_number(writer, "samples", latency->count);
    for (unsigned i = 0; i < PERCENTS; i++)
        write_number(writer, percent_names[i], histogram_percentile(latency, percents[i]));
    write_number(writer, "max", latency->max);
    json_write_object_end(writer);
}

enum err bench_result_print_json(const struct bench_result *result)
{
    struct json_writer writer;
    struct buffer text;
    buffer_init(&text, 256 * 1024);
    json_writer_init(&writer, &text);
    json_write_object_begin(&writer);
    json_write_name(&writer, "name");
    json_write_text(&writer, span_from_text(result->name));
    write_number(&writer, "count", result->count);
    write_number(&writer, "bytes", result->bytes);
    write_number(&writer, "refused", result->refused);
    write_number(&writer, "took_ns", (uint64_t)result->took_ns);
    write_number(&writer, "cpu_ns", (uint64_t)result->cpu_ns);
    write_number(&writer, "per_second", (uint64_t)bench_result_rate(result));
    write_latency(&writer, &result->latency);
    json_write_name(&writer, "by_second");
    json_write_array_begin(&writer);
    for (int64_t i = 0; i < BENCH_SECONDS_MAX && i < result->took_ns / CLOCK_NS_PER_S; i++)
        json_write_u64(&writer, result->by_second[i]);
    json_write_array_end(&writer);
    json_write_object_end(&writer);
    if (writer.err == ERR_NONE)
        (void)printf("%.*s\n", (int)text.len, (const char *)text.data);
    (void)fflush(stdout);
    buffer_done(&text);
    return writer.err;
}

int64_t bench_cpu_ns(void)
{
    struct timespec used;
    check(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0);
    return used.tv_sec * CLOCK_NS_PER_S + used.tv_nsec;
}
