/* What the home loop has for dead letters: audit, parking, replays, and their operations on the control socket. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_LETTERS_H
#define APP_LETTERS_H

#include "app/door_plan.h"
#include "door/letter_desk.h"
#include "io/loop.h"

struct letters {
    struct loop *loop; /* NULL: not begun */
    struct audit *audit;
    struct parking *parking;
    struct replays *replays;
    struct letter_desk desk;
    struct timer due;
    const struct produce_settings **doors; /* of the desk */
};

/* The audit alone: groups begin with it. The configuration must outlive the letters. BAD_NAME, MEMORY. */
enum err letters_init(struct letters *letters,
                      struct loop *loop,
                      struct store *store,
                      const struct config *config) MUST_CHECK;
/* The rest, with the groups of the loop, which must outlive it. Replays that ran go on. The plans too must live as long. MEMORY. */
enum err letters_open(struct letters *letters,
                      struct store *store,
                      struct groups *groups,
                      const struct door_plans *plans) MUST_CHECK;

/* Whether all that was parked or audited is stored: a drain waits for it. */
bool letters_are_idle(struct letters *letters);
/* The members of all groups have left: replays give nothing any more. The store completes what is under way. */
void letters_close(struct letters *letters);
/* Closed, and the groups are no more. */
void letters_done(struct letters *letters);

/* Any thread: records were dropped, as `fields` says; it is audited on the loop. */
void letters_tell_dropped(struct letters *letters, const char *fields);

#endif
