/* One table of options; each verb knows some of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/letter_options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/json_writer.h"

static const struct option options_table[] = {{"from", required_argument, NULL, 'f'},
                                              {"to", required_argument, NULL, 't'},
                                              {"reason", required_argument, NULL, 'r'},
                                              {"key", required_argument, NULL, 'k'},
                                              {"limit", required_argument, NULL, 'l'},
                                              {"rate", required_argument, NULL, 'R'},
                                              {"delivery", required_argument, NULL, 'D'},
                                              {"dry-run", no_argument, NULL, 'n'},
                                              {"last-retry", no_argument, NULL, 'L'},
                                              {"reroute", no_argument, NULL, 'o'},
                                              {"all", no_argument, NULL, 'a'},
                                              {"detach", no_argument, NULL, 'b'},
                                              {"topic", required_argument, NULL, 'T'},
                                              {"correlation-id", required_argument, NULL, 'C'},
                                              {"event", required_argument, NULL, 'e'},
                                              {"json", no_argument, NULL, 'j'},
                                              {"config", required_argument, NULL, 'c'},
                                              {"data", required_argument, NULL, 'd'},
                                              {"help", no_argument, NULL, 'h'},
                                              {NULL, 0, NULL, 0}};

static bool take_number(const char *verb, const char *name, uint64_t *to, int *ret_code)
{
    if (span_to_u64(span_from_text(optarg), to) && *to > 0)
        return true;
    *ret_code = command_misused(verb, "`--%s %s`: this takes a number from 1", name, optarg);
    return false;
}

static void take_text(struct letter_options *options, int option)
{
    switch (option) {
    case 'f': options->from = optarg; break;
    case 't': options->to = optarg; break;
    case 'r': options->reason = optarg; break;
    case 'k': options->key = optarg; break;
    case 'D': options->delivery = optarg; break;
    case 'T': options->topic = optarg; break;
    case 'C': options->correlation_id = optarg; break;
    case 'e': options->event = optarg; break;
    case 'c': options->config = optarg; break;
    case 'd': options->data = optarg; break;
    default: break;
    }
}

static void take_flag(struct letter_options *options, int option)
{
    switch (option) {
    case 'n': options->is_dry = true; break;
    case 'L': options->is_last_retry = true; break;
    case 'o': options->is_reroute = true; break;
    case 'a': options->is_all = true; break;
    case 'b': options->is_detached = true; break;
    case 'j': options->is_json = true; break;
    default: break;
    }
}

/* False: misuse, or help. */
static bool take(const struct letter_verb *verb, struct letter_options *options, int option, int *ret_code)
{
    if (option == 'h') {
        (void)fputs(verb->usage, stdout);
        *ret_code = COMMAND_FINE;
        return false;
    }
    if (option == '?')
        return false;
    if (strchr("jcdh", option) == NULL && strchr(verb->known, option) == NULL) {
        *ret_code = command_misused(verb->name, "it does not know this option");
        return false;
    }
    if (option == 'l')
        return take_number(verb->name, "limit", &options->limit, ret_code);
    if (option == 'R')
        return take_number(verb->name, "rate", &options->rate, ret_code);
    take_text(options, option);
    take_flag(options, option);
    return true;
}

bool letter_options_parse(const struct letter_verb *verb,
                          int count,
                          char **words,
                          struct letter_options *ret_options,
                          int *ret_code)
{
    struct letter_options parsed = {.limit = 0};
    *ret_code = COMMAND_WRONG;
    optind = 1;
    for (int option; (option = getopt_long(count, words, "c:", options_table, NULL)) != -1;)
        if (!take(verb, &parsed, option, ret_code))
            return false;
    parsed.word_count = count - optind;
    if (parsed.word_count < verb->words_min || parsed.word_count > verb->words_max) {
        *ret_code = command_misused(verb->name, "it takes %d to %d words", verb->words_min, verb->words_max);
        return false;
    }
    for (int i = 0; i < parsed.word_count; i++)
        parsed.words[i] = words[optind + i];
    *ret_options = parsed;
    return true;
}

/* --- The request ---------------------------------------------------------------------------------- */

static void put_text(struct json_writer *writer, const char *name, const char *text)
{
    if (text == NULL)
        return;
    json_write_name(writer, name);
    json_write_text(writer, span_from_text(text));
}

static void put_number(struct json_writer *writer, const char *name, uint64_t value)
{
    if (value == 0)
        return;
    json_write_name(writer, name);
    json_write_u64(writer, value);
}

static void put_flag(struct json_writer *writer, const char *name, bool is_set)
{
    if (!is_set)
        return;
    json_write_name(writer, name);
    json_write_bool(writer, true);
}

enum err letter_options_put(struct buffer *request, const char *op, const struct letter_options *options)
{
    struct json_writer writer;
    json_writer_init(&writer, request);
    json_write_object_begin(&writer);
    put_text(&writer, "op", op);
    put_text(&writer, "topic", options->topic);
    put_text(&writer, "from", options->from);
    put_text(&writer, "to", options->to);
    put_text(&writer, "reason", options->reason);
    put_text(&writer, "key", options->key);
    put_text(&writer, "delivery", options->delivery);
    put_text(&writer, "correlation_id", options->correlation_id);
    put_text(&writer, "event", options->event);
    put_number(&writer, "limit", options->limit);
    put_number(&writer, "rate", options->rate);
    put_flag(&writer, "whole", options->is_whole);
    put_flag(&writer, "dry_run", options->is_dry);
    put_flag(&writer, "last_retry", options->is_last_retry);
    put_flag(&writer, "reroute", options->is_reroute);
    json_write_object_end(&writer);
    return writer.err;
}
