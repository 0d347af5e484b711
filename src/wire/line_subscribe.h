/* A command on the subscribe port: SUBSCRIBE with its options, DONE, FAIL, RETRY (docs/protocols/line.md, subscribe). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_LINE_SUBSCRIBE_H
#define WIRE_LINE_SUBSCRIBE_H

#include "base/check.h"
#include "base/span.h"
#include "wire/line_canonical.h"
#include "wire/line_error.h"

enum {
    LINE_SUBSCRIBE_MAX = 1024, /* bytes of a command, without a reason */
    LINE_REASON_MAX = 4096,
    LINE_SUBSCRIBE_REASON_MAX = LINE_SUBSCRIBE_MAX + LINE_REASON_MAX, /* of any command */
    LINE_WINDOW_DEFAULT = 10000,
    LINE_WINDOW_MAX = 1000000,
    LINE_GROUP_NAME_MAX = 200,
};

enum line_subscribe_kind {
    LINE_SUBSCRIBE_SUBSCRIBE,
    LINE_SUBSCRIBE_DONE,
    LINE_SUBSCRIBE_FAIL,
    LINE_SUBSCRIBE_RETRY,
};

enum line_from { LINE_FROM_DEFAULT, LINE_FROM_START, LINE_FROM_END, LINE_FROM_OFFSET, LINE_FROM_PLACE };

/* Spans are into the line. */
struct line_subscription {
    struct span topic; /* any word: who opens it knows what is legal */
    struct span group; /* empty: none */
    enum line_from from;
    uint32_t partition; /* with FROM_PLACE */
    uint64_t offset;    /* with FROM_OFFSET and FROM_PLACE */
    uint32_t window;
    enum line_encoding encoding;
};

/* Which records are spoken of: those with a number in [from, to], or the one at a place. */
struct line_settlement {
    struct span word; /* as it stands in the line, for the answer */
    bool is_place;
    uint64_t from;
    uint64_t to;
    uint32_t partition;
    uint64_t offset;
    struct span reason; /* FAIL; never empty */
    int64_t delay_ns;   /* RETRY */
};

struct line_subscribe {
    enum line_subscribe_kind kind;
    union {
        struct line_subscription subscription; /* SUBSCRIBE */
        struct line_settlement settlement;     /* the others */
    };
};

/* `line` has no end of line. NONE, BAD_REQUEST, BAD_RANGE, BAD_GROUP, BAD_WINDOW or TOO_LONG. */
enum line_error line_subscribe_parse(struct span line, struct line_subscribe *ret_command) MUST_CHECK;

#endif
