/* Takes over what a changed configuration file may change in a running program. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_RELOAD_H
#define APP_RELOAD_H

#include "app/door_plan.h"
#include "app/journal_setup.h"
#include "app/worker.h"

/* All of them are main's, and only main reloads. */
struct reload {
    const char *path;           /* of the file; NULL: there is none */
    const struct config *start; /* what the program was started with */
    struct config *live;        /* what was taken over last; NULL: nothing yet */
    struct door_plans *plans;
    struct journal_setup *setup;
    struct journal *journal;
    struct worker *workers;
    unsigned worker_count;
};

/*
 * Reads the file again. When anything is wrong with it, or with a file that it names, all stays as it was, and each
 * problem is a log line. Otherwise what may change does, certificates in any case; keys that need a restart are named.
 */
void reload_run(struct reload *reload);
/* When the journal and the workers have ended. */
void reload_done(struct reload *reload);

/* What holds now. */
const struct config *reload_config(const struct reload *reload);

#endif
