/* A background without a thread: jobs run when the test says so. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_BACKGROUND_STEPPED_H
#define SUPPORT_BACKGROUND_STEPPED_H

#include <stdbool.h>

#include "base/background.h"

struct background_stepped {
    struct background background;
    struct list jobs;
};

void background_stepped_init(struct background_stepped *stepped);
/* Runs the oldest job and mails it back; false when none waits. */
bool background_stepped_step(struct background_stepped *stepped);

#endif
