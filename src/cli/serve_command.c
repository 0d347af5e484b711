/* waybill serve: the program itself. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>

#include "app/app.h"
#include "app/config_examine.h"
#include "base/log.h"
#include "cli/command.h"

static const char usage[] =
    "usage: waybill serve [-c FILE]\n\n"
    "Runs until SIGTERM or SIGINT, then finishes what is in flight and ends with 0. SIGHUP reads FILE "
    "again.\n"
    "Without FILE: line doors on 127.0.0.1:5673 (produce) and 127.0.0.1:5675 (acks), data in "
    "./waybill-data.\n"
    "With FILE: only the doors that it names. `waybill check --explain` lists what it may say.\n";

/* NULL: the problems were printed. */
static struct config *load(const char *path)
{
    struct config_problems problems;
    struct config *config = NULL;
    config_problems_init(&problems, path == NULL ? "built-in configuration" : path);
    enum err err = path == NULL ? config_default(&config) : config_load(path, &problems, &config);
    if (err == ERR_NONE)
        err = config_examine(config, &problems);
    command_tell_problems(&problems);
    config_problems_done(&problems);
    if (err == ERR_MEMORY)
        (void)command_failed(COMMAND_WRONG, "%s", err_text(err));
    return err == ERR_NONE ? config : config_free(config);
}

static int serve(const char *path)
{
    struct config *config = load(path);
    if (config == NULL)
        return COMMAND_WRONG;
    struct why why = {0};
    enum err err = app_run(config, path, &why);
    config = config_free(config);
    if (err == ERR_NONE)
        return COMMAND_FINE;
    log_line(
        LOG_FATAL, "app", "not started", "err=%s why=%s", err_name(err),
        log_value(&(struct log_value){0}, span_from_text(why.text[0] == '\0' ? err_text(err) : why.text)));
    return err_class(err) == ERR_CLASS_CONFIG ? COMMAND_WRONG : COMMAND_NOT_SO;
}

int serve_command(int count, char **words)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const char *path = NULL;
    for (int option; (option = getopt_long(count, words, "c:", options, NULL)) != -1;) {
        switch (option) {
        case 'c': path = optarg; break;
        case 'h': (void)fputs(usage, stdout); return COMMAND_FINE;
        default: return COMMAND_WRONG;
        }
    }
    if (optind < count)
        return command_misused(words[0], "it takes no argument: the configuration is -c FILE");
    return serve(path);
}
