/* Who still needs what. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/hold.h"

#include <string.h>

static bool is_configured(const struct journal *journal, const char *topic)
{
    for (uint32_t i = 0; i < journal->settings.topic_count; i++)
        if (strcmp(journal->settings.topics[i].name, topic) == 0)
            return true;
    return false;
}

static bool is_for(const struct journal *journal, const struct journal_named_group *named, const char *topic)
{
    if (named->topic != NULL)
        return strcmp(named->topic, topic) == 0;
    return !store_topic_name_is_reserved(span_from_text(topic)) && !is_configured(journal, topic);
}

static bool reads(const struct journal_named_group *named, uint32_t partition)
{
    return !named->has_partition || named->partition == partition;
}

/* A group that has not begun needs everything. */
static uint64_t low_of(const struct journal *journal, const char *name, const struct partition *partition)
{
    const struct journal_group *group = group_book_by_name(&journal->catalog.groups, span_from_text(name));
    const struct group_progress *progress =
        group == NULL ? NULL : group_book_progress(group, partition->slot);
    return progress == NULL || !progress->has_begun ? partition->start : progress->low;
}

bool hold_find(const struct journal *journal, const struct index_partition *about, struct hold *ret_hold)
{
    const struct partition *partition = catalog_partition(&journal->catalog, about->topic, about->partition);
    bool is_held = false;
    for (uint32_t i = 0; partition != NULL && i < journal->settings.group_count; i++) {
        const struct journal_named_group *named = &journal->settings.groups[i];
        if (!reads(named, about->partition) ||
            !is_for(journal, named, journal->catalog.topics[about->topic]->public.name))
            continue;
        uint64_t low = low_of(journal, named->name, partition);
        if (low >= about->summary.end_offset || (is_held && low >= ret_hold->offset))
            continue;
        uint64_t first = about->summary.first_offset; /* what went before was counted then */
        first = low > first ? low : first;
        *ret_hold = (struct hold){named->name, low, about->summary.end_offset - first};
        is_held = true;
    }
    return is_held;
}

uint64_t hold_low(const struct journal *journal, const struct partition *partition)
{
    uint64_t lowest = UINT64_MAX;
    for (uint32_t i = 0; i < journal->settings.group_count; i++) {
        const struct journal_named_group *named = &journal->settings.groups[i];
        if (!reads(named, partition->partition) ||
            !is_for(journal, named, journal->catalog.topics[partition->topic]->public.name))
            continue;
        uint64_t low = low_of(journal, named->name, partition);
        lowest = low < lowest ? low : lowest;
    }
    return lowest;
}

bool hold_has_group(const struct journal *journal, const char *topic)
{
    for (uint32_t i = 0; i < journal->settings.group_count; i++)
        if (is_for(journal, &journal->settings.groups[i], topic))
            return true;
    return false;
}

bool hold_is_named(const struct journal *journal, const char *group)
{
    for (uint32_t i = 0; i < journal->settings.group_count; i++)
        if (strcmp(journal->settings.groups[i].name, group) == 0)
            return true;
    return false;
}
