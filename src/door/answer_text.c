/* The words of answers on line ports. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/answer_text.h"

#include "door/question.h"
#include "wire/line_number.h"

void answer_put_span(struct buffer *answers, struct span span)
{
    check(span.len <= answers->size - answers->len);
    if (span.len > 0)
        memcpy(answers->data + answers->len, span.data, span.len);
    answers->len += span.len;
}

void answer_put_text(struct buffer *answers, const char *text)
{
    answer_put_span(answers, span_from_text(text));
}

void answer_put_number(struct buffer *answers, uint64_t number)
{
    check(answers->size - answers->len >= LINE_NUMBER_SIZE_MAX);
    answers->len = (size_t)(line_number_put(answers->data + answers->len, number) - answers->data);
}

void answer_put_run(struct buffer *answers, uint64_t from, uint64_t to)
{
    answer_put_number(answers, from);
    if (from == to)
        return;
    answer_put_text(answers, "-");
    answer_put_number(answers, to);
}

void answer_put_error(struct buffer *answers, enum line_error error)
{
    answer_put_text(answers, "ERR ");
    answer_put_text(answers, line_error_code(error));
    answer_put_text(answers, " ");
    answer_put_text(answers, line_error_text(error));
    answer_put_text(answers, "\n");
}

void answer_list_add(struct answer_list *list, struct buffer *answers, uint64_t from, uint64_t to)
{
    size_t before = answers->len;
    list->is_full = list->is_full || list->len + ANSWER_RUN_SIZE_MAX > QUESTION_LIST_MAX;
    if (list->is_full)
        return;
    answer_put_text(answers, list->count == 0 ? list->word : ",");
    answer_put_run(answers, from, to);
    list->count++;
    list->len += answers->len - before;
}
