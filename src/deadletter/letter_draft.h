/* Makes a dead letter of a record that was given up, with the outcome and the audit record that go with it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEADLETTER_LETTER_DRAFT_H
#define DEADLETTER_LETTER_DRAFT_H

#include "audit/audit.h"
#include "deadletter/dead_letter.h"

/* Who runs the replays: told of each of their records that fails again, and asked before an append goes out. */
struct parking_replays {
    /* True: it was the last try, no new dead letter is written. */
    bool (*on_failed_again)(void *owner, uint32_t group, const struct store_position *position);
    enum err (*on_append)(void *owner, struct append_builder *builder);
    void *owner;
};

struct parking_fault {
    uint32_t topic;           /* of the member; claims that stand in another one are a replay's */
    struct span group;        /* its name */
    struct span dead_letters; /* the topic for them; empty: <topic>.dlq */
    struct span reason;
    struct span stacktrace; /* empty: none, here and below */
    struct span correlation_id;
    struct span traceability_id;
    struct span key; /* what the consumer calls it, for the audit */
    enum audit_actor actor;
};

/* What drafts share. */
struct letter_drafter {
    struct store *store;
    struct clock *clock;
    struct audit *audit; /* NULL: none is written */
    struct parking_replays replays;
    struct store_topic source; /* the topic that the latest record stands in */
    struct store_topic target; /* and that of its letter */
    bool has_topics;
};

/* One record; all that it points to lives until it was added. */
struct letter_draft {
    const struct parking_fault *fault;
    struct store_position position;
    const struct record *record;  /* NULL: it has expired */
    struct store_settled settled; /* `dead` is filled in when there is a letter */
    bool is_again;                /* the record is a letter already, and a replay gave it */
    bool is_last;                 /* no letter is written any more */
    uint32_t headers;             /* of the record: the original's */
    struct dead_letter letter;
};

/* Finds its topics and what kind of failure it is. BAD_NAME, TOO_MANY, UNKNOWN_TOPIC: it can have no letter. */
enum err letter_draft_begin(struct letter_draft *draft, struct letter_drafter *drafter) MUST_CHECK;
/* Letter, outcome and audit record: all of them, or none. TOO_LARGE, TOO_MANY: the builder has no room for them. */
enum err letter_draft_add(struct letter_draft *draft,
                          struct letter_drafter *drafter,
                          struct append_builder *builder) MUST_CHECK;

#endif
