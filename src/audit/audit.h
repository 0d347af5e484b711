/* Puts audit records into the appends that they speak of, or into one of their own. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include "audit/audit_record.h"
#include "base/clock.h"
#include "store/append_builder.h"

enum {
    AUDIT_RUNS_MAX = 16, /* records of one commit for the `done` of one partition */
    AUDIT_WAITING_MAX =
        1 << 20, /* bytes of records on their own that are not synced; more are lost, and counted */
};

struct audit_settings {
    struct span topic;   /* waybill.audit */
    struct span service; /* may be empty */
    bool consume;        /* whether `done` is written */
};

/* One a loop; its mailbox is that loop's. */
struct audit;

/* Settings are copied. BAD_NAME, MEMORY. */
enum err audit_new(struct store *store,
                   struct mailbox *mailbox,
                   struct clock *clock,
                   const struct audit_settings *settings,
                   struct audit **ret_audit) MUST_CHECK;
/* Idle. Takes and returns NULL. */
struct audit *audit_free(struct audit *audit);
/* Whether records of its own are under way. */
bool audit_is_idle(struct audit *audit);

/*
 * The record rides in an append that is being built. TOO_LARGE, TOO_MANY: the builder is full. When the topic cannot be had it
 * is counted as lost, and that is NONE: what it speaks of goes on. A NULL audit writes nothing.
 */
enum err
audit_add(struct audit *audit, struct append_builder *builder, const struct audit_record *record) MUST_CHECK;

/* The same for the runs of a commit that say `done`: a few records for each partition, whose runs stand together. */
enum err audit_add_done(void *owner,
                        struct append_builder *builder,
                        struct span group,
                        const struct store_settled *settled,
                        uint32_t count) MUST_CHECK;

/* The record goes into an append of its own, soon. */
void audit_write(struct audit *audit, const struct audit_record *record);

#endif
