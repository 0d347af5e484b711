/* A request on the control socket: one JSON object (docs/protocols/control.md). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_CONTROL_REQUEST_H
#define DOOR_CONTROL_REQUEST_H

#include "door/request_reader.h"
#include "store/store.h"

enum { CONTROL_KEY_MAX = 1024 };

enum control_op {
    CONTROL_OP_TOPICS,
    CONTROL_OP_STATUS,
    CONTROL_OP_METRICS,
    CONTROL_OP_TAIL,
    CONTROL_OP_SEND,
    CONTROL_OP_COUNT,
};

enum control_from { CONTROL_FROM_END, CONTROL_FROM_START, CONTROL_FROM_OFFSET };

struct control_request {
    enum control_op op;
    uint8_t topic[STORE_TOPIC_NAME_MAX];
    size_t topic_len;
    uint8_t group[STORE_GROUP_NAME_MAX];
    size_t group_len; /* 0: none */
    bool has_from;
    enum control_from from;
    bool from_has_partition;
    uint32_t from_partition;
    uint64_t from_offset;
    bool follow;
    bool is_base64;
    uint64_t limit; /* 0: none */
    bool has_key;
    uint8_t key[CONTROL_KEY_MAX];
    size_t key_len;
};

/* BAD_INPUT, with what is wrong for a person. `others`: the names of operations that somebody else reads, or NULL. */
enum err control_request_parse(struct span line,
                               const char *others,
                               struct control_request *ret_request,
                               struct why *why) MUST_CHECK;

#endif
