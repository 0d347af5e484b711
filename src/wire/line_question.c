/* Reads the requests of the status port. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line_question.h"

#include "wire/line_number.h"

static bool parse_kind(struct span word, struct line_question *question)
{
    bool is_status = span_equal_text(word, "GET_STATUS");
    question->kind = is_status ? LINE_QUESTION_STATUS : LINE_QUESTION_RECEIPT;
    return is_status || span_equal_text(word, "GET_RECEIPT");
}

static enum line_error parse_range(struct span word, size_t dash, struct line_question *question)
{
    if (question->kind != LINE_QUESTION_STATUS)
        return LINE_ERROR_BAD_REQUEST;
    question->subject = LINE_QUESTION_RANGE;
    return line_range_parse(word, dash, &question->from, &question->to);
}

/* A topic's name may hold a dash, so places come first. */
static enum line_error parse_subject(struct span word, struct line_question *question)
{
    question->word = word;
    question->subject = LINE_QUESTION_PLACE;
    if (line_place_parse(word, &question->place))
        return LINE_ERROR_NONE;
    size_t dash = span_find(word, '-');
    if (dash < word.len)
        return parse_range(word, dash, question);
    question->subject = LINE_QUESTION_NUMBER;
    bool is_number = line_number_parse(word, &question->from);
    question->to = question->from;
    return is_number ? LINE_ERROR_NONE : LINE_ERROR_BAD_REQUEST;
}

enum line_error line_question_parse(struct span line, struct line_question *ret_question)
{
    struct line_question question = {.from = 0};
    if (!parse_kind(span_take_word(&line), &question))
        return LINE_ERROR_BAD_REQUEST;
    enum line_error error = parse_subject(span_take_word(&line), &question);
    question.next = span_take_word(&line);
    if (error == LINE_ERROR_NONE)
        *ret_question = question;
    return error;
}
