/* Requests of the control socket for dead letters, replays and the audit (docs/protocols/control.md). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_LETTER_REQUEST_H
#define DOOR_LETTER_REQUEST_H

#include "door/request_reader.h"

enum letter_op {
    LETTER_OP_LIST,
    LETTER_OP_DROP,
    LETTER_OP_REPLAY,
    LETTER_OP_REPLAYS,
    LETTER_OP_REPLAY_STOP,
    LETTER_OP_AUDIT,
    LETTER_OP_COUNT,
};

/* Texts lie in `texts`; what was left out is empty, 0 or false. */
struct letter_request {
    enum letter_op op;
    struct span topic;
    struct span from;
    struct span to;
    struct span reason;
    struct span key;
    struct span delivery;
    struct span correlation_id;
    struct span event;
    uint64_t id; /* of a replay */
    uint64_t limit;
    uint64_t rate;
    bool is_whole;
    bool is_dry;
    bool is_last_retry;
    bool is_reroute;
    size_t texts_len;
    uint8_t texts[CONTROL_REQUEST_MAX];
};

/* "deadletters drop ...", for messages. */
extern const char letter_request_ops[];

/* NOT_FOUND: the line asks for another operation. BAD_INPUT, TOO_LARGE, with what is wrong for a person. The request is large: not for the stack. */
enum err letter_request_parse(struct span line, struct letter_request *request, struct why *why) MUST_CHECK;

#endif
