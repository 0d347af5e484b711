/* Reads a request of the control socket, a JSON object, by a table of its members. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_REQUEST_READER_H
#define DOOR_REQUEST_READER_H

#include "base/json_reader.h"
#include "base/why.h"

enum {
    CONTROL_REQUEST_MAX = 16 * 1024, /* bytes of a request */
    REQUEST_OP_NONE = -1,
};

/* What `take` puts into the request that is being read; false: it is not what was expected. */
struct request_member {
    const char *name;
    enum json_kind kind; /* JSON_TRUE stands for both truth values */
    unsigned ops;        /* that know it, a bit each */
    unsigned needed_by;  /* of these, those that must have it */
    const char *expected;
    bool (*take)(void *request, enum json_kind kind, struct span piece);
};

struct request_table {
    const char *const *ops; /* names */
    unsigned op_count;
    const struct request_member *members; /* at most 32 */
    unsigned member_count;
};

/* Which of the operations the line asks for; REQUEST_OP_NONE for any other, and for what is no request. */
int request_reader_op(const struct request_table *table, struct span line);

/*
 * Reads all members of a line that asks for one of the operations. BAD_INPUT, TOO_LARGE, with what is wrong for a person: `op`
 * itself is refused with `ops_expected`.
 */
enum err request_reader_read(const struct request_table *table,
                             struct span line,
                             const char *ops_expected,
                             void *request,
                             int *ret_op,
                             struct why *why) MUST_CHECK;

/* For tables: resolves escapes into `to`; false when it is longer than `size`. */
bool request_copy_text(struct span piece, void *to, size_t size, size_t *ret_len);

#endif
