/* All replays of a program: begun, gone on with after a restart, looked at, stopped. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEADLETTER_REPLAYS_H
#define DEADLETTER_REPLAYS_H

#include "deadletter/parking.h"
#include "deadletter/replay_run.h"

enum {
    REPLAYS_MAX = 16, /* that run at once */
    REPLAYS_KEPT = 64 /* that have ended */
};

/* What an operator asks for; empty spans and zeros: everything, no limit, the group that failed them. */
struct replay_order {
    struct span topic; /* the dead-letter topic */
    struct span from;  /* see range_text.h */
    struct span to;
    struct span reason;
    struct span key;
    uint64_t rate;
    bool is_dry;
    bool is_last_retry;
    struct span delivery;
    struct span by;
};

struct replays_events {
    void (*on_due)(void *owner, int64_t after_ns); /* call replays_step after this time */
    void *owner;
};

struct replays;

/* On the groups' loop. Goes on with what ran when the program ended; a replay that cannot go on is logged and stays as it is. MEMORY. */
enum err replays_new(const struct replay_seams *seams,
                     const struct replays_events *events,
                     struct replays **ret_replays) MUST_CHECK;
/* They go on with the next start. Takes and returns NULL. */
struct replays *replays_free(struct replays *replays);
void replays_step(struct replays *replays);

/*
 * on_started comes when it is durable, never from inside this call: then it goes on whatever happens to who asked. A dry run
 * counts only. BAD_INPUT, UNKNOWN_TOPIC, EXISTS (one of this topic runs), TOO_MANY, MEMORY with the reason: then it does not come.
 */
enum err replays_start(struct replays *replays,
                       const struct replay_order *order,
                       void (*on_started)(void *owner, uint64_t id, enum err err),
                       void *owner,
                       struct why *why,
                       uint64_t *ret_id) MUST_CHECK;
/* Its owner is gone: on_started will not come. */
void replays_forget_owner(struct replays *replays, const void *owner);
/* NOT_FOUND: none of this id runs. */
enum err replays_stop(struct replays *replays, uint64_t id) MUST_CHECK;

/* The numbers of one, also of an ended one. NOT_FOUND. *ret_view is valid until the next call; the replay is NULL for an old one. */
enum err replays_look(struct replays *replays,
                      uint64_t id,
                      struct replay_view *ret_view,
                      const struct replay **ret_replay) MUST_CHECK;
/* The id behind `after`, 0 at first; 0 at the end. */
uint64_t replays_next(struct replays *replays, uint64_t after);

/* For parking: what fails again is counted. */
struct parking_replays replays_for_parking(struct replays *replays);

#endif
