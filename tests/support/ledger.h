/* What clients sent and what they were promised, kept outside the program: the log must agree with it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_LEDGER_H
#define SUPPORT_LEDGER_H

#include "base/buffer.h"
#include "store/store.h"

enum { LEDGER_SEQUENCES = 3, LEDGER_NUMBERS_MAX = 4096, LEDGER_NAME_SIZE = 16 };

enum ledger_kind {
    LEDGER_MESSAGE,
    LEDGER_MALFORMED, /* parked whole */
    LEDGER_TOO_LONG,  /* refused, or parked cut */
};

/* A line that was sent, `<topic>|<key>|<timestamp>|[<number>|]<body>`; the body tells its place in the ledger. */
struct ledger_line {
    uint32_t connection; /* from ledger_connect */
    uint32_t sequence;   /* index in the store */
    enum ledger_kind kind;
    uint64_t number; /* 0: the store gives it one */
    char topic[LEDGER_NAME_SIZE];
    char key[LEDGER_NAME_SIZE];
    size_t body_len;
    bool may_be_dropped; /* when another line with its number is stored */
    /* The ledger's: */
    uint32_t id;
    bool is_promised;
    bool is_refused;
    uint64_t given_number; /* what the acknowledgement said */
    uint32_t stored;       /* times, when the log was looked at */
};

struct ledger_number {
    bool is_sent;
    bool is_promised;
    uint32_t stored;
};

struct ledger {
    struct ledger_line *lines;
    uint32_t count;
    uint32_t size;
    uint32_t connections;
    size_t max_line;
    uint64_t sent[LEDGER_SEQUENCES]; /* lines */
    uint64_t highest_promised[LEDGER_SEQUENCES];
    struct ledger_number numbers[LEDGER_SEQUENCES][LEDGER_NUMBERS_MAX];
};

void ledger_init(struct ledger *ledger, size_t max_line);
void ledger_done(struct ledger *ledger);

uint32_t ledger_connect(struct ledger *ledger);
/* Notes the line and appends it to `text` with its LF; its id. */
uint32_t ledger_send(struct ledger *ledger, const struct ledger_line *about, struct buffer *text);
/* The line that has this body, or whole text; fails when nobody sent it. */
struct ledger_line *ledger_find(struct ledger *ledger, struct span body);

/* The line was acknowledged, or seen by a reader. */
void ledger_promise(struct ledger *ledger, uint32_t id);
/* A message of this number was said to be stored; fails when none was sent. */
void ledger_promise_number(struct ledger *ledger, uint32_t sequence, uint64_t number);
void ledger_refuse(struct ledger *ledger, uint32_t id);

/*
 * Looks at the whole log: all that was promised is in it, and nothing that was not sent; byte for byte, each line
 * once, those of a connection in order and without a hole. The store's own answers agree.
 */
void ledger_compare(struct ledger *ledger, struct store *store);

#endif
