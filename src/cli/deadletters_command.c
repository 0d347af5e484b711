/* waybill deadletters: lists, shows, replays and drops what groups have given up. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/json_line.h"
#include "cli/letter_replay.h"

#define RANGE_WORDS "[--from PLACE] [--to PLACE] [--reason PATTERN] [--key PATTERN]"

static const char usage[] =
    "usage: waybill deadletters list [TOPIC] " RANGE_WORDS " [--limit N] [--json]\n"
    "       waybill deadletters show TOPIC PARTITION:OFFSET [--json]\n"
    "       waybill deadletters replay TOPIC " RANGE_WORDS "\n"
    "                  [--rate N] [--delivery NAME] [--last-retry] [--dry-run] [--detach] [--json]\n"
    "       waybill deadletters replay TOPIC --reroute " RANGE_WORDS " [--dry-run]\n"
    "       waybill deadletters replays [ID] [--json]\n"
    "       waybill deadletters stop ID\n"
    "       waybill deadletters drop TOPIC (--all | " RANGE_WORDS ") [--json]\n"
    "       each with [-c FILE | --data DIR]\n\n"
    "TOPIC is the dead-letter topic, orders.dlq for example. Without it the dead-letter topics are listed.\n"
    "replay hands dead letters to the group that failed them again, with their numbers, and follows it to "
    "its end.\n"
    "--from, --to   OFFSET, or PARTITION:OFFSET,... and then those partitions alone; --to is exclusive.\n"
    "               replay begins behind the last letter up to which all are completed, and ends where the "
    "topic ends now\n"
    "--reason, --key  globs, or regular expressions after re:; what they leave out stays open\n"
    "--rate         records a second at most\n"
    "--delivery     another group gets them\n"
    "--last-retry   what fails again is given up without a new dead letter\n"
    "--reroute      sends lines that had no place through the present routing instead\n"
    "--dry-run      counts only\n"
    "--detach       prints the number of the replay and does not wait for it\n"
    "drop settles dead letters so that no replay meets them; nothing is erased.\n"
    "Exit code 1 when something failed again, was left, or is not there.\n";

enum { TEXT_SIZE = 256 };

static void print_json(void *owner, struct span line)
{
    (void)owner;
    (void)printf("%.*s\n", (int)line.len, (const char *)line.data);
}

/* --- list ----------------------------------------------------------------------------------------- */

static void print_letter(struct span line)
{
    char id[TEXT_SIZE];
    char state[TEXT_SIZE];
    char group[TEXT_SIZE];
    char reason[TEXT_SIZE];
    char time[JSON_LINE_TIME_SIZE];
    (void)printf("%-28s  %-12s  %-16s  attempts %-3" PRId64 "  %s  %s\n",
                 json_line_text(line, "id", id, sizeof id),
                 json_line_text(line, "state", state, sizeof state),
                 json_line_text(line, "group", group, sizeof group)[0] == '\0' ? "-" : group,
                 json_line_number(line, "attempts"), json_line_time(time, json_line_number(line, "last")),
                 json_line_text(line, "reason", reason, sizeof reason));
}

static void print_row(void *owner, struct span line)
{
    char text[4096];
    (void)owner;
    if (json_line_has(line, "next"))
        (void)fprintf(stderr, "waybill: there are more: --from %s\n",
                      json_line_text(line, "next", text, sizeof text));
    else if (json_line_has(line, "records"))
        (void)printf("%-40s %12" PRId64 "\n", json_line_text(line, "topic", text, sizeof text),
                     json_line_number(line, "records"));
    else
        print_letter(line);
}

static enum err ask(struct control_client *client,
                    const char *op,
                    const struct letter_options *options,
                    void (*on_line)(void *owner, struct span line),
                    void *owner,
                    struct why *why)
{
    struct buffer request;
    buffer_init(&request, 16 * 1024);
    enum err err = letter_options_put(&request, op, options);
    if (err == ERR_NONE)
        err = control_client_ask(client, buffer_span(&request), on_line, owner, why);
    buffer_done(&request);
    if (err != ERR_NONE && why->text[0] == '\0')
        (void)why_set(why, err, "%s", err_text(err));
    return err;
}

static int end(enum err err, const struct why *why)
{
    return err == ERR_NONE ? COMMAND_FINE : command_failed(COMMAND_NOT_SO, "%s", why->text);
}

static int list(struct control_client *client, struct letter_options *options)
{
    struct why why = {0};
    options->topic = options->words[0];
    return end(ask(client, "deadletters", options, options->is_json ? print_json : print_row, NULL, &why),
               &why);
}

/* --- show ----------------------------------------------------------------------------------------- */

/* Nothing of a message moves the cursor. */
static void print_text(struct span value)
{
    uint8_t resolved[8 * 1024];
    size_t len = value.len <= sizeof resolved ? json_text_resolve(value, resolved) : 0;
    struct span text = len > 0 ? span_of(resolved, len) : value;
    for (size_t i = 0; i < text.len; i++)
        (void)putchar(text.data[i] < ' ' || text.data[i] == 0x7f ? '.' : text.data[i]);
}

static void print_member(struct span name, enum json_kind kind, struct span value)
{
    (void)printf("%-16.*s ", (int)name.len, (const char *)name.data);
    if (kind == JSON_STRING)
        print_text(value);
    else
        (void)printf("%.*s", (int)value.len, (const char *)value.data);
    (void)printf("\n");
}

/* Each member on a line of its own; lists as they are. */
static void print_whole(struct span line)
{
    struct json_reader reader;
    json_reader_init(&reader, line);
    (void)json_reader_next(&reader);
    while (json_reader_next(&reader) == JSON_NAME) {
        struct span name = json_reader_piece(&reader);
        enum json_kind kind = json_reader_next(&reader);
        if (kind == JSON_BAD ||
            ((kind == JSON_ARRAY_BEGIN || kind == JSON_OBJECT_BEGIN) && !json_reader_skip(&reader)))
            return;
        print_member(name, kind, json_reader_piece(&reader));
    }
}

struct shown {
    bool is_json;
    unsigned count;
};

static void on_shown(void *owner, struct span line)
{
    struct shown *shown = owner;
    if (json_line_has(line, "next"))
        return;
    shown->count++;
    if (shown->is_json)
        print_json(NULL, line);
    else
        print_whole(line);
}

static int show(struct control_client *client, struct letter_options *options)
{
    struct shown shown = {.is_json = options->is_json};
    struct why why = {0};
    struct span place = span_from_text(options->words[1]);
    char to[64];
    size_t colon = span_find(place, ':');
    uint64_t offset = 0;
    if (colon == place.len || !span_to_u64(span_after(place, colon + 1), &offset))
        return command_misused("deadletters show", "`%s` is no PARTITION:OFFSET", options->words[1]);
    (void)snprintf(to, sizeof to, "%.*s:%" PRIu64, (int)(colon < 20 ? colon : 20), options->words[1],
                   offset + 1);
    options->topic = options->words[0];
    options->from = options->words[1];
    options->to = to;
    options->is_whole = true;
    enum err err = ask(client, "deadletters", options, on_shown, &shown, &why);
    if (err == ERR_NONE && shown.count == 0)
        return command_failed(COMMAND_NOT_SO, "%s has no record at %s", options->topic, options->words[1]);
    return end(err, &why);
}

/* --- replay, replays, stop, drop ------------------------------------------------------------------ */

static int replay(struct control_client *client, struct letter_options *options)
{
    options->topic = options->words[0];
    return options->is_reroute ? letter_reroute_run(client, options) : letter_replay_run(client, options);
}

static void print_replay(void *owner, struct span line)
{
    (void)owner;
    letter_replay_print(line);
}

static int ask_by_id(struct control_client *client,
                     const char *op,
                     const char *id,
                     void (*on_line)(void *owner, struct span line))
{
    char request[128];
    struct why why = {0};
    uint64_t number;
    if (id != NULL && (!span_to_u64(span_from_text(id), &number) || strlen(id) > 8))
        return command_misused("deadletters", "`%s` is no replay's number", id);
    (void)snprintf(request, sizeof request,
                   id == NULL ? "{\"op\":\"%s\"%s}" : "{\"op\":\"%s\",\"id\":\"%s\"}", op,
                   id == NULL ? "" : id);
    return end(control_client_ask(client, span_from_text(request), on_line, NULL, &why), &why);
}

static int replays(struct control_client *client, struct letter_options *options)
{
    return ask_by_id(client, "replays", options->words[0], options->is_json ? print_json : print_replay);
}

static int stop(struct control_client *client, struct letter_options *options)
{
    return ask_by_id(client, "replay_stop", options->words[0], NULL);
}

static void print_dropped(void *owner, struct span line)
{
    (void)owner;
    (void)printf("dropped %" PRId64 "\n", json_line_number(line, "dropped"));
}

static int drop(struct control_client *client, struct letter_options *options)
{
    struct why why = {0};
    bool is_bounded =
        options->from != NULL || options->to != NULL || options->reason != NULL || options->key != NULL;
    if (is_bounded == options->is_all)
        return command_misused("deadletters drop", "say --all, or which: --from, --to, --reason, --key");
    options->topic = options->words[0];
    return end(ask(client, "drop", options, options->is_json ? print_json : print_dropped, NULL, &why), &why);
}

/* --- Verbs ---------------------------------------------------------------------------------------- */

struct verb_row {
    const char *word;
    struct letter_verb verb;
    int (*run)(struct control_client *client, struct letter_options *options);
};

static const struct verb_row verbs[] = {
    {"list", {"deadletters list", usage, "ftrkl", 0, 1}, list},
    {"show", {"deadletters show", usage, "", 2, 2}, show},
    {"replay", {"deadletters replay", usage, "ftrkRDnLob", 1, 1}, replay},
    {"replays", {"deadletters replays", usage, "", 0, 1}, replays},
    {"stop", {"deadletters stop", usage, "", 1, 1}, stop},
    {"drop", {"deadletters drop", usage, "ftrka", 1, 1}, drop},
};

static int run(size_t verb, int count, char **words)
{
    struct letter_options options;
    struct control_client client;
    struct why why = {0};
    char data[PATH_MAX];
    int code;
    if (!letter_options_parse(&verbs[verb].verb, count, words, &options, &code))
        return code;
    if (options.data == NULL && !command_data_directory(options.config, data))
        return COMMAND_WRONG;
    enum err err = control_client_open(&client, options.data != NULL ? options.data : data, &why);
    if (err != ERR_NONE)
        return command_failed(COMMAND_NOT_SO, "%s", why.text);
    code = verbs[verb].run(&client, &options);
    control_client_close(&client);
    return code;
}

int deadletters_command(int count, char **words)
{
    if (count < 2)
        return command_misused(words[0], "it takes list, show, replay, replays, stop or drop");
    if (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0) {
        (void)fputs(usage, stdout);
        return COMMAND_FINE;
    }
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(words[1], verbs[i].word) == 0)
            return run(i, count - 1, words + 1);
    return command_misused(words[0], "`%.50s` is none of list, show, replay, replays, stop, drop", words[1]);
}
