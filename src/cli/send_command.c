/* waybill send: lines become messages of a topic, each acknowledged when it is stored. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "cli/command.h"
#include "cli/control_client.h"

static const char usage[] =
    "usage: waybill send TOPIC [-k KEY] [FILE | -] [--json] [-c FILE | --data DIR]\n\n"
    "Stores each line of FILE, or of standard input, as one message, and ends when all are stored.\n"
    "-k KEY  the key of every message; without it they have none\n"
    "Exit code 1 when a line was refused; each refusal is a line on standard error.\n";

struct send_options {
    const char *topic;
    const char *key;
    const char *path; /* NULL: standard input */
    bool is_json;
    const char *config;
    const char *data;
};

/* One conversation. */
struct sender {
    struct control_client client;
    uint64_t window;
    uint64_t sent;
    uint64_t settled;
    uint64_t refused;
    struct progress progress;
};

static enum err put_request(struct buffer *request, const struct send_options *options)
{
    struct json_writer writer;
    json_writer_init(&writer, request);
    json_write_object_begin(&writer);
    json_write_name(&writer, "op");
    json_write_text(&writer, span_from_text("send"));
    json_write_name(&writer, "topic");
    json_write_text(&writer, span_from_text(options->topic));
    if (options->key != NULL) {
        json_write_name(&writer, "key");
        json_write_text(&writer, span_from_text(options->key));
    }
    json_write_object_end(&writer);
    return writer.err;
}

/* "READY window=10000 ..." */
static enum err greet(struct sender *sender, struct why *why)
{
    struct span line;
    enum err err = control_client_write(&sender->client, span_from_text("HELLO 1\n"));
    if (err == ERR_NONE)
        err = control_client_read_line(&sender->client, &line);
    if (err != ERR_NONE)
        return why_set(why, err, "the program did not answer: %s", err_text(err));
    struct span word = span_take_word(&line);
    if (!span_equal_text(word, "READY"))
        return why_set(why, ERR_PROTOCOL, "the program does not take messages: %.*s %.*s", (int)word.len,
                       (const char *)word.data, (int)line.len, (const char *)line.data);
    for (word = span_take_word(&line); word.len > 0; word = span_take_word(&line))
        if (span_starts_with(word, "window=") && span_to_u64(span_after(word, 7), &sender->window))
            return ERR_NONE;
    return why_set(why, ERR_PROTOCOL, "the program names no window");
}

/* One "ACK count seq" or "ERR line code class text"; line 0 speaks of the connection. */
static enum err take_answer(struct sender *sender, struct span line, struct why *why)
{
    uint64_t number = 0;
    struct span word = span_take_word(&line);
    struct span first = span_take_word(&line);
    bool is_number = span_to_u64(first, &number);
    if (span_equal_text(word, "ACK") && is_number) {
        sender->settled = number;
    } else if (span_equal_text(word, "ERR") && is_number && number > 0) {
        sender->refused++;
        sender->settled = number;
        (void)fprintf(stderr, "line %" PRIu64 ":%.*s\n", number, (int)line.len, (const char *)line.data);
    } else if (span_equal_text(word, "ERR")) {
        return why_set(why, ERR_CLOSED, "the program ended the connection:%.*s", (int)line.len,
                       (const char *)line.data);
    }
    return ERR_NONE;
}

static enum err wait_until_open_lines_are(struct sender *sender, uint64_t count, struct why *why)
{
    enum err err = ERR_NONE;
    while (err == ERR_NONE && sender->sent - sender->settled > count) {
        struct span line;
        err = control_client_read_line(&sender->client, &line);
        if (err != ERR_NONE)
            return why_set(why, err, "the program went away: %s", err_text(err));
        err = take_answer(sender, line, why);
    }
    return err;
}

/* Without waiting; that the program went away is for who waits for an answer, or writes. */
static enum err take_arrived(struct sender *sender, struct why *why)
{
    struct span line;
    enum err err = ERR_NONE;
    while (err == ERR_NONE && control_client_poll_line(&sender->client, &line) == ERR_NONE)
        err = take_answer(sender, line, why);
    return err;
}

static enum err send_line(struct sender *sender, struct span line, struct why *why)
{
    enum err err = wait_until_open_lines_are(sender, sender->window - 1, why);
    if (err != ERR_NONE)
        return err;
    err = control_client_write(&sender->client, line);
    if (err == ERR_NONE && line.data[line.len - 1] != '\n')
        err = control_client_write(&sender->client, span_of("\n", 1));
    enum err taken = take_arrived(sender, why); /* also when it is over: these are stored */
    return taken == ERR_NONE ? err : taken;
}

static enum err send_file(struct sender *sender, FILE *file, struct why *why)
{
    char *line = NULL;
    size_t size = 0;
    enum err err = ERR_NONE;
    ssize_t len;
    while (err == ERR_NONE && (len = getline(&line, &size, file)) > 0) {
        err = send_line(sender, span_of(line, (size_t)len), why);
        sender->sent++;
        progress_step(&sender->progress, 1);
    }
    if (err == ERR_NONE && ferror(file) != 0)
        err = why_set(why, err_from_errno(errno), "the file cannot be read: %s",
                      err_text(err_from_errno(errno)));
    free(line);
    return err == ERR_NONE ? wait_until_open_lines_are(sender, 0, why) : err;
}

static void report(const struct sender *sender, bool is_json)
{
    (void)printf(is_json ? "{\"stored\":%" PRIu64 ",\"refused\":%" PRIu64 "}\n"
                         : "%" PRIu64 " stored, %" PRIu64 " refused\n",
                 sender->settled - sender->refused, sender->refused);
}

static enum err
converse(struct sender *sender, const struct send_options *options, FILE *file, struct why *why)
{
    struct buffer request;
    buffer_init(&request, 16 * 1024);
    enum err err = put_request(&request, options);
    if (err == ERR_NONE)
        err = control_client_ask(&sender->client, buffer_span(&request), NULL, NULL, why);
    buffer_done(&request);
    if (err == ERR_NONE)
        err = greet(sender, why);
    if (err != ERR_NONE)
        return err;
    progress_init(&sender->progress, "send", 0, PROGRESS_ITEMS);
    err = send_file(sender, file, why);
    progress_done(&sender->progress);
    report(sender, options->is_json);
    return err;
}

static int send_all(const struct send_options *options, const char *data, FILE *file)
{
    struct sender sender = {0};
    struct why why = {0};
    enum err err = control_client_open(&sender.client, data, &why);
    if (err != ERR_NONE)
        return command_failed(COMMAND_NOT_SO, "%s", why.text);
    err = converse(&sender, options, file, &why);
    control_client_close(&sender.client);
    if (err != ERR_NONE)
        return command_failed(COMMAND_NOT_SO, "%s: %s", options->topic,
                              why.text[0] == '\0' ? err_text(err) : why.text);
    return sender.refused == 0 ? COMMAND_FINE : COMMAND_NOT_SO;
}

/* False: there is nothing to do but to end with *ret_code. */
static bool parse(int count, char **words, struct send_options *ret_options, int *ret_code)
{
    static const struct option options[] = {
        {"key", required_argument, NULL, 'k'},    {"json", no_argument, NULL, 'j'},
        {"config", required_argument, NULL, 'c'}, {"data", required_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    struct send_options parsed = {0};
    *ret_code = COMMAND_WRONG;
    for (int option; (option = getopt_long(count, words, "k:c:", options, NULL)) != -1;) {
        switch (option) {
        case 'k': parsed.key = optarg; break;
        case 'j': parsed.is_json = true; break;
        case 'c': parsed.config = optarg; break;
        case 'd': parsed.data = optarg; break;
        case 'h':
            (void)fputs(usage, stdout);
            *ret_code = COMMAND_FINE;
            return false;
        default: return false;
        }
    }
    if (optind == count || optind + 2 < count) {
        *ret_code = command_misused(words[0], "it takes a topic and at most one file");
        return false;
    }
    parsed.topic = words[optind];
    if (!command_topic_is_legal(words[0], parsed.topic))
        return false;
    if (optind + 1 < count && strcmp(words[optind + 1], "-") != 0)
        parsed.path = words[optind + 1];
    *ret_options = parsed;
    return true;
}

int send_command(int count, char **words)
{
    struct send_options options = {0};
    int code;
    if (!parse(count, words, &options, &code))
        return code;
    char data[PATH_MAX];
    if (options.data == NULL && !command_data_directory(options.config, data))
        return COMMAND_WRONG;
    FILE *file = options.path == NULL ? stdin : fopen(options.path, "rbe");
    if (file == NULL)
        return command_failed(COMMAND_NOT_SO, "%s: %s", options.path, strerror(errno));
    code = send_all(&options, options.data != NULL ? options.data : data, file);
    if (file != stdin)
        (void)fclose(file);
    return code;
}
