/* waybill journal: looks at the log of a data directory, or links a copy of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "base/progress.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/journal_backup.h"
#include "journal/survey.h"

static const char usage[] =
    "usage: waybill journal inspect DIR [--json]\n"
    "       waybill journal verify DIR [--json]\n"
    "       waybill journal backup DIR TARGET\n\n"
    "DIR is the data directory. None of them changes the log; all work while the program runs.\n"
    "inspect  lists the segments and the groups\n"
    "verify   reads and checks every byte; exit code 1 when something is damaged. A torn tail was never\n"
    "         acknowledged: it is named (torn_tail=...) and is no damage\n"
    "backup   links what is sealed into the new directory TARGET, on the same file system, and copies the\n"
    "         segment that is being written\n";

struct report {
    bool is_json;
    bool lists; /* segments, or only findings */
    bool shows_progress;
    struct progress progress;
};

static const char *state_name(enum survey_state state)
{
    static const char *const names[] = {"sealed", "active", "prepared", "lost"};
    return names[state];
}

static void print_json(const struct survey_segment *segment)
{
    struct buffer line;
    struct json_writer writer;
    buffer_init(&line, 4096);
    json_writer_init(&writer, &line);
    json_write_object_begin(&writer);
    json_write_name(&writer, "segment");
    json_write_u64(&writer, segment->number);
    json_write_name(&writer, "state");
    json_write_text(&writer, span_from_text(state_name(segment->state)));
    json_write_name(&writer, "end");
    json_write_u64(&writer, segment->end);
    json_write_name(&writer, "records");
    json_write_u64(&writer, segment->records);
    json_write_name(&writer, "first_lsn");
    json_write_u64(&writer, segment->header.first_lsn);
    json_write_name(&writer, "index");
    json_write_bool(&writer, segment->has_index);
    json_write_object_end(&writer);
    (void)printf("%.*s\n", (int)line.len, (const char *)line.data);
    buffer_done(&line);
}

static void on_segment(void *owner, const struct survey_segment *segment)
{
    const struct report *report = owner;
    char size[UNITS_TEXT_SIZE];
    if (!report->lists)
        return;
    if (report->is_json)
        print_json(segment);
    else
        (void)printf("%16" PRIu64 "  %-8s %10s %12" PRIu64 "  %s\n", segment->number,
                     state_name(segment->state), units_about_size(size, segment->end), segment->records,
                     segment->has_index ? "yes" : "no");
}

static void on_group(void *owner, const struct survey_group *group)
{
    const struct report *report = owner;
    const char *done = group->has_done ? "true" : "false";
    if (report->lists && report->is_json)
        (void)printf("{\"group\":\"%s\",\"id\":%" PRIu32 ",\"partitions\":%" PRIu32 ",\"behind\":%" PRIu64
                     ",\"settled_above\":%" PRIu64 ",\"done\":%s}\n",
                     group->name, group->id, group->partitions, group->behind, group->settled_above, done);
    else if (report->lists)
        (void)printf("group=%s id=%" PRIu32 " partitions=%" PRIu32 " behind=%" PRIu64
                     " settled_above=%" PRIu64 " done=%s\n",
                     group->name, group->id, group->partitions, group->behind, group->settled_above, done);
}

/* Each `name=value` becomes a member. */
static void print_finding_json(const char *finding, const char *fields)
{
    struct buffer line;
    struct json_writer writer;
    struct span rest = span_from_text(fields);
    buffer_init(&line, 4096);
    json_writer_init(&writer, &line);
    json_write_object_begin(&writer);
    json_write_name(&writer, "finding");
    json_write_text(&writer, span_from_text(finding));
    for (struct span word = span_take_word(&rest); word.len > 0; word = span_take_word(&rest)) {
        char name[32];
        uint64_t number;
        size_t equals = span_find(word, '=');
        check(equals < word.len);
        struct span value = span_after(word, equals + 1);
        (void)snprintf(name, sizeof name, "%.*s", (int)equals, (const char *)word.data);
        json_write_name(&writer, name);
        if (span_to_u64(value, &number))
            json_write_u64(&writer, number);
        else
            json_write_text(&writer, value);
    }
    json_write_object_end(&writer);
    (void)printf("%.*s\n", (int)line.len, (const char *)line.data);
    buffer_done(&line);
}

static void on_finding(void *owner, enum survey_finding finding, const char *fields)
{
    const struct report *report = owner;
    bool is_torn_tail = finding == SURVEY_TORN_TAIL;
    if (report->is_json)
        print_finding_json(is_torn_tail ? "torn_tail" : "damage", fields);
    else
        (void)printf(is_torn_tail ? "torn_tail=\"%s\"\n" : "damage %s\n", fields);
}

static void on_progress(void *owner, uint64_t done, uint64_t total)
{
    struct report *report = owner;
    if (!report->shows_progress)
        progress_init(&report->progress, "verify", total, PROGRESS_BYTES);
    report->shows_progress = true;
    if (done > report->progress.count)
        progress_step(&report->progress, done - report->progress.count);
}

static void print_end(const struct survey *survey, const struct report *report)
{
    if (report->is_json)
        (void)printf("{\"segments\":%" PRIu64 ",\"records\":%" PRIu64 ",\"damaged\":%" PRIu64
                     ",\"torn_tails\":%" PRIu64 "}\n",
                     survey->segments, survey->records, survey->damages, survey->torn_tails);
    else
        (void)printf("segments=%" PRIu64 " records=%" PRIu64 " damaged=%" PRIu64 " torn_tails=%" PRIu64 "\n",
                     survey->segments, survey->records, survey->damages, survey->torn_tails);
}

static int look(const char *journal, struct report *report)
{
    struct survey survey = {.on_segment = on_segment,
                            .on_group = on_group,
                            .on_finding = on_finding,
                            .on_progress = on_progress,
                            .owner = report};
    struct why why = {0};
    enum err err = fs_linux_new(journal, &survey.fs);
    if (err != ERR_NONE)
        return command_failed(COMMAND_NOT_SO, "%s: %s", journal, err_text(err));
    if (report->lists && !report->is_json)
        (void)printf("%16s  %-8s %10s %12s  %s\n", "segment", "state", "used", "records", "index");
    err = survey_run(&survey, &why);
    if (report->shows_progress)
        progress_done(&report->progress);
    survey.fs = fs_linux_free(survey.fs);
    if (err != ERR_NONE)
        return command_failed(COMMAND_NOT_SO, "%s: %s", journal, why.text);
    print_end(&survey, report);
    return survey.damages + survey.losses == 0 || report->lists ? COMMAND_FINE : COMMAND_NOT_SO;
}

static int run(int count, char **words, bool is_json)
{
    char journal[PATH_MAX];
    const char *verb = count > 0 ? words[0] : "";
    bool is_backup = strcmp(verb, "backup") == 0;
    bool is_inspect = strcmp(verb, "inspect") == 0;
    if (!is_backup && !is_inspect && strcmp(verb, "verify") != 0)
        return command_misused("journal", "it takes inspect, verify or backup");
    if (count != (is_backup ? 3 : 2))
        return command_misused("journal",
                               is_backup ? "backup takes two directories" : "it takes one directory");
    if (snprintf(journal, sizeof journal, "%s/journal", words[1]) >= (int)sizeof journal)
        return command_failed(COMMAND_WRONG, "the path is too long");
    struct report report = {.is_json = is_json, .lists = is_inspect};
    return is_backup ? journal_back_up(journal, words[2]) : look(journal, &report);
}

int journal_command(int count, char **words)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    bool is_json = false;
    for (int option; (option = getopt_long(count, words, "", options, NULL)) != -1;) {
        switch (option) {
        case 'j': is_json = true; break;
        case 'h': (void)fputs(usage, stdout); return COMMAND_FINE;
        default: return COMMAND_WRONG;
        }
    }
    return run(count - optind, words + optind, is_json);
}
