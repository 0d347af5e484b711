/* The program: a table of subcommands. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

static const struct command commands[] = {
    {"serve", serve_command, "run: open the doors and store what comes"},
    {"check", check_command, "examine a configuration, or explain all its keys"},
    {"send", send_command, "store lines as messages of a topic"},
    {"tail", tail_command, "print the records of a topic"},
    {"topics", topics_command, "list the topics"},
    {"groups", groups_command, "list the groups, how far they are and what is open"},
    {"receipt", receipt_command, "say what became of a record"},
    {"deadletters", deadletters_command, "list, show, replay or drop what groups have given up"},
    {"audit", audit_command, "print who did what to which record"},
    {"journal", journal_command, "inspect, verify or back up the log of a data directory"},
    {"bench", bench_command, "measure this disk and this machine, or a program that runs"},
    {"version", version_command, "print the version"},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void print_usage(FILE *to)
{
    (void)fputs("usage: waybill COMMAND ...\n\n", to);
    for (size_t i = 0; i < COMMANDS; i++)
        (void)fprintf(to, "  %-11s %s\n", commands[i].name, commands[i].sentence);
    (void)fputs(
        "\n`waybill COMMAND --help` says more. Without a file `waybill serve` listens on loopback alone.\n",
        to);
}

int main(int count, char **words)
{
    if (count < 2) {
        print_usage(stderr);
        return COMMAND_WRONG;
    }
    if (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0 || strcmp(words[1], "help") == 0) {
        print_usage(stdout);
        return COMMAND_FINE;
    }
    if (strcmp(words[1], "--version") == 0)
        return version_command(1, words + 1);
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(words[1], commands[i].name) == 0)
            return commands[i].run(count - 1, words + 1);
    (void)fprintf(stderr, "waybill: there is no command `%s`\n\n", words[1]);
    print_usage(stderr);
    return COMMAND_WRONG;
}
