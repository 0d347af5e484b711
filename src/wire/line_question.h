/* A request on the status port: GET_STATUS and GET_RECEIPT (docs/protocols/line.md, status). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_LINE_QUESTION_H
#define WIRE_LINE_QUESTION_H

#include "base/check.h"
#include "wire/line_command.h"
#include "wire/line_place.h"

enum line_question_kind { LINE_QUESTION_STATUS, LINE_QUESTION_RECEIPT };

enum line_question_subject {
    LINE_QUESTION_NUMBER, /* from == to */
    LINE_QUESTION_RANGE,  /* of GET_STATUS alone */
    LINE_QUESTION_PLACE,
};

/* Spans are into the line. */
struct line_question {
    enum line_question_kind kind;
    enum line_question_subject subject;
    uint64_t from;
    uint64_t to;
    struct line_place place;
    struct span word; /* the number or place as it was written */
    struct span next; /* the word behind it, empty when there is none: a key, where keys are spoken of */
};

/* `line` has no end of line. NONE, BAD_REQUEST or BAD_RANGE. Further words are passed over. */
enum line_error line_question_parse(struct span line, struct line_question *ret_question) MUST_CHECK;

#endif
