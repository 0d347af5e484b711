/* waybill groups: how far each group is. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/control_client.h"

static const char usage[] = "usage: waybill groups [--json] [-c FILE | --data DIR]\n\n"
                            "Lists the groups of the running program, a line for each partition that a group "
                            "has begun: below `low` all is\n"
                            "settled, `lag` records are not, `open` ones are in the hands of `members`, the "
                            "oldest for so long. A group that\n"
                            "the configuration names (*) holds retention back.\n"
                            "--json prints the program's own lines.\n";

/* What a line says; text is a piece of it. */
struct row {
    struct span group;
    struct span topic;
    bool is_named;
    int64_t partition;
    int64_t low;
    int64_t end;
    int64_t lag;
    int64_t open;
    int64_t members;
    int64_t oldest_open_ms;
};

static void take_number(struct row *row, struct span name, struct span value)
{
    const struct {
        const char *name;
        int64_t *to;
    } numbers[] = {{"partition", &row->partition},
                   {"low", &row->low},
                   {"end", &row->end},
                   {"lag", &row->lag},
                   {"open", &row->open},
                   {"members", &row->members},
                   {"oldest_open_ms", &row->oldest_open_ms}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (json_text_equal(name, numbers[i].name))
            (void)json_number_to_i64(value, numbers[i].to);
}

static struct row read_row(struct span line)
{
    struct row row = {.oldest_open_ms = -1};
    struct json_reader reader;
    json_reader_init(&reader, line);
    (void)json_reader_next(&reader);
    while (json_reader_next(&reader) == JSON_NAME) {
        struct span name = json_reader_piece(&reader);
        enum json_kind kind = json_reader_next(&reader);
        struct span value = json_reader_piece(&reader);
        if (kind == JSON_NUMBER)
            take_number(&row, name, value);
        else if (json_text_equal(name, "group"))
            row.group = value;
        else if (json_text_equal(name, "topic"))
            row.topic = value;
        else if (json_text_equal(name, "named"))
            row.is_named = kind == JSON_TRUE;
    }
    return row;
}

static void print_row(void *owner, struct span line)
{
    struct row row = read_row(line);
    char oldest[UNITS_TEXT_SIZE] = "-";
    (void)owner;
    if (row.oldest_open_ms >= 0)
        (void)units_about_duration(oldest, row.oldest_open_ms * CLOCK_NS_PER_MS);
    (void)printf("%-24.*s%c ", (int)row.group.len, (const char *)row.group.data, row.is_named ? '*' : ' ');
    if (row.topic.len == 0)
        (void)printf("%-24s\n", "-");
    else
        (void)printf("%-24.*s %9" PRId64 " %12" PRId64 " %12" PRId64 " %10" PRId64 " %8" PRId64 " %7" PRId64
                     " %8s\n",
                     (int)row.topic.len, (const char *)row.topic.data, row.partition, row.low, row.end,
                     row.lag, row.open, row.members, oldest);
}

static void print_line(void *owner, struct span line)
{
    (void)owner;
    (void)printf("%.*s\n", (int)line.len, (const char *)line.data);
}

static int list_groups(const char *data, bool is_json)
{
    struct control_client client;
    struct why why = {0};
    enum err err = control_client_open(&client, data, &why);
    if (err != ERR_NONE)
        return command_failed(COMMAND_NOT_SO, "%s", why.text);
    if (!is_json)
        (void)printf("%-24s  %-24s %9s %12s %12s %10s %8s %7s %8s\n", "group", "topic", "partition", "low",
                     "end", "lag", "open", "members", "oldest");
    err = control_client_ask(&client, span_from_text("{\"op\":\"groups\"}"), is_json ? print_line : print_row,
                             NULL, &why);
    control_client_close(&client);
    return err == ERR_NONE ? COMMAND_FINE : command_failed(COMMAND_NOT_SO, "%s", why.text);
}

int groups_command(int count, char **words)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"config", required_argument, NULL, 'c'},
                                            {"data", required_argument, NULL, 'd'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    bool is_json = false;
    const char *path = NULL;
    const char *directory = NULL;
    for (int option; (option = getopt_long(count, words, "c:", options, NULL)) != -1;) {
        switch (option) {
        case 'j': is_json = true; break;
        case 'c': path = optarg; break;
        case 'd': directory = optarg; break;
        case 'h': (void)fputs(usage, stdout); return COMMAND_FINE;
        default: return COMMAND_WRONG;
        }
    }
    char data[PATH_MAX];
    if (optind < count)
        return command_misused(words[0], "it takes no argument");
    if (directory == NULL && !command_data_directory(path, data))
        return COMMAND_WRONG;
    return list_groups(directory != NULL ? directory : data, is_json);
}
