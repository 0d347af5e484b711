/* The sources of a replay in the groups: one for each lane and partition, all at one pace. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEADLETTER_REPLAY_SOURCES_H
#define DEADLETTER_REPLAY_SOURCES_H

#include "deadletter/replay_lanes.h"
#include "deadletter/replay_pace.h"
#include "group/group.h"

struct replay_source;

struct replay_sources {
    const struct replay_lanes *lanes;
    struct replay_source *items;
    uint32_t count;
    uint32_t ended;
    uint32_t turn; /* who is given credit first */
    struct replay_pace pace;
    void (*on_ended)(void *owner); /* all of them; not from inside a call */
    void *owner;
};

void replay_sources_init(struct replay_sources *sources,
                         const struct replay_lanes *lanes,
                         void (*on_ended)(void *owner),
                         void *owner);
/*
 * Opens a source wherever something is wanted, in the lane's own group, or in the one called `delivery`. What was opened stays
 * when one fails. Errors: those of the groups, with the reason.
 */
enum err replay_sources_open(struct replay_sources *sources,
                             struct groups *groups,
                             struct span delivery,
                             uint64_t rate,
                             int64_t now_ns,
                             struct why *why) MUST_CHECK;
/* They give no more. Their numbers stay. */
void replay_sources_close(struct replay_sources *sources);
void replay_sources_done(struct replay_sources *sources);

/* Gives credit for what the pace allows; true: there will be more. */
bool replay_sources_step(struct replay_sources *sources, int64_t now_ns);
void replay_sources_count(const struct replay_sources *sources, uint64_t *ret_given, uint64_t *ret_settled);
/* Lanes whose group has nobody who could take a record. */
uint32_t replay_sources_waiting(const struct replay_sources *sources);

#endif
