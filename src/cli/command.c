/* What the subcommands share: how they refuse, and how they find the data directory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include <stdarg.h>
#include <stdio.h>

#include "config/config.h"
#include "store/topic.h"

int command_misused(const char *name, const char *format, ...)
{
    va_list arguments;
    (void)fprintf(stderr, "waybill %s: ", name);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "; see `waybill %s --help`\n", name);
    return COMMAND_WRONG;
}

bool command_topic_is_legal(const char *name, const char *topic)
{
    if (store_topic_name_is_legal(span_from_text(topic)))
        return true;
    (void)command_misused(name, "`%.100s` is no topic's name: %s", topic, store_topic_name_rule);
    return false;
}

int command_failed(int code, const char *format, ...)
{
    va_list arguments;
    (void)fputs("waybill: ", stderr);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    return code;
}

void command_tell_problems(const struct config_problems *problems)
{
    if (problems->text.len > 0)
        (void)fwrite(problems->text.data, 1, problems->text.len, stderr);
    if (problems->count > CONFIG_PROBLEMS_MAX)
        (void)fprintf(stderr, "%s: and %u more\n", problems->file, problems->count - CONFIG_PROBLEMS_MAX);
}

bool command_data_directory(const char *path, char data[static PATH_MAX])
{
    struct config_problems problems;
    struct config *config = NULL;
    config_problems_init(&problems, path == NULL ? "" : path);
    enum err err = path == NULL ? config_default(&config) : config_load(path, &problems, &config);
    command_tell_problems(&problems);
    config_problems_done(&problems);
    if (err == ERR_NONE && snprintf(data, PATH_MAX, "%s", config->data) >= PATH_MAX)
        err = ERR_TOO_LARGE;
    config = config_free(config);
    return err == ERR_NONE;
}
