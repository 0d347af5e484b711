/* Two texts over the extents of a topic. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/range_text.h"

#include <stdlib.h>

enum bound { BOUND_FROM, BOUND_TO };

static const char *const names[] = {[BOUND_FROM] = "from", [BOUND_TO] = "to"};

static void set_bound(struct record_scan_range *range, enum bound bound, uint64_t offset)
{
    if (bound == BOUND_FROM && offset > range->from)
        range->from = offset < range->to ? offset : range->to;
    if (bound == BOUND_TO && offset < range->to)
        range->to = offset > range->from ? offset : range->from;
}

static enum err refuse(enum bound bound, struct span text, struct why *why)
{
    int len = (int)(text.len < 60 ? text.len : 60);
    return why_set(why, ERR_BAD_INPUT, "%s is %.*s, but should be: <offset> or <partition>:<offset>,...",
                   names[bound], len, (const char *)text.data);
}

/* One `<partition>:<offset>`; the partition is marked as named. */
static enum err parse_item(struct span item,
                           enum bound bound,
                           const struct store_topic *topic,
                           struct record_scan_range *ranges,
                           bool *named,
                           struct why *why)
{
    size_t colon = span_find(item, ':');
    uint64_t partition;
    uint64_t offset;
    if (colon == item.len || !span_to_u64(span_of(item.data, colon), &partition) ||
        !span_to_u64(span_after(item, colon + 1), &offset))
        return refuse(bound, item, why);
    if (partition >= topic->partitions)
        return why_set(why, ERR_BAD_INPUT, "%s: partition %llu is not there, %s has %u", names[bound],
                       (unsigned long long)partition, topic->name, topic->partitions);
    set_bound(&ranges[partition], bound, offset);
    named[partition] = true;
    return ERR_NONE;
}

static enum err parse_list(struct span text,
                           enum bound bound,
                           const struct store_topic *topic,
                           struct record_scan_range *ranges,
                           struct why *why)
{
    bool named[STORE_PARTITIONS_MAX] = {false};
    while (text.len > 0) {
        size_t end = span_find(text, ',');
        enum err err = parse_item(span_of(text.data, end), bound, topic, ranges, named, why);
        if (err != ERR_NONE)
            return err;
        text = span_after(text, end < text.len ? end + 1 : end);
    }
    for (uint32_t i = 0; i < topic->partitions; i++)
        if (!named[i])
            ranges[i].from = ranges[i].to;
    return ERR_NONE;
}

static enum err parse_bound(struct span text,
                            enum bound bound,
                            const struct store_topic *topic,
                            struct record_scan_range *ranges,
                            struct why *why)
{
    uint64_t offset;
    if (text.len == 0)
        return ERR_NONE;
    if (span_find(text, ':') < text.len)
        return parse_list(text, bound, topic, ranges, why);
    if (!span_to_u64(text, &offset))
        return refuse(bound, text, why);
    for (uint32_t i = 0; i < topic->partitions; i++)
        set_bound(&ranges[i], bound, offset);
    return ERR_NONE;
}

enum err range_text_parse(struct store *store,
                          const struct store_topic *topic,
                          struct span from,
                          struct span to,
                          struct why *why,
                          struct record_scan_range **ret_ranges)
{
    struct record_scan_range *ranges;
    enum err err = record_scan_ranges(store, topic, &ranges);
    if (err != ERR_NONE)
        return why_set(why, err, "%s: %s", topic->name, err_text(err));
    err = parse_bound(from, BOUND_FROM, topic, ranges, why);
    if (err == ERR_NONE)
        err = parse_bound(to, BOUND_TO, topic, ranges, why);
    if (err != ERR_NONE) {
        free(ranges);
        return err;
    }
    *ret_ranges = ranges;
    return ERR_NONE;
}
