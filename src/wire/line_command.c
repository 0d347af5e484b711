/* Reads the requests of the acks port. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line_command.h"

#include "wire/line_number.h"

enum line_error line_range_parse(struct span word, size_t dash, uint64_t *ret_from, uint64_t *ret_to)
{
    if (!line_number_parse(span_of(word.data, dash), ret_from) ||
        !line_number_parse(span_after(word, dash + 1), ret_to))
        return LINE_ERROR_BAD_REQUEST;
    bool ascends = *ret_from <= *ret_to;
    return ascends && *ret_to - *ret_from < LINE_COMMAND_RANGE_MAX ? LINE_ERROR_NONE : LINE_ERROR_BAD_RANGE;
}

static enum line_error parse_range(struct span word, size_t dash, struct line_command *command)
{
    command->kind = LINE_COMMAND_RANGE;
    return line_range_parse(word, dash, &command->from, &command->to);
}

enum line_error line_command_parse(struct span line, struct line_command *ret_command)
{
    struct line_command command = {.kind = LINE_COMMAND_HIGHEST};
    if (!span_equal_text(span_take_word(&line), "GET_ACK"))
        return LINE_ERROR_BAD_REQUEST;
    struct span word = span_take_word(&line);
    size_t dash = span_find(word, '-');
    enum line_error error = LINE_ERROR_NONE;
    if (dash < word.len) {
        error = parse_range(word, dash, &command);
    } else if (word.len > 0) {
        command.kind = LINE_COMMAND_ONE;
        if (!line_number_parse(word, &command.from))
            error = LINE_ERROR_BAD_REQUEST;
        command.to = command.from;
    }
    if (error == LINE_ERROR_NONE)
        *ret_command = command;
    return error;
}
