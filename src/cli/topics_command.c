/* waybill topics: what is stored, topic by topic. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/units.h"
#include "cli/command.h"
#include "cli/control_client.h"

static const char usage[] =
    "usage: waybill topics [--json] [-c FILE | --data DIR]\n\n"
    "Lists the topics of the running program: partitions, records kept, bytes on disk.\n"
    "--json prints the program's own lines, one topic each, with the offsets of every partition.\n";

/* What one topic's line says, added up. */
struct topic_total {
    struct span name;
    int64_t partitions;
    int64_t records;
    int64_t bytes;
};

static void add_partition(struct json_reader *reader, struct topic_total *total)
{
    int64_t start = 0;
    int64_t end = 0;
    int64_t bytes = 0;
    while (json_reader_next(reader) == JSON_NAME) {
        struct span name = json_reader_piece(reader);
        int64_t value = 0;
        if (!json_reader_skip(reader) || !json_number_to_i64(json_reader_piece(reader), &value))
            continue;
        if (json_text_equal(name, "start"))
            start = value;
        else if (json_text_equal(name, "end"))
            end = value;
        else if (json_text_equal(name, "bytes"))
            bytes = value;
    }
    total->partitions++;
    total->records += end - start;
    total->bytes += bytes;
}

static struct topic_total read_topic(struct span line)
{
    struct topic_total total = {0};
    struct json_reader reader;
    json_reader_init(&reader, line);
    (void)json_reader_next(&reader);
    while (json_reader_next(&reader) == JSON_NAME) {
        bool is_topic = json_text_equal(json_reader_piece(&reader), "topic");
        bool is_partitions = json_text_equal(json_reader_piece(&reader), "partitions");
        enum json_kind kind = json_reader_next(&reader);
        if (is_topic)
            total.name = json_reader_piece(&reader);
        else if (is_partitions && kind == JSON_ARRAY_BEGIN)
            while (json_reader_next(&reader) == JSON_OBJECT_BEGIN)
                add_partition(&reader, &total);
        else if (!json_reader_skip(&reader))
            break;
    }
    return total;
}

static void print_row(void *owner, struct span line)
{
    struct topic_total total = read_topic(line);
    char size[UNITS_TEXT_SIZE];
    (void)owner;
    (void)printf("%-40.*s %10" PRId64 " %12" PRId64 " %10s\n", (int)total.name.len,
                 (const char *)total.name.data, total.partitions, total.records,
                 units_about_size(size, (uint64_t)total.bytes));
}

static void print_line(void *owner, struct span line)
{
    (void)owner;
    (void)printf("%.*s\n", (int)line.len, (const char *)line.data);
}

static int list_topics(const char *data, bool is_json)
{
    struct control_client client;
    struct why why = {0};
    enum err err = control_client_open(&client, data, &why);
    if (err != ERR_NONE)
        return command_failed(COMMAND_NOT_SO, "%s", why.text);
    if (!is_json)
        (void)printf("%-40s %10s %12s %10s\n", "topic", "partitions", "records", "size");
    err = control_client_ask(&client, span_from_text("{\"op\":\"topics\"}"), is_json ? print_line : print_row,
                             NULL, &why);
    control_client_close(&client);
    return err == ERR_NONE ? COMMAND_FINE : command_failed(COMMAND_NOT_SO, "%s", why.text);
}

int topics_command(int count, char **words)
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
    return list_topics(directory != NULL ? directory : data, is_json);
}
