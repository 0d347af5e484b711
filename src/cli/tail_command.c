/* waybill tail: the records of a topic as canonical lines. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/control_client.h"
#include "cli/tail_json.h"

static const char usage[] =
    "usage: waybill tail TOPIC [--from start|end|OFFSET|PARTITION:OFFSET] [--limit N] [--once]\n"
    "                    [--group G] [--base64 | --json] [-c FILE | --data DIR]\n\n"
    "Prints records as lines SEQ|KEY|TIMESTAMP|BODY and waits for more until it is interrupted.\n"
    "--from    where to begin; default end, or with --group where the group is, and start for a new one\n"
    "--limit   ends after so many lines\n"
    "--once    ends where the topic ends, instead of waiting\n"
    "--group   as a member of that group: what is printed is done for it\n"
    "--base64  key and body in base64: exact for any bytes\n"
    "--json    one object a line: seq (or place), key, timestamp, body; what is no UTF-8 as key_base64, "
    "body_base64\n"
    "Exit code 1 when the records end before they should: what failed is on standard error.\n";

struct tail_options {
    const char *topic;
    const char *from;  /* NULL: the default */
    const char *group; /* NULL: none */
    uint64_t limit;
    bool is_once;
    bool is_base64;
    bool is_json;
    const char *config;
    const char *data;
};

static void put_text(struct json_writer *writer, const char *name, const char *text)
{
    if (text == NULL)
        return;
    json_write_name(writer, name);
    json_write_text(writer, span_from_text(text));
}

static enum err put_request(struct buffer *request, const struct tail_options *options)
{
    struct json_writer writer;
    json_writer_init(&writer, request);
    json_write_object_begin(&writer);
    put_text(&writer, "op", "tail");
    put_text(&writer, "topic", options->topic);
    put_text(&writer, "from", options->from);
    put_text(&writer, "group", options->group);
    json_write_name(&writer, "follow");
    json_write_bool(&writer, !options->is_once);
    if (options->limit > 0) {
        json_write_name(&writer, "limit");
        json_write_u64(&writer, options->limit);
    }
    put_text(&writer, "encoding", options->is_base64 || options->is_json ? "base64" : NULL);
    json_write_object_end(&writer);
    return writer.err;
}

/* `json` is NULL: as they come. */
static enum err copy_records(struct control_client *client, struct tail_json *json, struct why *why)
{
    struct span bytes;
    enum err err;
    while ((err = control_client_read_records(client, &bytes, why)) == ERR_NONE) {
        if (json == NULL)
            (void)fwrite(bytes.data, 1, bytes.len, stdout);
        else
            err = tail_json_print(json, bytes, stdout);
        if (fflush(stdout) != 0)
            return ERR_NONE; /* nobody reads any more */
        if (err != ERR_NONE)
            return err;
    }
    return err == ERR_CLOSED ? ERR_NONE : err;
}

static int tail(const struct tail_options *options, const char *data)
{
    struct control_client client;
    struct buffer request;
    struct why why = {0};
    enum err err = control_client_open(&client, data, &why);
    if (err != ERR_NONE)
        return command_failed(COMMAND_NOT_SO, "%s", why.text);
    buffer_init(&request, 16 * 1024);
    err = put_request(&request, options);
    if (err == ERR_NONE)
        err = control_client_ask(&client, buffer_span(&request), NULL, NULL, &why);
    struct tail_json json;
    tail_json_init(&json);
    if (err == ERR_NONE)
        err = copy_records(&client, options->is_json ? &json : NULL, &why);
    tail_json_done(&json);
    buffer_done(&request);
    control_client_close(&client);
    if (err == ERR_NONE)
        return COMMAND_FINE;
    return command_failed(COMMAND_NOT_SO, "%s: %s", options->topic,
                          why.text[0] == '\0' ? err_text(err) : why.text);
}

/* start, end, OFFSET or PARTITION:OFFSET. */
static bool is_place(struct span text)
{
    if (span_equal_text(text, "start") || span_equal_text(text, "end"))
        return true;
    size_t colon = span_find(text, ':');
    uint64_t number;
    if (colon == text.len)
        return span_to_u64(text, &number);
    return span_to_u64(span_of(text.data, colon), &number) &&
           span_to_u64(span_after(text, colon + 1), &number);
}

static bool take_from(struct tail_options *parsed)
{
    parsed->from = optarg;
    if (!is_place(span_from_text(optarg)))
        (void)command_misused("tail", "`--from %s`: this takes start, end, OFFSET or PARTITION:OFFSET",
                              optarg);
    return is_place(span_from_text(optarg));
}

static bool take_limit(struct tail_options *parsed)
{
    bool is_limit = span_to_u64(span_from_text(optarg), &parsed->limit) && parsed->limit > 0;
    if (!is_limit)
        (void)command_misused("tail", "`--limit %s`: this takes a number from 1", optarg);
    return is_limit;
}

static bool take_option(struct tail_options *parsed, int option)
{
    switch (option) {
    case 'f': return take_from(parsed);
    case 'g': parsed->group = optarg; return true;
    case 'l': return take_limit(parsed);
    case 'o': parsed->is_once = true; return true;
    case 'b': parsed->is_base64 = true; return true;
    case 'j': parsed->is_json = true; return true;
    case 'c': parsed->config = optarg; return true;
    case 'd': parsed->data = optarg; return true;
    default: return false;
    }
}

/* False: what is wrong was said. */
static bool fits_together(struct tail_options *parsed)
{
    if (!command_topic_is_legal("tail", parsed->topic))
        return false;
    if (parsed->group != NULL && parsed->is_once)
        (void)command_misused("tail",
                              "--group and --once do not go together: a group has no end, say --limit N");
    if (parsed->from == NULL && parsed->group == NULL)
        parsed->from = "end";
    return parsed->group == NULL || !parsed->is_once;
}

/* False: there is nothing to do but to end with *ret_code. */
static bool parse(int count, char **words, struct tail_options *ret_options, int *ret_code)
{
    static const struct option options[] = {
        {"from", required_argument, NULL, 'f'},   {"group", required_argument, NULL, 'g'},
        {"limit", required_argument, NULL, 'l'},  {"once", no_argument, NULL, 'o'},
        {"base64", no_argument, NULL, 'b'},       {"json", no_argument, NULL, 'j'},
        {"config", required_argument, NULL, 'c'}, {"data", required_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    struct tail_options parsed = {.from = NULL};
    *ret_code = COMMAND_WRONG;
    for (int option; (option = getopt_long(count, words, "c:", options, NULL)) != -1;) {
        if (option == 'h') {
            (void)fputs(usage, stdout);
            *ret_code = COMMAND_FINE;
            return false;
        }
        if (!take_option(&parsed, option))
            return false;
    }
    if (optind + 1 != count) {
        (void)command_misused(words[0], "it takes one topic");
        return false;
    }
    parsed.topic = words[optind];
    if (!fits_together(&parsed))
        return false;
    *ret_options = parsed;
    return true;
}

/* What has come is printed: to be interrupted is how waiting for more ends. */
static void on_interrupt(int signal)
{
    (void)signal;
    _exit(COMMAND_FINE);
}

int tail_command(int count, char **words)
{
    struct tail_options options = {0};
    int code;
    if (!parse(count, words, &options, &code))
        return code;
    char data[PATH_MAX];
    if (options.data == NULL && !command_data_directory(options.config, data))
        return COMMAND_WRONG;
    (void)signal(SIGINT, on_interrupt);
    return tail(&options, options.data != NULL ? options.data : data);
}
