/* waybill receipt: what became of a record. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/control_client.h"
#include "store/topic.h"
#include "wire/line_number.h"
#include "wire/line_place.h"

static const char usage[] =
    "usage: waybill receipt ID [--json] [-c FILE | --data DIR]\n"
    "       waybill receipt --seq N [--sequence NAME] [--json] [-c FILE | --data DIR]\n\n"
    "Says what became of a record: stored, delivered, processed, dead_lettered, replayed or expired, and "
    "what each\n"
    "group says of it. ID is TOPIC/PARTITION/OFFSET; a number may stand in several records.\n"
    "--sequence  the sequence that N belongs to; default: default\n"
    "--json      prints the program's own lines, one record each\n"
    "Exit code 1 when nothing is known of it.\n";

struct receipt_options {
    const char *id;
    const char *seq;
    const char *sequence;
    const char *config;
    const char *data;
    bool is_json;
};

/* --- Printing ----------------------------------------------------------------------------------- */

enum { TIME_SIZE = 40 };

/* RFC 3339 in UTC, "-" when it is not known. Returns `text`. */
static const char *put_time(char text[static TIME_SIZE], int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    (void)snprintf(text, TIME_SIZE, "-");
    if (ms > 0 && gmtime_r(&seconds, &parts) != NULL) {
        size_t len = strftime(text, TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
        (void)snprintf(text + len, TIME_SIZE - len, ".%03dZ", (int)(ms % 1000));
    }
    return text;
}

/* What an object says under these names; pieces of the line. */
struct said {
    struct span id;
    struct span group;
    struct span state;
    struct span record;
    struct span by;
    int64_t seq;
    int64_t at;
    int64_t stored_at;
    int64_t attempts;
    int64_t status;
};

static void take_text(struct said *said, struct span name, struct span value)
{
    const struct {
        const char *name;
        struct span *to;
    } texts[] = {{"id", &said->id},
                 {"group", &said->group},
                 {"state", &said->state},
                 {"record", &said->record},
                 {"by", &said->by}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (json_text_equal(name, texts[i].name))
            *texts[i].to = value;
}

static void take_number(struct said *said, struct span name, struct span value)
{
    const struct {
        const char *name;
        int64_t *to;
    } numbers[] = {{"seq", &said->seq},
                   {"at", &said->at},
                   {"stored_at", &said->stored_at},
                   {"attempts", &said->attempts},
                   {"status", &said->status}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (json_text_equal(name, numbers[i].name))
            (void)json_number_to_i64(value, numbers[i].to);
}

/* The reader stands behind the object's brace. Values that hold others are passed over. */
static struct said read_object(struct json_reader *reader)
{
    struct said said = {.seq = 0};
    while (json_reader_next(reader) == JSON_NAME) {
        struct span name = json_reader_piece(reader);
        enum json_kind kind = json_reader_next(reader);
        struct span value = json_reader_piece(reader);
        if (kind == JSON_STRING)
            take_text(&said, name, value);
        else if (kind == JSON_NUMBER)
            take_number(&said, name, value);
        else if ((kind == JSON_OBJECT_BEGIN || kind == JSON_ARRAY_BEGIN) && !json_reader_skip(reader))
            break;
    }
    return said;
}

#define WORDS(span) (int)(span).len, (const char *)(span).data

static void print_group(const struct said *group)
{
    char at[TIME_SIZE];
    (void)printf("  %-24.*s %-10.*s attempts %-4" PRId64 " %s", WORDS(group->group), WORDS(group->state),
                 group->attempts, put_time(at, group->at));
    if (group->status > 0)
        (void)printf("  status %" PRId64, group->status);
    if (group->by.len > 0)
        (void)printf("  by %.*s", WORDS(group->by));
    (void)printf("\n");
}

/* The groups in their array, and the dead letter. */
static void print_parts(struct span line)
{
    struct json_reader reader;
    json_reader_init(&reader, line);
    (void)json_reader_next(&reader);
    while (json_reader_next(&reader) == JSON_NAME) {
        struct span name = json_reader_piece(&reader);
        enum json_kind kind = json_reader_next(&reader);
        if (kind == JSON_ARRAY_BEGIN) {
            while (json_reader_next(&reader) == JSON_OBJECT_BEGIN) {
                struct said group = read_object(&reader);
                print_group(&group);
            }
        } else if (json_text_equal(name, "dead_letter")) {
            struct said letter = read_object(&reader);
            (void)printf("  dead letter of %.*s: %.*s\n", WORDS(letter.group), WORDS(letter.id));
        } else if (kind == JSON_OBJECT_BEGIN && !json_reader_skip(&reader)) {
            return;
        }
    }
}

static void print_receipt(void *owner, struct span line)
{
    struct json_reader reader;
    char at[TIME_SIZE];
    (void)owner;
    json_reader_init(&reader, line);
    (void)json_reader_next(&reader);
    struct said said = read_object(&reader);
    (void)printf("%.*s  %.*s", WORDS(said.id), WORDS(said.state));
    if (said.seq > 0)
        (void)printf("  seq %" PRId64, said.seq);
    if (said.stored_at > 0)
        (void)printf("  stored %s", put_time(at, said.stored_at));
    if (said.record.len > 0)
        (void)printf("  record %.*s", WORDS(said.record));
    (void)printf("\n");
    print_parts(line);
}

static void print_line(void *owner, struct span line)
{
    (void)owner;
    (void)printf("%.*s\n", (int)line.len, (const char *)line.data);
}

/* --- Asking ------------------------------------------------------------------------------------- */

static void write_member(struct json_writer *writer, const char *name, const char *text)
{
    json_write_name(writer, name);
    json_write_text(writer, span_from_text(text));
}

static enum err put_request(struct buffer *request, const struct receipt_options *options)
{
    struct json_writer writer;
    uint64_t seq = 0;
    json_writer_init(&writer, request);
    json_write_object_begin(&writer);
    write_member(&writer, "op", "receipt");
    if (options->id != NULL)
        write_member(&writer, "id", options->id);
    if (options->seq != NULL && span_to_u64(span_from_text(options->seq), &seq)) {
        json_write_name(&writer, "seq");
        json_write_u64(&writer, seq);
    }
    if (options->sequence != NULL)
        write_member(&writer, "sequence", options->sequence);
    json_write_object_end(&writer);
    return writer.err;
}

static int ask(const struct receipt_options *options, const char *data)
{
    struct control_client client;
    struct why why = {0};
    enum err err = control_client_open(&client, data, &why);
    if (err != ERR_NONE)
        return command_failed(COMMAND_NOT_SO, "%s", why.text);
    struct buffer request;
    buffer_init(&request, 4096);
    err = put_request(&request, options);
    if (err == ERR_NONE)
        err = control_client_ask(&client, buffer_span(&request),
                                 options->is_json ? print_line : print_receipt, NULL, &why);
    buffer_done(&request);
    control_client_close(&client);
    return err == ERR_NONE ? COMMAND_FINE : command_failed(COMMAND_NOT_SO, "%s", why.text);
}

/* False: it was told what is wrong. */
static bool examine(const struct receipt_options *options)
{
    struct line_place place;
    uint64_t seq;
    if ((options->id != NULL) == (options->seq != NULL))
        (void)command_misused("receipt", "it takes either an ID or --seq");
    else if (options->seq != NULL && !line_number_parse(span_from_text(options->seq), &seq))
        (void)command_misused("receipt", "--seq takes a number from 1 to 9223372036854775807");
    else if (options->id != NULL && options->sequence != NULL)
        (void)command_misused("receipt", "--sequence belongs to --seq");
    else if (options->id != NULL &&
             (!line_place_parse(span_from_text(options->id), &place) || place.topic.len == 0))
        (void)command_misused("receipt", "`%.100s` is no ID: TOPIC/PARTITION/OFFSET", options->id);
    else if (options->sequence != NULL && !store_topic_name_is_legal(span_from_text(options->sequence)))
        (void)command_misused("receipt", "`%.100s` is no sequence's name", options->sequence);
    else
        return true;
    return false;
}

int receipt_command(int count, char **words)
{
    static const struct option known[] = {{"seq", required_argument, NULL, 's'},
                                          {"sequence", required_argument, NULL, 'q'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"config", required_argument, NULL, 'c'},
                                          {"data", required_argument, NULL, 'd'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    struct receipt_options options = {.id = NULL};
    for (int option; (option = getopt_long(count, words, "c:", known, NULL)) != -1;) {
        switch (option) {
        case 's': options.seq = optarg; break;
        case 'q': options.sequence = optarg; break;
        case 'j': options.is_json = true; break;
        case 'c': options.config = optarg; break;
        case 'd': options.data = optarg; break;
        case 'h': (void)fputs(usage, stdout); return COMMAND_FINE;
        default: return COMMAND_WRONG;
        }
    }
    char data[PATH_MAX];
    if (optind < count)
        options.id = words[optind++];
    if (optind < count)
        return command_misused(words[0], "it takes one ID");
    if (!examine(&options))
        return COMMAND_WRONG;
    if (options.data == NULL && !command_data_directory(options.config, data))
        return COMMAND_WRONG;
    return ask(&options, options.data != NULL ? options.data : data);
}
