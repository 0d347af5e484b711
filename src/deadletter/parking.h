/* Turns records that a consumer gives up into dead letters: letter, outcome and audit record in one append. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEADLETTER_PARKING_H
#define DEADLETTER_PARKING_H

#include "deadletter/letter_draft.h"
#include "group/group_member.h"

/*
 * The happy path: claims come with a reason; what came in one turn is read from the log together; letters, outcomes and audit
 * records fill appends; when one is synced its claims end.
 *
 * - The log is full: they wait, as outcomes do. A dead-letter topic at its size takes them all the same.
 * - The log is broken, or the dead-letter topic cannot be made: the claims are given back, with a log line.
 * - Retention has taken the record meanwhile: there is nothing to keep, the outcome is `expired`.
 * - A record that a replay gave fails again, or a subscriber of the dead-letter topic itself fails: docs/formats/dead-letter.md, 3.
 */
enum { PARKING_CLAIMS_MAX = 4096 }; /* of one call */

struct parking;

/* One a loop, whose mailbox it is. A NULL audit writes none; `replays` may be NULL and is copied. MEMORY. */
enum err parking_new(struct store *store,
                     struct mailbox *mailbox,
                     struct clock *clock,
                     struct audit *audit,
                     const struct parking_replays *replays,
                     struct parking **ret_parking) MUST_CHECK;
/* Idle. Takes and returns NULL. */
struct parking *parking_free(struct parking *parking);
/* Whether claims are under way: a drain waits until there are none. */
bool parking_is_idle(struct parking *parking);

/*
 * Takes the claims, which end when it is over; the fault is copied. on_parked (may be NULL) comes once, never from inside this
 * call: NONE, or the first error, and then some claims were given back. MEMORY: they all were, and on_parked does not come.
 */
enum err parking_fail(struct parking *parking,
                      struct group_claim **claims,
                      uint32_t count,
                      const struct parking_fault *fault,
                      void (*on_parked)(void *owner, enum err err),
                      void *owner) MUST_CHECK;

#endif
