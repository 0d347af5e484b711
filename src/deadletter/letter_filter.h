/* Which dead letters are meant: by reason and key. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEADLETTER_LETTER_FILTER_H
#define DEADLETTER_LETTER_FILTER_H

#include "base/pattern.h"
#include "deadletter/dead_letter.h"

enum { LETTER_PATTERN_MAX = 500 };

/* A record of a dead-letter topic, looked at once. */
struct letter_view {
    const struct record *record;
    bool is_letter;            /* else a parked line, or something else that nobody gave up */
    struct dead_letter letter; /* when it is one */
    uint32_t headers;          /* how many are the original's */
    struct span reason;        /* of the letter, or of the parked line */
};

void letter_look(const struct record *record, struct letter_view *ret_view);

struct letter_filter {
    struct pattern *reason; /* NULL: any */
    struct pattern *key;
};

/* Patterns as in the configuration; empty: any. BAD_INPUT, TOO_LARGE, MEMORY with the reason. */
enum err letter_filter_init(struct letter_filter *filter,
                            struct span reason,
                            struct span key,
                            struct why *why) MUST_CHECK;
void letter_filter_done(struct letter_filter *filter);
bool letter_filter_takes(const struct letter_filter *filter, const struct letter_view *view);

#endif
