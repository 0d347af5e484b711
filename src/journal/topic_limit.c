/* What named groups still need of a topic, in bytes: its share of a partition's bytes as of its offsets. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/topic_limit.h"

#include "journal/hold.h"

uint64_t topic_limit_bytes(const struct topic *topic)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < topic->public.partitions; i++)
        bytes += topic->partitions[i].bytes;
    return bytes;
}

static uint64_t needed_bytes(const struct journal *journal, const struct topic *topic)
{
    double bytes = 0;
    for (uint32_t i = 0; i < topic->public.partitions; i++) {
        const struct partition *partition = &topic->partitions[i];
        uint64_t low = hold_low(journal, partition);
        if (low >= partition->end || partition->end == partition->start)
            continue;
        low = low > partition->start ? low : partition->start;
        bytes += (double)partition->bytes * (double)(partition->end - low) /
                 (double)(partition->end - partition->start);
    }
    return (uint64_t)bytes;
}

const struct journal_topic_settings *topic_limit_settings(const struct journal *journal, struct topic *topic)
{
    if (topic->limit.version != journal->settings_version) {
        topic->limit.version = journal->settings_version;
        topic->limit.settings = journal_settings_of_topic(&journal->settings, topic->public.name);
        topic->limit.has_group = hold_has_group(journal, topic->public.name);
    }
    return topic->limit.settings;
}

static bool is_full(const struct journal *journal, struct topic *topic)
{
    const struct journal_topic_settings *settings = topic_limit_settings(journal, topic);
    if (!topic->limit.has_group || settings->retention_size == 0 ||
        settings->when_full == JOURNAL_DROP_OLDEST || topic_limit_bytes(topic) < settings->retention_size)
        return false;
    return needed_bytes(journal, topic) >= settings->retention_size;
}

static void look_at(struct journal *journal, struct topic *topic)
{
    bool was_full = topic->limit.is_full;
    topic->limit.is_full = is_full(journal, topic);
    if (topic->limit.is_full == was_full)
        return;
    if (was_full)
        atomic_fetch_sub(&journal->full_topics, 1);
    else
        atomic_fetch_add(&journal->full_topics, 1);
    journal_tell(journal, was_full ? JOURNAL_EVENT_OPEN_AGAIN : JOURNAL_EVENT_FULL, "topic=%s%s",
                 topic->public.name,
                 was_full ? "" : " reason=\"its retention.size is reached with records that a group needs\"");
}

void topic_limit_note(struct journal *journal, uint32_t topic)
{
    if (journal->settings.group_count > 0)
        look_at(journal, journal->catalog.topics[topic]);
}

void topic_limit_update(struct journal *journal)
{
    for (uint32_t i = 0; atomic_load(&journal->full_topics) > 0 && i < journal->catalog.topic_count; i++)
        if (journal->catalog.topics[i]->limit.is_full)
            look_at(journal, journal->catalog.topics[i]);
}

uint32_t topic_limit_find_full(const struct journal *journal, const struct store_append *append)
{
    for (uint32_t i = 0; i < append->part_count; i++) {
        uint32_t topic = append->parts[i].topic;
        if (topic < journal->catalog.topic_count && journal->catalog.topics[topic]->limit.is_full)
            return i;
    }
    return UINT32_MAX;
}
