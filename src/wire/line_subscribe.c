/* Reads the commands of the subscribe port. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line_subscribe.h"

#include "base/units.h"
#include "wire/line_command.h"
#include "wire/line_number.h"
#include "wire/line_place.h"

static const int64_t delay_max_ns = INT64_C(24) * 3600 * 1000000000;

/* <partition>:<offset>; false: something else. */
static bool parse_place(struct span word, uint32_t *ret_partition, uint64_t *ret_offset)
{
    struct line_place place;
    if (!line_place_parse(word, &place) || place.topic.len > 0)
        return false;
    *ret_partition = place.partition;
    *ret_offset = place.offset;
    return true;
}

/* --- SUBSCRIBE ---------------------------------------------------------------------------------- */

struct options {
    struct span rest; /* of the line */
    unsigned seen;
    struct line_subscription *subscription;
};

static bool is_name(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t byte = name.data[i];
        bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        if (!is_letter && !(byte >= '0' && byte <= '9') && byte != '.' && byte != '_' && byte != '-')
            return false;
    }
    bool is_dots = span_equal_text(name, ".") || span_equal_text(name, "..");
    return name.len > 0 && name.len <= LINE_GROUP_NAME_MAX && !is_dots;
}

static enum line_error take_from_start(struct options *options)
{
    options->subscription->from = LINE_FROM_START;
    return LINE_ERROR_NONE;
}

static enum line_error take_from_end(struct options *options)
{
    options->subscription->from = LINE_FROM_END;
    return LINE_ERROR_NONE;
}

static enum line_error take_from(struct options *options)
{
    struct line_subscription *subscription = options->subscription;
    struct span word = span_take_word(&options->rest);
    if (span_to_u64(word, &subscription->offset))
        subscription->from = LINE_FROM_OFFSET;
    else if (parse_place(word, &subscription->partition, &subscription->offset))
        subscription->from = LINE_FROM_PLACE;
    else
        return LINE_ERROR_BAD_REQUEST;
    return LINE_ERROR_NONE;
}

static enum line_error take_group(struct options *options)
{
    options->subscription->group = span_take_word(&options->rest);
    return is_name(options->subscription->group) ? LINE_ERROR_NONE : LINE_ERROR_BAD_GROUP;
}

static enum line_error take_window(struct options *options)
{
    uint64_t window;
    if (!span_to_u64(span_take_word(&options->rest), &window) || window < 1 || window > LINE_WINDOW_MAX)
        return LINE_ERROR_BAD_WINDOW;
    options->subscription->window = (uint32_t)window;
    return LINE_ERROR_NONE;
}

static enum line_error take_encoding(struct options *options)
{
    struct span word = span_take_word(&options->rest);
    bool is_base64 = span_equal_text(word, "base64");
    options->subscription->encoding = is_base64 ? LINE_ENCODING_BASE64 : LINE_ENCODING_TEXT;
    return is_base64 || span_equal_text(word, "text") ? LINE_ERROR_NONE : LINE_ERROR_BAD_REQUEST;
}

/* What says the same thing has the same bit: each may be said once. */
struct option {
    const char *word;
    unsigned bit;
    enum line_error (*take)(struct options *options);
};

static const struct option known[] = {
    {"FROM_START", 1, take_from_start}, {"FROM_END", 1, take_from_end}, {"FROM", 1, take_from},
    {"GROUP", 2, take_group},           {"WINDOW", 4, take_window},     {"ENCODING", 8, take_encoding},
};

static enum line_error take_option(struct options *options, struct span word)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!span_equal_text(word, known[i].word))
            continue;
        if (options->seen & known[i].bit)
            return LINE_ERROR_BAD_REQUEST;
        options->seen |= known[i].bit;
        return known[i].take(options);
    }
    return LINE_ERROR_BAD_REQUEST;
}

static enum line_error parse_subscription(struct span line, struct line_subscription *subscription)
{
    *subscription = (struct line_subscription){.window = LINE_WINDOW_DEFAULT};
    subscription->topic = span_take_word(&line);
    struct options options = {.rest = line, .subscription = subscription};
    enum line_error error = subscription->topic.len > 0 ? LINE_ERROR_NONE : LINE_ERROR_BAD_REQUEST;
    for (struct span word; error == LINE_ERROR_NONE && (word = span_take_word(&options.rest)).len > 0;)
        error = take_option(&options, word);
    return error;
}

/* --- DONE, FAIL, RETRY -------------------------------------------------------------------------- */

static enum line_error parse_which(struct span word, bool may_be_range, struct line_settlement *settlement)
{
    *settlement = (struct line_settlement){.word = word};
    size_t dash = span_find(word, '-');
    if (dash < word.len && may_be_range)
        return line_range_parse(word, dash, &settlement->from, &settlement->to);
    settlement->is_place = parse_place(word, &settlement->partition, &settlement->offset);
    if (settlement->is_place)
        return LINE_ERROR_NONE;
    bool is_number = line_number_parse(word, &settlement->from);
    settlement->to = settlement->from;
    return is_number ? LINE_ERROR_NONE : LINE_ERROR_BAD_REQUEST;
}

/* The rest of the line as it is, behind the blanks. */
static enum line_error parse_reason(struct span rest, struct line_settlement *settlement)
{
    struct span behind = rest;
    struct span first = span_take_word(&behind);
    settlement->reason = span_of(first.data, first.len + behind.len);
    if (first.len == 0)
        return LINE_ERROR_BAD_REQUEST;
    return settlement->reason.len <= LINE_REASON_MAX ? LINE_ERROR_NONE : LINE_ERROR_TOO_LONG;
}

static enum line_error parse_delay(struct span *rest, struct line_settlement *settlement)
{
    struct span word = span_take_word(rest);
    if (word.len == 0)
        return LINE_ERROR_NONE;
    bool is_delay = units_parse_duration(word, &settlement->delay_ns) && settlement->delay_ns >= 0 &&
                    settlement->delay_ns <= delay_max_ns;
    return is_delay ? LINE_ERROR_NONE : LINE_ERROR_BAD_REQUEST;
}

static enum line_error parse_settlement(struct span rest, struct line_subscribe *command)
{
    struct line_settlement *settlement = &command->settlement;
    bool may_be_range = command->kind == LINE_SUBSCRIBE_DONE;
    enum line_error error = parse_which(span_take_word(&rest), may_be_range, settlement);
    if (error != LINE_ERROR_NONE)
        return error;
    if (command->kind == LINE_SUBSCRIBE_FAIL)
        return parse_reason(rest, settlement);
    if (command->kind == LINE_SUBSCRIBE_RETRY)
        error = parse_delay(&rest, settlement);
    bool is_whole = span_take_word(&rest).len == 0;
    return error == LINE_ERROR_NONE && !is_whole ? LINE_ERROR_BAD_REQUEST : error;
}

/* --- Both --------------------------------------------------------------------------------------- */

static bool parse_kind(struct span word, enum line_subscribe_kind *ret_kind)
{
    static const char *const words[] = {
        [LINE_SUBSCRIBE_SUBSCRIBE] = "SUBSCRIBE",
        [LINE_SUBSCRIBE_DONE] = "DONE",
        [LINE_SUBSCRIBE_FAIL] = "FAIL",
        [LINE_SUBSCRIBE_RETRY] = "RETRY",
    };
    for (unsigned kind = 0; kind < sizeof words / sizeof words[0]; kind++)
        if (span_equal_text(word, words[kind])) {
            *ret_kind = (enum line_subscribe_kind)kind;
            return true;
        }
    return false;
}

enum line_error line_subscribe_parse(struct span line, struct line_subscribe *ret_command)
{
    struct line_subscribe command;
    struct span rest = line;
    if (!parse_kind(span_take_word(&rest), &command.kind))
        return line.len > LINE_SUBSCRIBE_MAX ? LINE_ERROR_TOO_LONG : LINE_ERROR_BAD_REQUEST;
    size_t len_max = command.kind == LINE_SUBSCRIBE_FAIL ? LINE_SUBSCRIBE_REASON_MAX : LINE_SUBSCRIBE_MAX;
    if (line.len > len_max)
        return LINE_ERROR_TOO_LONG;
    enum line_error error = command.kind == LINE_SUBSCRIBE_SUBSCRIBE
                                ? parse_subscription(rest, &command.subscription)
                                : parse_settlement(rest, &command);
    if (error == LINE_ERROR_NONE)
        *ret_command = command;
    return error;
}
