/* Where the live groups are at home: the loop that steps them at the end of its turns. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_GROUP_HOME_H
#define DOOR_GROUP_HOME_H

#include "group/group.h"
#include "io/loop.h"

struct group_home {
    struct groups *groups;
    struct loop *loop;
    struct loop_task step;
    struct timer due;
};

/* `settings` with their span_max, open_max ... MEMORY. */
enum err group_home_init(struct group_home *home,
                         struct store *store,
                         struct loop *loop,
                         const struct groups_settings *settings) MUST_CHECK;
/* Nobody is a member any more, and the store completes what is under way. */
void group_home_done(struct group_home *home);

#endif
