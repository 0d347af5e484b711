/* What a command says becomes calls to the member. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/subscribe_settle.h"

#include "base/metric.h"

enum { CLAIMS_A_CALL = 64 };

static struct group_select select_of(const struct line_settlement *settlement, uint32_t topic)
{
    if (!settlement->is_place)
        return (struct group_select){.from = settlement->from, .to = settlement->to};
    struct store_position position = {topic, settlement->partition, settlement->offset};
    return (struct group_select){.position = position};
}

/* Claims what is spoken of, so many at a time: two producers may have used the same number. */
static enum line_error fail(const struct subscribe_settler *settler,
                            const struct group_select *select,
                            struct span reason,
                            uint32_t *ret_parked,
                            uint64_t *ret_count)
{
    struct parking *parking = settler->shared->options.parking;
    struct group_claim *claims[CLAIMS_A_CALL];
    struct parking_fault fault = {
        .topic = settler->topic,
        .group = group_name(group_member_group(settler->member)),
        .reason = reason,
        .actor = AUDIT_SUBSCRIBER,
    };
    for (uint32_t count; (count = group_member_claim(settler->member, select, claims, CLAIMS_A_CALL)) > 0;) {
        enum err err = parking_fail(parking, claims, count, &fault, settler->on_parked, settler->owner);
        if (err != ERR_NONE)
            return LINE_ERROR_NO_MEMORY;
        ++*ret_parked;
        *ret_count += count;
    }
    return LINE_ERROR_NONE;
}

enum line_error subscribe_settle(const struct subscribe_settler *settler,
                                 const struct line_subscribe *command,
                                 uint32_t *ret_parked)
{
    const struct line_settlement *settlement = &command->settlement;
    struct group_select select = select_of(settlement, settler->topic);
    enum line_error error = LINE_ERROR_NONE;
    uint64_t count = 0;
    *ret_parked = 0;
    if (command->kind == LINE_SUBSCRIBE_FAIL)
        error = fail(settler, &select, settlement->reason, ret_parked, &count);
    else if (command->kind == LINE_SUBSCRIBE_RETRY)
        count = group_member_retry(settler->member, &select, settlement->delay_ns);
    else
        count = group_member_done(settler->member, &select, 0);
    metric_add(METRIC_RECORDS_SETTLED, (int64_t)count);
    if (error != LINE_ERROR_NONE)
        return error;
    return count > 0 ? LINE_ERROR_NONE : LINE_ERROR_NOT_OPEN;
}
