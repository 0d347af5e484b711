/* waybill check: what is wrong with a configuration, or what one may say. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>

#include "app/config_examine.h"
#include "cli/command.h"
#include "config/config.h"

static const char usage[] =
    "usage: waybill check FILE\n"
    "       waybill check --explain [--markdown]\n\n"
    "Prints each problem of a configuration as FILE:LINE:COLUMN: what is wrong, what to do.\n"
    "--explain lists every key with what it takes, its default, and whether a change needs a restart;\n"
    "--markdown prints that as the page docs/configuration.md.\n"
    "Exit code 0: fine; 2: it is not.\n";

static int explain(enum config_explain_form form)
{
    struct buffer text;
    buffer_init(&text, 1024 * 1024);
    enum err err = config_explain(&text, form);
    if (err == ERR_NONE)
        (void)fwrite(text.data, 1, text.len, stdout);
    buffer_done(&text);
    return err == ERR_NONE ? COMMAND_FINE : command_failed(COMMAND_NOT_SO, "%s", err_text(err));
}

static int check_file(const char *path)
{
    struct config_problems problems;
    struct config *config = NULL;
    config_problems_init(&problems, path);
    enum err err = config_load(path, &problems, &config);
    if (err == ERR_NONE)
        err = config_examine(config, &problems);
    command_tell_problems(&problems);
    if (err == ERR_NONE)
        (void)printf("%s: fine\n", path);
    config_problems_done(&problems);
    config = config_free(config);
    return err == ERR_NONE ? COMMAND_FINE : COMMAND_WRONG;
}

int check_command(int count, char **words)
{
    static const struct option options[] = {{"explain", no_argument, NULL, 'e'},
                                            {"markdown", no_argument, NULL, 'm'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    enum config_explain_form form = CONFIG_EXPLAIN_TEXT;
    bool explains = false;
    for (int option; (option = getopt_long(count, words, "", options, NULL)) != -1;) {
        switch (option) {
        case 'e': explains = true; break;
        case 'm': form = CONFIG_EXPLAIN_MARKDOWN; break;
        case 'h': (void)fputs(usage, stdout); return COMMAND_FINE;
        default: return COMMAND_WRONG;
        }
    }
    if (optind + 1 < count || (optind == count && !explains))
        return command_misused(words[0], "it takes one file");
    if (form == CONFIG_EXPLAIN_MARKDOWN && !explains)
        return command_misused(words[0], "--markdown belongs to --explain");
    int code = optind < count ? check_file(words[optind]) : COMMAND_FINE;
    return explains && code == COMMAND_FINE ? explain(form) : code;
}
