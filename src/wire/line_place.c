/* The place of a record, as lines name it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line_place.h"

static bool parse_both(struct span partition, struct span offset, struct line_place *place)
{
    uint64_t number;
    if (!span_to_u64(partition, &number) || number >= LINE_PARTITIONS_MAX ||
        !span_to_u64(offset, &place->offset))
        return false;
    place->partition = (uint32_t)number;
    return true;
}

bool line_place_parse(struct span word, struct line_place *ret_place)
{
    size_t slash = span_find(word, '/');
    bool has_topic = slash < word.len;
    struct line_place place = {.topic = span_of(word.data, has_topic ? slash : 0)};
    struct span rest = has_topic ? span_after(word, slash + 1) : word;
    size_t between = span_find(rest, has_topic ? '/' : ':');
    if ((has_topic && slash == 0) || between == rest.len ||
        !parse_both(span_of(rest.data, between), span_after(rest, between + 1), &place))
        return false;
    *ret_place = place;
    return true;
}
