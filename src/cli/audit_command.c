/* waybill audit: who did what to which record. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "cli/control_client.h"
#include "cli/json_line.h"
#include "cli/letter_options.h"

static const char usage[] =
    "usage: waybill audit [--topic TOPIC] [--correlation-id ID] [--event EVENT] [--from PLACE] [--to PLACE]\n"
    "                     [--limit N] [--json] [-c FILE | --data DIR]\n\n"
    "Prints what was done to records, given up, dropped or replayed, by whom and when, the oldest first.\n"
    "--topic           only of this topic\n"
    "--correlation-id  only what belongs to this correlation\n"
    "--event           done, dead, given_up, drop, replay_start, replay_end, reroute, deadletters_drop, "
    "seek\n"
    "--from, --to      a stretch of the audit topic: OFFSET or PARTITION:OFFSET,...\n"
    "--json            the records themselves, one a line\n";

enum { TEXT_SIZE = 256 };

static void print_json(void *owner, struct span line)
{
    (void)owner;
    (void)printf("%.*s\n", (int)line.len, (const char *)line.data);
}

static void print_extra(struct span line, const char *name, const char *label)
{
    char text[TEXT_SIZE];
    if (json_line_text(line, name, text, sizeof text)[0] != '\0')
        (void)printf("  %s %s", label, text);
}

/* TIME  EVENT  TOPIC/PARTITION/OFFSET ... */
static void print_row(void *owner, struct span line)
{
    char time[JSON_LINE_TIME_SIZE];
    char text[TEXT_SIZE];
    int64_t count = json_line_number(line, "count");
    (void)owner;
    (void)printf("%s  %-16s", json_line_time(time, json_line_number(line, "timestamp")),
                 json_line_text(line, "event", text, sizeof text));
    if (json_line_has(line, "topic"))
        (void)printf("  %s/%" PRId64 "/%" PRId64, json_line_text(line, "topic", text, sizeof text),
                     json_line_number(line, "partition"), json_line_number(line, "offset"));
    if (count > 1)
        (void)printf("-%" PRId64 " (%" PRId64 ")", json_line_number(line, "to") - 1, count);
    print_extra(line, "group", "group");
    print_extra(line, "identity", "by");
    print_extra(line, "reason", "reason");
    print_extra(line, "replay", "replay");
    print_extra(line, "correlationId", "correlation");
    (void)printf("\n");
}

static int ask(const struct letter_options *options, const char *data)
{
    struct control_client client;
    struct buffer request;
    struct why why = {0};
    enum err err = control_client_open(&client, data, &why);
    if (err != ERR_NONE)
        return command_failed(COMMAND_NOT_SO, "%s", why.text);
    buffer_init(&request, 16 * 1024);
    err = letter_options_put(&request, "audit", options);
    if (err == ERR_NONE)
        err = control_client_ask(&client, buffer_span(&request), options->is_json ? print_json : print_row,
                                 NULL, &why);
    buffer_done(&request);
    control_client_close(&client);
    if (err == ERR_NONE)
        return COMMAND_FINE;
    return command_failed(COMMAND_NOT_SO, "%s", why.text[0] == '\0' ? err_text(err) : why.text);
}

int audit_command(int count, char **words)
{
    static const struct letter_verb verb = {"audit", usage, "TCeftl", 0, 0};
    struct letter_options options;
    char data[PATH_MAX];
    int code;
    if (!letter_options_parse(&verb, count, words, &options, &code))
        return code;
    if (options.data == NULL && !command_data_directory(options.config, data))
        return COMMAND_WRONG;
    return ask(&options, options.data != NULL ? options.data : data);
}
