/* One entry of the audit: who did what to which record, as JSON (docs/formats/audit.md). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_AUDIT_RECORD_H
#define AUDIT_AUDIT_RECORD_H

#include "base/buffer.h"

enum {
    AUDIT_TEXT_MAX = 1000, /* of an id or a reason */
    AUDIT_KEY_MAX = 200,
    AUDIT_STACKTRACE_MAX = 4096,
    AUDIT_RECORD_SIZE_MAX = 128 * 1024, /* of the JSON: everything of it escaped */
};

enum audit_event {
    AUDIT_DONE,
    AUDIT_DEAD,
    AUDIT_GIVEN_UP, /* without a new dead letter */
    AUDIT_DROP,
    AUDIT_REPLAY_START,
    AUDIT_REPLAY_END,
    AUDIT_REROUTE,
    AUDIT_DEADLETTERS_DROP,
    AUDIT_SEEK,
    AUDIT_EVENT_COUNT
};

enum audit_actor {
    AUDIT_SUBSCRIBER,
    AUDIT_DELIVERY,
    AUDIT_PRODUCER,
    AUDIT_OPERATOR,
    AUDIT_LOG,
    AUDIT_ACTOR_COUNT
};

/* Spans that are empty are left out; longer ones are cut. */
struct audit_record {
    enum audit_event event;
    enum audit_actor actor;
    struct span topic;
    uint32_t partition;
    uint64_t offset;
    uint64_t count; /* above 1: of offsets in [offset, to) */
    uint64_t to;    /* exclusive */
    struct span correlation_id;
    struct span traceability_id;
    struct span key;
    struct span stacktrace;
    struct span group;
    struct span identity;
    struct span reason;
    struct span dead_letter_topic;
    struct span replay;
    uint16_t attempt;    /* 0: not known */
    uint32_t status;     /* 0: none */
    int64_t duration_ms; /* below 0: not known */
};

/* Appends the JSON object. Errors are the buffer's. */
enum err audit_record_write(struct buffer *to,
                            const struct audit_record *record,
                            struct span service,
                            const uint64_t id[2],
                            int64_t timestamp_ms) MUST_CHECK;

/* "done" */
const char *audit_event_name(enum audit_event event);

#endif
