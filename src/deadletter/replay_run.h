/* One replay: counts a range of dead letters, hands them to their groups again, and sees them settled. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEADLETTER_REPLAY_RUN_H
#define DEADLETTER_REPLAY_RUN_H

#include "audit/audit.h"
#include "deadletter/replay_note.h"
#include "deadletter/replay_pace.h"
#include "group/group.h"

/*
 * The happy path: WRITING its notes makes it durable; COUNTING reads the ranges and finds lanes; GIVING has one source for each lane
 * and partition; when all have ended, ENDING writes that, and it is OVER. A dry run counts, and is over. After a restart it goes on
 * with COUNTING: what has an outcome is not given again.
 *
 * What cannot be read, a group that cannot be had, or an operator end it as `stopped`, with the reason.
 */
enum replay_phase {
    REPLAY_WRITING,
    REPLAY_COUNTING,
    REPLAY_GIVING,
    REPLAY_ENDING,
    REPLAY_OVER,
};

struct replay_seams {
    struct store *store;
    struct groups *groups;
    struct mailbox *mailbox; /* of the groups' loop */
    struct clock *clock;
    struct audit *audit; /* NULL: none */
};

struct replay_events {
    void (*on_started)(void *owner,
                       enum err err); /* it is durable, or the reason why not; a dry run at once */
    void (*on_over)(void *owner);     /* it may be freed, not from inside */
    void *owner;
};

/* Numbers of records. given and settled count from where it was begun, over restarts; left: wanted and not settled. */
struct replay_view {
    const struct replay_note *note; /* the numbers in there are those at its end */
    enum replay_phase phase;
    bool is_dry;
    uint64_t wanted;
    uint64_t given; /* since the program began */
    uint64_t settled;
    uint64_t left;
    uint64_t failed_again;
    uint64_t completed; /* in the ranges, before it began */
    uint64_t left_out;
    uint64_t foreign;
    uint32_t lanes;
    uint32_t waiting; /* lanes whose group has no member */
    const char *why;  /* it was stopped; "" */
};

/* What is to be done; the note and the ranges, one for each partition, are copied. */
struct replay_plan {
    const struct replay_note *note;
    const struct record_scan_range *ranges;
    bool is_dry;
    bool is_recovered; /* it stands in notes already */
};

struct replay;

/* BAD_INPUT for a pattern, UNKNOWN_TOPIC, MEMORY with the reason. */
enum err replay_new(const struct replay_seams *seams,
                    const struct replay_plan *plan,
                    const struct replay_events *events,
                    struct why *why,
                    struct replay **ret_replay) MUST_CHECK;
/* Gives nothing any more; what is open stays open. Frees itself when nothing is under way. Takes and returns NULL. */
struct replay *replay_close(struct replay *self);

/* Hands out what its rate allows; true: it wants to be called again in REPLAY_PACE_STEP_NS. */
bool replay_step(struct replay *self);
/* Ends as `stopped`. */
void replay_stop(struct replay *self, const char *why);

/* Whether it gave this record to this group; then it counts as failed again. */
bool replay_fail_again(struct replay *self, uint32_t group, const struct store_position *position);
/* Its note, when the number of those that failed again has changed since. */
enum err replay_add_note(struct replay *self, struct append_builder *builder) MUST_CHECK;

void replay_look(const struct replay *self, struct replay_view *ret_view);
/* A line of the view: whose letters, and how many of them are wanted. False behind the last one. */
bool replay_look_lane(const struct replay *self,
                      uint32_t index,
                      const char **ret_group,
                      const char **ret_topic,
                      uint64_t *ret_wanted);

#endif
