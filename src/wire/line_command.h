/* A request on the acks port: GET_ACK, GET_ACK <seq>, GET_ACK <from>-<to>. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_LINE_COMMAND_H
#define WIRE_LINE_COMMAND_H

#include "base/check.h"
#include "base/span.h"
#include "wire/line_error.h"

enum { LINE_COMMAND_RANGE_MAX = 1000000 }; /* numbers in one range */

enum line_command_kind {
    LINE_COMMAND_HIGHEST, /* no number: the highest stored one is asked for */
    LINE_COMMAND_ONE,     /* from == to */
    LINE_COMMAND_RANGE,
};

struct line_command {
    enum line_command_kind kind;
    uint64_t from;
    uint64_t to;
};

/* <from>-<to>, the dash being there. NONE, BAD_REQUEST or BAD_RANGE: then the numbers mean nothing. */
enum line_error
line_range_parse(struct span word, size_t dash, uint64_t *ret_from, uint64_t *ret_to) MUST_CHECK;

/* `line` has no end of line. NONE, BAD_REQUEST or BAD_RANGE. Further words are passed over. */
enum line_error line_command_parse(struct span line, struct line_command *ret_command) MUST_CHECK;

#endif
