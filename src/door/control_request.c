/* The operations that every control socket knows, and their members. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/control_request.h"

#include <stdio.h>

enum { OPS_EXPECTED_MAX = 200 };

static const char *const op_names[CONTROL_OP_COUNT] = {
    [CONTROL_OP_TOPICS] = "topics", [CONTROL_OP_STATUS] = "status", [CONTROL_OP_METRICS] = "metrics",
    [CONTROL_OP_TAIL] = "tail",     [CONTROL_OP_SEND] = "send",
};

/* --- Values ------------------------------------------------------------------------------------- */

static bool take_topic(void *to, enum json_kind kind, struct span piece)
{
    struct control_request *request = to;
    (void)kind;
    return request_copy_text(piece, request->topic, sizeof(request->topic), &request->topic_len);
}

static bool take_group(void *to, enum json_kind kind, struct span piece)
{
    struct control_request *request = to;
    (void)kind;
    return request_copy_text(piece, request->group, sizeof(request->group), &request->group_len) &&
           request->group_len > 0;
}

static bool take_key(void *to, enum json_kind kind, struct span piece)
{
    struct control_request *request = to;
    (void)kind;
    request->has_key = true;
    return request_copy_text(piece, request->key, sizeof(request->key), &request->key_len);
}

static bool take_place(struct control_request *request, struct span piece)
{
    size_t colon = span_find(piece, ':');
    uint64_t partition = 0;
    request->from = CONTROL_FROM_OFFSET;
    request->from_has_partition = colon < piece.len;
    if (!request->from_has_partition)
        return span_to_u64(piece, &request->from_offset);
    if (!span_to_u64(span_of(piece.data, colon), &partition) || partition >= STORE_PARTITIONS_MAX)
        return false;
    request->from_partition = (uint32_t)partition;
    return span_to_u64(span_after(piece, colon + 1), &request->from_offset);
}

static bool take_from(void *to, enum json_kind kind, struct span piece)
{
    struct control_request *request = to;
    (void)kind;
    request->from_has_partition = false;
    request->has_from = true;
    if (!json_text_equal(piece, "start") && !json_text_equal(piece, "end"))
        return take_place(request, piece);
    request->from = json_text_equal(piece, "start") ? CONTROL_FROM_START : CONTROL_FROM_END;
    return true;
}

static bool take_follow(void *to, enum json_kind kind, struct span piece)
{
    struct control_request *request = to;
    (void)piece;
    request->follow = kind == JSON_TRUE;
    return true;
}

static bool take_encoding(void *to, enum json_kind kind, struct span piece)
{
    struct control_request *request = to;
    (void)kind;
    request->is_base64 = json_text_equal(piece, "base64");
    return request->is_base64 || json_text_equal(piece, "text");
}

static bool take_limit(void *to, enum json_kind kind, struct span piece)
{
    struct control_request *request = to;
    (void)kind;
    return span_to_u64(piece, &request->limit) && request->limit > 0;
}

/* --- Members ------------------------------------------------------------------------------------ */

#define FOR(op) (1U << CONTROL_OP_##op)

static const struct request_member members[] = {
    {"topic", JSON_STRING, FOR(TAIL) | FOR(SEND), FOR(TAIL) | FOR(SEND), "a topic's name", take_topic},
    {"key", JSON_STRING, FOR(SEND), 0, "a text of at most 1024 bytes", take_key},
    {"group", JSON_STRING, FOR(TAIL), 0, "a group's name", take_group},
    {"from", JSON_STRING, FOR(TAIL), 0, "start, end, <offset> or <partition>:<offset>", take_from},
    {"follow", JSON_TRUE, FOR(TAIL), 0, "true or false", take_follow},
    {"limit", JSON_NUMBER, FOR(TAIL), 0, "a whole number above 0", take_limit},
    {"encoding", JSON_STRING, FOR(TAIL), 0, "text or base64", take_encoding},
};

static const struct request_table table = {
    .ops = op_names,
    .op_count = CONTROL_OP_COUNT,
    .members = members,
    .member_count = sizeof(members) / sizeof(members[0]),
};

enum err control_request_parse(struct span line,
                               const char *others,
                               struct control_request *ret_request,
                               struct why *why)
{
    struct control_request request = {.from = CONTROL_FROM_END};
    char expected[OPS_EXPECTED_MAX];
    int op;
    (void)snprintf(expected, sizeof expected, "topics status metrics tail send%s%s",
                   others == NULL ? "" : " ", others == NULL ? "" : others);
    enum err err = request_reader_read(&table, line, expected, &request, &op, why);
    if (err != ERR_NONE)
        return err;
    if (request.group_len > 0 && !request.follow)
        return why_set(why, ERR_BAD_INPUT, "with group, follow must be true: a group has no end");
    request.op = (enum control_op)op;
    *ret_request = request;
    return ERR_NONE;
}
