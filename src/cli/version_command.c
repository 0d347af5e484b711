/* waybill version */
/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>

#include "cli/command.h"

static const char usage[] = "usage: waybill version [--json]\n";

int version_command(int count, char **words)
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
    (void)printf(is_json ? "{\"version\":\"%s\"}\n" : "waybill %s\n", WAYBILL_VERSION);
    return COMMAND_FINE;
}
