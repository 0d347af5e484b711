/* The operations and their members, in two tables. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/letter_request.h"

#include <stddef.h>

static const char *const op_names[LETTER_OP_COUNT] = {
    [LETTER_OP_LIST] = "deadletters",        [LETTER_OP_DROP] = "drop",
    [LETTER_OP_REPLAY] = "replay",           [LETTER_OP_REPLAYS] = "replays",
    [LETTER_OP_REPLAY_STOP] = "replay_stop", [LETTER_OP_AUDIT] = "audit",
};

const char letter_request_ops[] = "deadletters drop replay replays replay_stop audit";

/* --- Values --------------------------------------------------------------------------------------- */

/* All texts together are no longer than the request. */
static bool take_text(struct letter_request *request, struct span piece, struct span *ret_text)
{
    size_t len;
    uint8_t *to = request->texts + request->texts_len;
    if (!request_copy_text(piece, to, sizeof request->texts - request->texts_len, &len))
        return false;
    request->texts_len += len;
    *ret_text = span_of(to, len);
    return true;
}

#define TAKE_TEXT(field)                                                                                     \
    static bool take_##field(void *to, enum json_kind kind, struct span piece)                               \
    {                                                                                                        \
        struct letter_request *request = to;                                                                 \
        (void)kind;                                                                                          \
        return take_text(request, piece, &request->field);                                                   \
    }
#define TAKE_COUNT(field)                                                                                    \
    static bool take_##field(void *to, enum json_kind kind, struct span piece)                               \
    {                                                                                                        \
        struct letter_request *request = to;                                                                 \
        (void)kind;                                                                                          \
        return span_to_u64(piece, &request->field) && request->field > 0;                                    \
    }
#define TAKE_TRUTH(field)                                                                                    \
    static bool take_##field(void *to, enum json_kind kind, struct span piece)                               \
    {                                                                                                        \
        struct letter_request *request = to;                                                                 \
        (void)piece;                                                                                         \
        request->field = kind == JSON_TRUE;                                                                  \
        return true;                                                                                         \
    }

TAKE_TEXT(topic)
TAKE_TEXT(from)
TAKE_TEXT(to)
TAKE_TEXT(reason)
TAKE_TEXT(key)
TAKE_TEXT(delivery)
TAKE_TEXT(correlation_id)
TAKE_TEXT(event)
TAKE_COUNT(limit)
TAKE_COUNT(rate)
TAKE_TRUTH(is_whole)
TAKE_TRUTH(is_dry)
TAKE_TRUTH(is_last_retry)
TAKE_TRUTH(is_reroute)

static bool take_id(void *to, enum json_kind kind, struct span piece)
{
    struct letter_request *request = to;
    (void)kind;
    return piece.len <= 8 && span_to_u64(piece, &request->id) && request->id > 0;
}

/* --- Members -------------------------------------------------------------------------------------- */

#define FOR(op)  (1U << LETTER_OP_##op)
#define RANGE    (FOR(LIST) | FOR(DROP) | FOR(REPLAY) | FOR(AUDIT))
#define FILTERED (FOR(LIST) | FOR(DROP) | FOR(REPLAY))
#define PLACES   "<offset> or <partition>:<offset>,..."

static const struct request_member members[] = {
    {"topic", JSON_STRING, RANGE, FOR(DROP) | FOR(REPLAY), "a topic's name", take_topic},
    {"from", JSON_STRING, RANGE, 0, PLACES, take_from},
    {"to", JSON_STRING, RANGE, 0, PLACES, take_to},
    {"reason", JSON_STRING, FILTERED, 0, "a pattern", take_reason},
    {"key", JSON_STRING, FILTERED, 0, "a pattern", take_key},
    {"limit", JSON_NUMBER, FOR(LIST) | FOR(AUDIT), 0, "a whole number above 0", take_limit},
    {"whole", JSON_TRUE, FOR(LIST), 0, "true or false", take_is_whole},
    {"rate", JSON_NUMBER, FOR(REPLAY), 0, "records a second, above 0", take_rate},
    {"dry_run", JSON_TRUE, FOR(REPLAY), 0, "true or false", take_is_dry},
    {"last_retry", JSON_TRUE, FOR(REPLAY), 0, "true or false", take_is_last_retry},
    {"delivery", JSON_STRING, FOR(REPLAY), 0, "the name of a group", take_delivery},
    {"reroute", JSON_TRUE, FOR(REPLAY), 0, "true or false", take_is_reroute},
    {"id", JSON_STRING, FOR(REPLAYS) | FOR(REPLAY_STOP), FOR(REPLAY_STOP), "the number of a replay", take_id},
    {"correlation_id", JSON_STRING, FOR(AUDIT), 0, "a text", take_correlation_id},
    {"event", JSON_STRING, FOR(AUDIT), 0, "the name of an event", take_event},
};

static const struct request_table table = {
    .ops = op_names,
    .op_count = LETTER_OP_COUNT,
    .members = members,
    .member_count = sizeof(members) / sizeof(members[0]),
};

enum err letter_request_parse(struct span line, struct letter_request *request, struct why *why)
{
    int op = request_reader_op(&table, line);
    if (op == REQUEST_OP_NONE)
        return ERR_NOT_FOUND;
    memset(request, 0, offsetof(struct letter_request, texts));
    enum err err = request_reader_read(&table, line, letter_request_ops, request, &op, why);
    request->op = (enum letter_op)op;
    if (err == ERR_NONE && request->is_reroute &&
        (request->rate > 0 || request->is_last_retry || request->delivery.len > 0))
        err = why_set(why, ERR_BAD_INPUT, "rate, last_retry and delivery do not go with reroute");
    return err;
}
