/* waybill bench: loads of several kinds, on a running Waybill or on one of its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/bench_disk.h"
#include "cli/bench_flood.h"
#include "cli/bench_loop.h"
#include "cli/bench_options.h"
#include "cli/bench_produce.h"
#include "cli/bench_question.h"
#include "cli/bench_subscribe.h"
#include "cli/bench_tail.h"
#include "cli/bench_tour.h"
#include "cli/command.h"

static const char usage[] =
    "usage: waybill bench [DIR] [--time 10s] [--json]\n"
    "       waybill bench disk [DIR] [--size 4KiB]\n"
    "       waybill bench produce [--connections 1] [--window 10000 | --plain] [--pace TIME] [LINES]\n"
    "       waybill bench flood [--connections 1] [--window 10000 | --plain] [--pace 1ms] [LINES]\n"
    "       waybill bench acks|status [--depth 1000] [--first-seq N] --count N\n"
    "       waybill bench subscribe TOPIC [--connections 1] [--from-end] [--group G [--groups 1] [--window "
    "10000]]\n"
    "       waybill bench loop TOPIC [--group G] [--subscribe HOST:PORT] [--status HOST:PORT] [LINES]\n"
    "       waybill bench tail TOPIC [-c FILE | --data DIR]\n\n"
    "Without a verb: what the disk under DIR (default: here) syncs, and what a Waybill on it does, which is\n"
    "started for that and removed again. The verbs put one load on a Waybill that runs:\n"
    "disk     writes and syncs, one after the other, in a file that was written before\n"
    "produce  lines in acknowledged mode with so many open, or plain ones; --count N ends after N lines\n"
    "flood    a slow sender alone, then beside so many that send all they can\n"
    "acks     GET_ACK for random numbers among the N from --first-seq on; --depth 1: one by one\n"
    "status   GET_STATUS likewise\n"
    "subscribe  the records of a topic; as members of groups G-0, G-1 ... done with each at once, and ended "
    "when that\n"
    "         is synced; --count N ends after N lines of all connections together\n"
    "loop     one message after the other: stored in TOPIC, subscribed, done, until GET_STATUS says "
    "PROCESSED\n"
    "tail     the records of a topic from its start, as far as --time goes\n"
    "LINES: --size 100B --keys 37 (0: random) --topics 1 --first-seq N --fields 'key|timestamp|seq|body',\n"
    "the fields as the door has them; a field `topic` becomes topic-00, topic-01 ... --address HOST:PORT.\n"
    "produce, flood, acks, status, subscribe: --tls --ca FILE [--name localhost] for a door with TLS whose "
    "certificate "
    "is for "
    "that name.\n";

/* 127.0.0.1:5673, :5675 and :5676 are the doors of a server without a configuration. */
static const char produce_address[] = "127.0.0.1:5673";
static const char acks_address[] = "127.0.0.1:5675";
static const char subscribe_address[] = "127.0.0.1:5674";
static const char status_address[] = "127.0.0.1:5676";

static struct bench_end end_of(const struct bench_options *options)
{
    return (struct bench_end){.at_ns = clock_now_ns(clock_linux()) + options->time_ns,
                              .count = options->count};
}

static enum err show(const struct bench_options *options, const struct bench_result *result, bool with_head)
{
    if (options->is_json)
        return bench_result_print_json(result);
    if (with_head)
        bench_result_print_head();
    bench_result_print(result, 0);
    return ERR_NONE;
}

/* *ret_trust is to be ended with tls_context_unref(context). */
static enum err
open_trust(const struct bench_options *options, struct why *why, struct bench_trust *ret_trust)
{
    *ret_trust = (struct bench_trust){.name = options->name};
    return options->is_tls ? tls_context_new_client(options->ca, why, &ret_trust->context) : ERR_NONE;
}

static struct bench_produce_settings produce_settings(const struct bench_options *options)
{
    return (struct bench_produce_settings){
        .sender = {.address = options->address != NULL ? options->address : produce_address,
                   .shape = {.fields = options->fields,
                             .size = options->size != 0 ? (uint32_t)options->size : 100,
                             .keys = (uint32_t)options->keys,
                             .topics = (uint32_t)options->topics},
                   .window = options->is_plain ? 0 : (uint32_t)options->window},
        .connections = (uint32_t)options->connections,
        .first_seq = options->first_seq,
        .pace_ns = options->pace_ns,
        .end = end_of(options),
    };
}

static enum err run_disk(const struct bench_options *options, struct bench_result *result, struct why *why)
{
    struct bench_disk_settings settings = {
        .directory = options->argument != NULL ? options->argument : ".",
        .write_size = options->size != 0 ? (uint32_t)options->size : 4096,
        .time_ns = options->time_ns,
        .count = options->count,
    };
    return bench_disk_run(&settings, result, why);
}

static enum err run_produce(const struct bench_options *options, struct bench_result *result, struct why *why)
{
    struct bench_produce_settings settings = produce_settings(options);
    enum err err = open_trust(options, why, &settings.sender.trust);
    if (err == ERR_NONE)
        err = bench_produce_run(&settings, result, why);
    tls_context_unref(settings.sender.trust.context);
    return err;
}

static enum err ask(const struct bench_options *options,
                    const struct bench_question_kind *kind,
                    const char *address,
                    struct bench_result *result,
                    struct why *why)
{
    if (options->count == 0)
        return why_set(why, ERR_BAD_INPUT, "--count N says how many numbers there are to ask about");
    struct bench_question_settings settings = {
        .kind = kind,
        .address = options->address != NULL ? options->address : address,
        .depth = (uint32_t)options->depth,
        .first_seq = options->first_seq,
        .behind_seq = options->first_seq + options->count,
        .end = end_of(options),
    };
    settings.end.count = 0;
    enum err err = open_trust(options, why, &settings.trust);
    if (err == ERR_NONE)
        err = bench_question_run(&settings, result, why);
    tls_context_unref(settings.trust.context);
    return err;
}

static enum err run_acks(const struct bench_options *options, struct bench_result *result, struct why *why)
{
    return ask(options, &bench_question_acks, acks_address, result, why);
}

static enum err run_status(const struct bench_options *options, struct bench_result *result, struct why *why)
{
    return ask(options, &bench_question_status, status_address, result, why);
}

static enum err
run_subscribe(const struct bench_options *options, struct bench_result *result, struct why *why)
{
    if (options->argument == NULL)
        return why_set(why, ERR_BAD_INPUT, "which topic?");
    struct bench_subscribe_settings settings = {
        .subscriber = {.address = options->address != NULL ? options->address : subscribe_address,
                       .topic = options->argument,
                       .from = options->is_from_end ? "FROM_END" : "FROM_START",
                       .window = (uint32_t)options->window},
        .group = options->group,
        .groups = (uint32_t)options->groups,
        .connections = (uint32_t)options->connections,
        .end = end_of(options),
    };
    enum err err = open_trust(options, why, &settings.subscriber.trust);
    if (err == ERR_NONE)
        err = bench_subscribe_run(&settings, result, why);
    tls_context_unref(settings.subscriber.trust.context);
    return err;
}

static enum err run_loop(const struct bench_options *options, struct bench_result *result, struct why *why)
{
    struct bench_produce_settings produce = produce_settings(options);
    if (options->argument == NULL)
        return why_set(why, ERR_BAD_INPUT, "which topic?");
    struct bench_loop_settings settings = {
        .produce_address = produce.sender.address,
        .subscribe_address = options->subscribe != NULL ? options->subscribe : subscribe_address,
        .status_address = options->status != NULL ? options->status : status_address,
        .topic = options->argument,
        .group = options->group != NULL ? options->group : "bench-loop",
        .shape = produce.sender.shape,
        .first_seq = options->first_seq,
        .end = end_of(options),
    };
    enum err err = open_trust(options, why, &settings.trust);
    if (err == ERR_NONE)
        err = bench_loop_run(&settings, result, why);
    tls_context_unref(settings.trust.context);
    return err;
}

static enum err run_tail(const struct bench_options *options, struct bench_result *result, struct why *why)
{
    char data[PATH_MAX];
    if (options->argument == NULL)
        return why_set(why, ERR_BAD_INPUT, "which topic?");
    if (options->data == NULL && !command_data_directory(options->config, data))
        return ERR_CONFIG;
    struct bench_tail_settings settings = {
        .data = options->data != NULL ? options->data : data,
        .topic = options->argument,
        .end = end_of(options),
    };
    return bench_tail_run(&settings, result, why);
}

/* Three results instead of one: it shows them itself and leaves the verb's own empty. */
static enum err run_flood(const struct bench_options *options, struct bench_result *result, struct why *why)
{
    struct bench_flood_settings settings = {.flood = produce_settings(options), .time_ns = options->time_ns};
    struct bench_flood_results results = {result, bench_result_new("the same beside a flood"),
                                          bench_result_new("the flood")};
    enum err err = open_trust(options, why, &settings.flood.sender.trust);
    settings.slow = settings.flood;
    settings.slow.connections = 1;
    settings.slow.sender.window = 1;
    settings.slow.pace_ns = options->pace_ns != 0 ? options->pace_ns : CLOCK_NS_PER_MS;
    settings.flood.pace_ns = 0;
    settings.flood.first_seq = options->first_seq + BENCH_SEQ_FIRST;
    if (results.beside == NULL || results.flood == NULL)
        err = ERR_MEMORY;
    if (err == ERR_NONE)
        err = bench_flood_run(&settings, &results, why);
    if (err == ERR_NONE)
        err = show(options, results.alone, true);
    if (err == ERR_NONE)
        err = show(options, results.beside, false);
    if (err == ERR_NONE)
        err = show(options, results.flood, false);
    tls_context_unref(settings.flood.sender.trust.context);
    results.beside = bench_result_free(results.beside);
    results.flood = bench_result_free(results.flood);
    return err;
}

struct verb {
    const char *name;
    const char *result; /* its name */
    enum err (*run)(const struct bench_options *options, struct bench_result *result, struct why *why);
    bool shows_itself;
};

static const struct verb verbs[] = {
    {"disk", "write and sync", run_disk, false},
    {"produce", "lines stored", run_produce, false},
    {"flood", "a slow sender alone", run_flood, true},
    {"acks", "GET_ACK", run_acks, false},
    {"status", "GET_STATUS", run_status, false},
    {"tail", "lines read", run_tail, false},
    {"subscribe", "lines subscribed", run_subscribe, false},
    {"loop", "messages processed", run_loop, false},
};

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static enum err run_verb(const struct verb *verb, const struct bench_options *options, struct why *why)
{
    struct bench_result *result = bench_result_new(verb->result);
    if (result == NULL)
        return ERR_MEMORY;
    enum err err = verb->run(options, result, why);
    if (err == ERR_NONE && !verb->shows_itself)
        err = show(options, result, true);
    result = bench_result_free(result);
    return err;
}

int bench_command(int count, char **words)
{
    struct bench_options options;
    struct why why = {0};
    bool wants_help = false;
    const struct verb *verb = find_verb(words[1]);
    int skipped = verb != NULL ? 1 : 0;
    if (!bench_options_parse(&options, count - skipped, words + skipped, &wants_help)) {
        if (wants_help)
            (void)fputs(usage, stdout);
        return wants_help ? COMMAND_FINE : COMMAND_WRONG;
    }
    const char *directory = options.argument != NULL ? options.argument : ".";
    bench_hold_signals();
    enum err err;
    if (verb == NULL)
        err = bench_tour_run(directory, options.time_ns, options.is_json, &why);
    else
        err = run_verb(verb, &options, &why);
    if (err == ERR_NONE)
        return COMMAND_FINE;
    return command_failed(err == ERR_BAD_INPUT ? COMMAND_WRONG : COMMAND_NOT_SO, "%s",
                          why.text[0] == '\0' ? err_text(err) : why.text);
}
