/* Gives any lines to the reader of questions; what it accepts must be within its limits and its line. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/fuzz.h"
#include "wire/line_number.h"
#include "wire/line_question.h"

static void check_inside(struct span part, struct span line)
{
    check(part.data >= line.data && part.len <= (size_t)(line.data + line.len - part.data));
}

static void check_place(const struct line_question *question, struct span line)
{
    const struct line_place *place = &question->place;
    check_inside(place->topic, line);
    check(place->partition < LINE_PARTITIONS_MAX);
    check(place->topic.len == 0 || question->word.data[place->topic.len] == '/');
}

static void check_question(const struct line_question *question, struct span line)
{
    check_inside(question->word, line);
    check(question->word.len > 0);
    if (question->next.len > 0)
        check_inside(question->next, line);
    if (question->subject == LINE_QUESTION_PLACE) {
        check_place(question, line);
        return;
    }
    check(question->from >= 1 && question->from <= question->to && question->to <= LINE_NUMBER_MAX);
    check(question->to - question->from < LINE_COMMAND_RANGE_MAX);
    check(question->subject == LINE_QUESTION_RANGE || question->from == question->to);
    check(question->subject != LINE_QUESTION_RANGE || question->kind == LINE_QUESTION_STATUS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of(data, size);
    while (rest.len > 0) {
        struct span line = span_of(rest.data, span_find(rest, '\n'));
        struct line_question question;
        if (line_question_parse(line, &question) == LINE_ERROR_NONE)
            check_question(&question, line);
        rest = span_after(rest, line.len < rest.len ? line.len + 1 : line.len);
    }
    return 0;
}
