/* The processed logs of a configuration, followed on the home loop of the groups. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_PROCESSED_LOGS_H
#define APP_PROCESSED_LOGS_H

#include "app/door_plan.h"
#include "door/group_home.h"

struct followed_log;

struct processed_logs {
    struct followed_log *logs;
    uint32_t count;
};

/* Every door's, each file once for a group and sequence. CONFIG, SYSTEM, MEMORY with the reason; then none is followed. */
enum err processed_logs_open(struct processed_logs *logs,
                             const struct door_plans *plans,
                             struct store *store,
                             struct group_home *home,
                             struct why *why) MUST_CHECK;
/* Nothing more is read. */
void processed_logs_stop(struct processed_logs *logs);
/* Stopped, and the home is no more. */
void processed_logs_close(struct processed_logs *logs);

#endif
