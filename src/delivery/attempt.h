/* A batch on its way to a target: gathered, sent, perhaps again and again, until it is settled. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DELIVERY_ATTEMPT_H
#define DELIVERY_ATTEMPT_H

#include "base/list.h"
#include "delivery/target.h"

/*
 *   GATHERING --> READY --> SENDING --> SETTLED            delivered
 *                   ^          |------> READY              the target is down: costs nothing, the breaker decides when
 *                   |          |------> WAITING --> READY  retry, after the back-off
 */
enum attempt_state {
    ATTEMPT_GATHERING,
    ATTEMPT_READY,
    ATTEMPT_SENDING,
    ATTEMPT_WAITING,
    ATTEMPT_SETTLED,
    ATTEMPT_STATE_COUNT
};

/* Records of one partition that follow each other. */
struct attempt_run {
    struct group_member *member;
    struct store_position first;
    uint32_t count;
};

struct attempt {
    struct list link; /* the delivery's, in the order of gathering */
    void *owner;      /* the delivery */
    enum attempt_state state;
    struct target_batch *batch;
    struct attempt_run *runs;
    uint32_t run_count;
    uint32_t runs_size;
    uint32_t records;
    uint32_t failures; /* sends that cost an attempt */
    int64_t begun_ns;  /* when its first record was taken */
    int64_t due_ns;    /* WAITING: when it may be sent again */
};

/* GATHERING and empty. MEMORY. */
enum err
attempt_new(struct target *target, void *owner, int64_t now_ns, struct attempt **ret_attempt) MUST_CHECK;
/* Not while it is being sent. Takes NULL; returns NULL. */
struct attempt *attempt_free(struct target *target, struct attempt *attempt);

/* Makes room to note one more record. MEMORY. */
enum err attempt_reserve(struct attempt *attempt) MUST_CHECK;
/* Notes a record that the target's batch has taken. After a reserve. */
void attempt_note(struct attempt *attempt, struct group_member *member, struct store_position position);

void attempt_move(struct attempt *attempt, enum attempt_state to);

#endif
