/* Gives any lines to the reader of subscribers' commands; what it accepts must be within its limits and its line. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/fuzz.h"
#include "wire/line_number.h"
#include "wire/line_subscribe.h"

static void check_inside(struct span part, struct span line)
{
    check(part.data >= line.data && part.len <= (size_t)(line.data + line.len - part.data));
}

static void check_subscription(const struct line_subscription *subscription, struct span line)
{
    check(subscription->topic.len > 0);
    check_inside(subscription->topic, line);
    if (subscription->group.len > 0)
        check_inside(subscription->group, line);
    check(subscription->group.len <= LINE_GROUP_NAME_MAX);
    check(subscription->window >= 1 && subscription->window <= LINE_WINDOW_MAX);
    check(line.len <= LINE_SUBSCRIBE_MAX);
}

static void check_settlement(const struct line_subscribe *command, struct span line)
{
    const struct line_settlement *settlement = &command->settlement;
    bool is_fail = command->kind == LINE_SUBSCRIBE_FAIL;
    check_inside(settlement->word, line);
    check(settlement->word.len <= 2 * LINE_NUMBER_SIZE_MAX + 1);
    if (!settlement->is_place)
        check(settlement->from >= 1 && settlement->from <= settlement->to);
    check(is_fail == (settlement->reason.len > 0));
    if (is_fail)
        check_inside(settlement->reason, line);
    check(settlement->reason.len <= LINE_REASON_MAX);
    check(settlement->delay_ns >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of(data, size);
    while (rest.len > 0) {
        struct span line = span_of(rest.data, span_find(rest, '\n'));
        struct line_subscribe command;
        if (line_subscribe_parse(line, &command) == LINE_ERROR_NONE) {
            check(command.kind <= LINE_SUBSCRIBE_RETRY);
            if (command.kind == LINE_SUBSCRIBE_SUBSCRIBE)
                check_subscription(&command.subscription, line);
            else
                check_settlement(&command, line);
        }
        rest = span_after(rest, line.len < rest.len ? line.len + 1 : line.len);
    }
    return 0;
}
