/* A client of the acks port that knows what it may be answered. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_ACKS_CLIENT_H
#define SUPPORT_ACKS_CLIENT_H

#include "door/door.h"
#include "support/ledger.h"
#include "support/stream_memory.h"

enum { ACKS_CLIENT_QUESTIONS_MAX = 8 };

struct acks_question {
    uint64_t from; /* 0: for the highest number */
    uint64_t to;
    uint64_t highest; /* that was promised when it was asked */
    bool was_promised[LEDGER_NUMBERS_MAX];
};

struct acks_client {
    struct ledger *ledger;
    struct loop_simulated *simulated;
    struct door *door;
    uint32_t sequence;
    struct stream_memory *stream; /* NULL: none */
    bool may_fail;                /* the disk, or the connection, has a reason */
    size_t parsed;
    uint32_t first; /* open questions, a ring */
    uint32_t count;
    struct acks_question questions[ACKS_CLIENT_QUESTIONS_MAX];
};

void acks_client_connect(struct acks_client *client);
/* About one number, a range, or the highest; nothing when enough questions are open. */
void acks_client_ask(struct acks_client *client);
void acks_client_cut(struct acks_client *client);
void acks_client_read(struct acks_client *client);

#endif
