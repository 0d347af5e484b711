/* A subcommand of the program: one row in the table of main.c, one file of its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <limits.h>
#include <stdbool.h>

struct config_problems;

/* What the program ends with. */
enum command_exit {
    COMMAND_FINE = 0,
    COMMAND_NOT_SO = 1, /* the thing asked about is not so, or did not work */
    COMMAND_WRONG = 2,  /* usage or configuration */
};

/* words[0] is the subcommand's name; words[count] is NULL. Returns an exit code. */
struct command {
    const char *name;
    int (*run)(int count, char **words);
    const char *sentence;
};

int audit_command(int count, char **words);
int bench_command(int count, char **words);
int check_command(int count, char **words);
int deadletters_command(int count, char **words);
int groups_command(int count, char **words);
int journal_command(int count, char **words);
int receipt_command(int count, char **words);
int send_command(int count, char **words);
int serve_command(int count, char **words);
int tail_command(int count, char **words);
int topics_command(int count, char **words);
int version_command(int count, char **words);

/* "waybill tail: TEXT", the advice to ask for --help, and COMMAND_WRONG. */
int command_misused(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Whether a topic may be called so; else that was told like misuse. */
bool command_topic_is_legal(const char *name, const char *topic);
/* "waybill: TEXT" and the exit code. */
int command_failed(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* All problems on standard error, with the number of those that were too many. */
void command_tell_problems(const struct config_problems *problems);

/*
 * The data directory of the configuration at `path`, or the default's when it is NULL. False: the problems
 * were printed.
 */
bool command_data_directory(const char *path, char data[static PATH_MAX]);

#endif
