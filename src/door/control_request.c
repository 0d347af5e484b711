/* Reads the requests of the control socket. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/control_request.h"

#include "base/json_reader.h"

static const char *const op_names[CONTROL_OP_COUNT] = {
    [CONTROL_OP_TOPICS] = "topics", [CONTROL_OP_STATUS] = "status", [CONTROL_OP_METRICS] = "metrics",
    [CONTROL_OP_TAIL] = "tail",     [CONTROL_OP_SEND] = "send",
};

enum {
    SHOWN_MAX = 60,
    ESCAPED_MAX = 6, /* bytes that one byte may take as an escape */
};

/* For messages: the beginning of what the client wrote. */
#define SHOWN(piece) (int)((piece).len < SHOWN_MAX ? (piece).len : SHOWN_MAX), (const char *)(piece).data

/* --- Values ------------------------------------------------------------------------------------- */

/* Resolves escapes into `to`; false when it is longer than `size`. */
static bool copy_text(struct span piece, uint8_t *to, size_t size, size_t *ret_len)
{
    uint8_t resolved[ESCAPED_MAX * CONTROL_KEY_MAX];
    if (piece.len > sizeof(resolved))
        return false;
    size_t len = json_text_resolve(piece, resolved);
    if (len > size)
        return false;
    memcpy(to, resolved, len);
    *ret_len = len;
    return true;
}

static bool take_op(struct control_request *request, struct span piece)
{
    for (unsigned op = 0; op < CONTROL_OP_COUNT; op++)
        if (json_text_equal(piece, op_names[op])) {
            request->op = (enum control_op)op;
            return true;
        }
    return false;
}

static bool take_topic(struct control_request *request, struct span piece)
{
    return copy_text(piece, request->topic, sizeof(request->topic), &request->topic_len);
}

static bool take_key(struct control_request *request, struct span piece)
{
    request->has_key = true;
    return copy_text(piece, request->key, sizeof(request->key), &request->key_len);
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

static bool take_from(struct control_request *request, struct span piece)
{
    request->from_has_partition = false;
    if (!json_text_equal(piece, "start") && !json_text_equal(piece, "end"))
        return take_place(request, piece);
    request->from = json_text_equal(piece, "start") ? CONTROL_FROM_START : CONTROL_FROM_END;
    return true;
}

static bool take_encoding(struct control_request *request, struct span piece)
{
    request->is_base64 = json_text_equal(piece, "base64");
    return request->is_base64 || json_text_equal(piece, "text");
}

static bool take_limit(struct control_request *request, struct span piece)
{
    return span_to_u64(piece, &request->limit) && request->limit > 0;
}

/* --- Members ------------------------------------------------------------------------------------ */

#define FOR(op) (1U << CONTROL_OP_##op)

struct member {
    const char *name;
    enum json_kind kind; /* JSON_TRUE stands for both */
    unsigned ops;        /* that know it */
    const char *expected;
    bool (*take)(struct control_request *request,
                 struct span piece); /* NULL: only follow, which is a truth value */
};

static const struct member members[] = {
    {"op", JSON_STRING, ~0U, "topics status metrics tail send", take_op},
    {"topic", JSON_STRING, FOR(TAIL) | FOR(SEND), "a topic's name", take_topic},
    {"key", JSON_STRING, FOR(SEND), "a text of at most 1024 bytes", take_key},
    {"from", JSON_STRING, FOR(TAIL), "start, end, <offset> or <partition>:<offset>", take_from},
    {"follow", JSON_TRUE, FOR(TAIL), "true or false", NULL},
    {"limit", JSON_NUMBER, FOR(TAIL), "a whole number above 0", take_limit},
    {"encoding", JSON_STRING, FOR(TAIL), "text or base64", take_encoding},
};

enum { MEMBERS = sizeof(members) / sizeof(members[0]) };

static enum err refuse_json(struct why *why, const struct json_reader *reader)
{
    return why_set(why, ERR_BAD_INPUT, "not a JSON object (byte %zu)", reader->at);
}

static const struct member *find_member(struct span name)
{
    for (size_t i = 0; i < MEMBERS; i++)
        if (json_text_equal(name, members[i].name))
            return &members[i];
    return NULL;
}

static bool take_value(const struct member *member,
                       struct control_request *request,
                       enum json_kind kind,
                       struct span piece)
{
    if (member->kind == JSON_TRUE) {
        request->follow = kind == JSON_TRUE;
        return kind == JSON_TRUE || kind == JSON_FALSE;
    }
    return kind == member->kind && member->take(request, piece);
}

/* The reader stands behind a name. */
static enum err
read_member(struct json_reader *reader, struct control_request *request, unsigned *seen, struct why *why)
{
    struct span name = json_reader_piece(reader);
    const struct member *member = find_member(name);
    if (member == NULL)
        return why_set(why, ERR_BAD_INPUT, "\"%.*s\" is not known", SHOWN(name));
    *seen |= 1U << (member - members);
    enum json_kind kind = json_reader_next(reader);
    if (kind == JSON_BAD)
        return refuse_json(why, reader);
    struct span piece = json_reader_piece(reader);
    if (!take_value(member, request, kind, piece))
        return why_set(why, ERR_BAD_INPUT, "%s is %.*s, but should be: %s", member->name, SHOWN(piece),
                       member->expected);
    return ERR_NONE;
}

static bool was_seen(unsigned seen, const char *name)
{
    return seen & (1U << (find_member(span_from_text(name)) - members));
}

/* Whether the members fit the operation. */
static enum err check_members(const struct control_request *request, unsigned seen, struct why *why)
{
    if (!was_seen(seen, "op"))
        return why_set(why, ERR_BAD_INPUT, "op is missing");
    for (size_t i = 0; i < MEMBERS; i++)
        if ((seen & (1U << i)) && !(members[i].ops & (1U << request->op)))
            return why_set(why, ERR_BAD_INPUT, "%s does not belong to %s", members[i].name,
                           op_names[request->op]);
    if ((FOR(TAIL) | FOR(SEND)) & (1U << request->op) && !was_seen(seen, "topic"))
        return why_set(why, ERR_BAD_INPUT, "topic is missing");
    return ERR_NONE;
}

enum err control_request_parse(struct span line, struct control_request *ret_request, struct why *why)
{
    struct control_request request = {.from = CONTROL_FROM_END};
    struct json_reader reader;
    unsigned seen = 0;
    if (line.len > CONTROL_REQUEST_MAX)
        return why_set(why, ERR_TOO_LARGE, "a request is at most %d bytes long", (int)CONTROL_REQUEST_MAX);
    json_reader_init(&reader, line);
    if (json_reader_next(&reader) != JSON_OBJECT_BEGIN)
        return refuse_json(why, &reader);
    enum err err = ERR_NONE;
    enum json_kind kind = json_reader_next(&reader);
    for (; kind == JSON_NAME && err == ERR_NONE; kind = err == ERR_NONE ? json_reader_next(&reader) : kind)
        err = read_member(&reader, &request, &seen, why);
    if (err == ERR_NONE && (kind != JSON_OBJECT_END || json_reader_next(&reader) != JSON_END))
        err = refuse_json(why, &reader);
    if (err == ERR_NONE)
        err = check_members(&request, seen, why);
    if (err == ERR_NONE)
        *ret_request = request;
    return err;
}
