/* Words become numbers by two tables, so that every limit stands in one place. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_options.h"

#include <getopt.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "base/units.h"
#include "cli/bench_lines.h"
#include "cli/bench_question.h"
#include "cli/bench_result.h"
#include "cli/bench_subscribe.h"
#include "cli/command.h"

enum { FIRST_NUMBER = 1000, LINE_SIZE_MAX = 1024 * 1024, TOPICS_MAX = 100 };

struct number {
    size_t offset;
    uint64_t min;
    uint64_t max;
};

/* The values of getopt_long for numbers are FIRST_NUMBER and up, in this order. */
static const struct number numbers[] = {
    {offsetof(struct bench_options, connections), 1, 20000},
    {offsetof(struct bench_options, window), 1, 1000000},
    {offsetof(struct bench_options, keys), 0, 1000000},
    {offsetof(struct bench_options, topics), 1, TOPICS_MAX},
    {offsetof(struct bench_options, depth), 1, BENCH_QUESTION_DEPTH_MAX},
    {offsetof(struct bench_options, first_seq), BENCH_SEQ_FIRST, BENCH_SEQ_LAST},
    {offsetof(struct bench_options, count), 1, BENCH_SEQ_LAST - BENCH_SEQ_FIRST},
    {offsetof(struct bench_options, groups), 1, BENCH_SUBSCRIBERS_MAX},
};

static const struct option long_options[] = {
    {"connections", required_argument, NULL, FIRST_NUMBER},
    {"window", required_argument, NULL, FIRST_NUMBER + 1},
    {"keys", required_argument, NULL, FIRST_NUMBER + 2},
    {"topics", required_argument, NULL, FIRST_NUMBER + 3},
    {"depth", required_argument, NULL, FIRST_NUMBER + 4},
    {"first-seq", required_argument, NULL, FIRST_NUMBER + 5},
    {"count", required_argument, NULL, FIRST_NUMBER + 6},
    {"groups", required_argument, NULL, FIRST_NUMBER + 7},
    {"group", required_argument, NULL, 'g'},
    {"subscribe", required_argument, NULL, 'S'},
    {"status", required_argument, NULL, 'Q'},
    {"from-end", no_argument, NULL, 'F'},
    {"address", required_argument, NULL, 'a'},
    {"fields", required_argument, NULL, 'f'},
    {"data", required_argument, NULL, 'd'},
    {"config", required_argument, NULL, 'c'},
    {"ca", required_argument, NULL, 'r'},
    {"name", required_argument, NULL, 'n'},
    {"tls", no_argument, NULL, 'T'},
    {"size", required_argument, NULL, 's'},
    {"time", required_argument, NULL, 't'},
    {"pace", required_argument, NULL, 'e'},
    {"plain", no_argument, NULL, 'p'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool refuse(const char *verb, const char *text, const char *what)
{
    (void)command_misused("bench", "%s: `%s`: this takes %s", verb, text, what);
    return false;
}

static bool take_number(struct bench_options *options, const struct number *number, const char *text)
{
    char what[64];
    uint64_t *target = (uint64_t *)(void *)((char *)options + number->offset);
    if (span_to_u64(span_from_text(text), target) && *target >= number->min && *target <= number->max)
        return true;
    (void)snprintf(what, sizeof what, "a number from %" PRIu64 " to %" PRIu64, number->min, number->max);
    return refuse(options->verb, text, what);
}

static bool take_size(struct bench_options *options, const char *text)
{
    if (units_parse_size(span_from_text(text), &options->size) && options->size >= 1 &&
        options->size <= LINE_SIZE_MAX)
        return true;
    return refuse(options->verb, text, "a size up to 1MiB, like 100B or 4KiB");
}

static bool take_duration(struct bench_options *options, const char *text, int64_t *ret_ns)
{
    if (units_parse_duration(span_from_text(text), ret_ns) && *ret_ns > 0 &&
        *ret_ns <= BENCH_SECONDS_MAX * INT64_C(1000000000))
        return true;
    return refuse(options->verb, text, "a duration up to 1h, like 10s or 500us");
}

static bool take_option(struct bench_options *options, int option, bool *ret_wants_help)
{
    switch (option) {
    case 'a': options->address = optarg; return true;
    case 'f': options->fields = optarg; return true;
    case 'd': options->data = optarg; return true;
    case 'c': options->config = optarg; return true;
    case 'r': options->ca = optarg; return true;
    case 'n': options->name = optarg; return true;
    case 'T': options->is_tls = true; return true;
    case 's': return take_size(options, optarg);
    case 't': return take_duration(options, optarg, &options->time_ns);
    case 'e': return take_duration(options, optarg, &options->pace_ns);
    case 'g': options->group = optarg; return true;
    case 'S': options->subscribe = optarg; return true;
    case 'Q': options->status = optarg; return true;
    case 'F': options->is_from_end = true; return true;
    case 'p': options->is_plain = true; return true;
    case 'j': options->is_json = true; return true;
    case 'h': *ret_wants_help = true; return false;
    default: return option >= FIRST_NUMBER && take_number(options, &numbers[option - FIRST_NUMBER], optarg);
    }
}

bool bench_options_parse(struct bench_options *options, int count, char **words, bool *ret_wants_help)
{
    *options = (struct bench_options){
        .verb = words[0],
        .name = "localhost",
        .fields = "key|timestamp|seq|body",
        .connections = 1,
        .window = 10000,
        .keys = 37,
        .topics = 1,
        .depth = 1000,
        .groups = 1,
        .first_seq = BENCH_SEQ_FIRST,
        .time_ns = INT64_C(10000000000),
        .pace_ns = 0,
    };
    *ret_wants_help = false;
    optind = 1;
    for (int option; (option = getopt_long(count, words, "c:", long_options, NULL)) != -1;)
        if (!take_option(options, option, ret_wants_help))
            return false;
    if (optind + 1 < count) {
        (void)command_misused("bench", "%s: it takes one argument at most", words[0]);
        return false;
    }
    if (options->is_tls != (options->ca != NULL)) {
        (void)command_misused("bench", "%s: --tls and --ca FILE go together", words[0]);
        return false;
    }
    options->argument = words[optind];
    return true;
}
