/* Reads the audit topic for people: all records, or those of a topic, of a correlation. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_AUDIT_SEARCH_H
#define AUDIT_AUDIT_SEARCH_H

#include "base/why.h"
#include "store/store.h"

struct audit_search_order {
    struct span audit_topic; /* waybill.audit */
    struct span from;        /* see range_text.h */
    struct span to;
    struct span topic; /* that is spoken of, and its dead-letter topic; empty: any */
    struct span correlation_id;
    struct span event;
    uint64_t limit; /* 0: none */
};

struct audit_search_events {
    /* One JSON object as it stands in the topic. False: wait for audit_search_resume. */
    bool (*on_found)(void *owner, struct span json);
    void (*on_end)(void *owner, enum err err);
    void *owner;
};

struct audit_search;

/* Events come in later turns. Without an audit topic there is nothing to be found. BAD_INPUT, MEMORY with the reason. */
enum err audit_search_new(struct store *store,
                          struct mailbox *mailbox,
                          const struct audit_search_order *order,
                          const struct audit_search_events *events,
                          struct why *why,
                          struct audit_search **ret_search) MUST_CHECK;
void audit_search_resume(struct audit_search *search);
/* Also from inside its events. Takes and returns NULL. */
struct audit_search *audit_search_close(struct audit_search *search);

#endif
