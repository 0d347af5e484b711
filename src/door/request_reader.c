/* First the operation, wherever it stands, then the members that it knows. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/request_reader.h"

enum {
    SHOWN_MAX = 60,
    TEXT_MAX = 12 * 1024, /* of any text, with its escapes */
};

/* For messages: the beginning of what the client wrote. */
#define SHOWN(piece) (int)((piece).len < SHOWN_MAX ? (piece).len : SHOWN_MAX), (const char *)(piece).data

bool request_copy_text(struct span piece, void *to, size_t size, size_t *ret_len)
{
    uint8_t resolved[TEXT_MAX];
    if (piece.len > sizeof(resolved))
        return false;
    size_t len = json_text_resolve(piece, resolved);
    if (len > size)
        return false;
    memcpy(to, resolved, len);
    *ret_len = len;
    return true;
}

static enum err refuse_json(struct why *why, const struct json_reader *reader)
{
    return why_set(why, ERR_BAD_INPUT, "not a JSON object (byte %zu)", reader->at);
}

static int find_op(const struct request_table *table, struct span piece)
{
    for (unsigned op = 0; op < table->op_count; op++)
        if (json_text_equal(piece, table->ops[op]))
            return (int)op;
    return REQUEST_OP_NONE;
}

/* --- The operation -------------------------------------------------------------------------------- */

/* What one pass over the whole object says of it. */
struct op_found {
    bool is_seen;
    enum json_kind kind;
    struct span piece;
};

static enum err look_for_op(struct span line, struct op_found *ret_found, struct why *why)
{
    struct op_found found = {.is_seen = false};
    struct json_reader reader;
    json_reader_init(&reader, line);
    if (json_reader_next(&reader) != JSON_OBJECT_BEGIN)
        return refuse_json(why, &reader);
    enum json_kind kind;
    while ((kind = json_reader_next(&reader)) == JSON_NAME) {
        bool is_op = json_text_equal(json_reader_piece(&reader), "op");
        kind = json_reader_next(&reader);
        if (kind == JSON_BAD)
            break;
        struct span piece = json_reader_piece(&reader);
        if ((kind == JSON_OBJECT_BEGIN || kind == JSON_ARRAY_BEGIN) && !json_reader_skip(&reader))
            break;
        if (is_op)
            found = (struct op_found){true, kind, piece};
    }
    if (kind != JSON_OBJECT_END || json_reader_next(&reader) != JSON_END)
        return refuse_json(why, &reader);
    *ret_found = found;
    return ERR_NONE;
}

int request_reader_op(const struct request_table *table, struct span line)
{
    struct op_found found;
    if (line.len > CONTROL_REQUEST_MAX || look_for_op(line, &found, NULL) != ERR_NONE || !found.is_seen ||
        found.kind != JSON_STRING)
        return REQUEST_OP_NONE;
    return find_op(table, found.piece);
}

/* --- Members -------------------------------------------------------------------------------------- */

static const struct request_member *find_member(const struct request_table *table, struct span name)
{
    for (unsigned i = 0; i < table->member_count; i++)
        if (json_text_equal(name, table->members[i].name))
            return &table->members[i];
    return NULL;
}

static bool is_kind(const struct request_member *member, enum json_kind kind)
{
    return kind == member->kind || (member->kind == JSON_TRUE && kind == JSON_FALSE);
}

/* The reader stands behind a name. */
static enum err read_member(const struct request_table *table,
                            struct json_reader *reader,
                            void *request,
                            unsigned *seen,
                            struct why *why)
{
    struct span name = json_reader_piece(reader);
    bool is_op = json_text_equal(name, "op");
    const struct request_member *member = find_member(table, name);
    if (member == NULL && !is_op)
        return why_set(why, ERR_BAD_INPUT, "\"%.*s\" is not known", SHOWN(name));
    enum json_kind kind = json_reader_next(reader);
    struct span piece = json_reader_piece(reader);
    if (is_op)
        return ERR_NONE;
    *seen |= 1U << (member - table->members);
    if (!is_kind(member, kind) || !member->take(request, kind, piece))
        return why_set(why, ERR_BAD_INPUT, "%s is %.*s, but should be: %s", member->name, SHOWN(piece),
                       member->expected);
    return ERR_NONE;
}

/* Whether the members fit the operation. */
static enum err check_members(const struct request_table *table, int op, unsigned seen, struct why *why)
{
    for (unsigned i = 0; i < table->member_count; i++) {
        const struct request_member *member = &table->members[i];
        bool is_seen = (seen & (1U << i)) != 0;
        if (is_seen && (member->ops & (1U << op)) == 0)
            return why_set(why, ERR_BAD_INPUT, "%s does not belong to %s", member->name, table->ops[op]);
        if (!is_seen && (member->needed_by & (1U << op)) != 0)
            return why_set(why, ERR_BAD_INPUT, "%s is missing", member->name);
    }
    return ERR_NONE;
}

static enum err take_op(const struct request_table *table,
                        const struct op_found *found,
                        const char *ops_expected,
                        int *ret_op,
                        struct why *why)
{
    if (!found->is_seen)
        return why_set(why, ERR_BAD_INPUT, "op is missing");
    *ret_op = found->kind == JSON_STRING ? find_op(table, found->piece) : REQUEST_OP_NONE;
    if (*ret_op == REQUEST_OP_NONE)
        return why_set(why, ERR_BAD_INPUT, "op is %.*s, but should be: %s", SHOWN(found->piece),
                       ops_expected);
    return ERR_NONE;
}

enum err request_reader_read(const struct request_table *table,
                             struct span line,
                             const char *ops_expected,
                             void *request,
                             int *ret_op,
                             struct why *why)
{
    struct op_found found = {.is_seen = false};
    struct json_reader reader;
    unsigned seen = 0;
    check(table->member_count <= 32);
    if (line.len > CONTROL_REQUEST_MAX)
        return why_set(why, ERR_TOO_LARGE, "a request is at most %d bytes long", (int)CONTROL_REQUEST_MAX);
    enum err err = look_for_op(line, &found, why);
    if (err == ERR_NONE)
        err = take_op(table, &found, ops_expected, ret_op, why);
    if (err != ERR_NONE)
        return err;
    json_reader_init(&reader, line);
    (void)json_reader_next(&reader);
    while (err == ERR_NONE && json_reader_next(&reader) == JSON_NAME)
        err = read_member(table, &reader, request, &seen, why);
    return err == ERR_NONE ? check_members(table, *ret_op, seen, why) : err;
}
