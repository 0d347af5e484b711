/* Sums over catalog and table, compared with the shares of a segment. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/capacity.h"

#include "journal/checkpoint.h"

enum { SEGMENTS_MIN = JOURNAL_PREPARED_MIN + 2 };

bool capacity_has_topic(const struct journal *journal, uint32_t partitions)
{
    uint64_t topics = (uint64_t)journal->catalog.topic_count + 1;
    uint64_t slots = (uint64_t)journal->catalog.slot_count + partitions;
    return checkpoint_topics_size(topics, slots) <=
           checkpoint_share(journal->settings.segment_size, CHECKPOINT_SHARE_TOPICS);
}

static uint64_t entries_size(const struct journal *journal, bool counts_all)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < journal->table.count; i++) {
        const struct segment *segment = journal->table.segments[i];
        if (counts_all || segment->state != SEGMENT_INDEX_ONLY)
            bytes += checkpoint_segment_size(segment->summary_count);
    }
    return bytes;
}

static uint64_t new_entry_size(const struct journal *journal)
{
    return checkpoint_segment_size(journal->catalog.sequence_count);
}

bool capacity_has_entries(const struct journal *journal, bool counts_all, uint32_t more)
{
    uint64_t bytes = entries_size(journal, counts_all) + more * new_entry_size(journal);
    return bytes <= checkpoint_share(journal->settings.segment_size, CHECKPOINT_SHARE_SEGMENTS);
}

struct files {
    uint64_t count;
    uint64_t bytes;
};

/* Sizes are those of the files: log.segment_size may have been another one when they were made. */
static struct files count_files(const struct journal *journal, bool counts_discarded)
{
    struct files files = {0, 0};
    for (uint32_t i = 0; i < journal->table.count; i++) {
        const struct segment *segment = journal->table.segments[i];
        bool is_discarded = !list_is_empty(&segment->link);
        if (segment->state == SEGMENT_INDEX_ONLY && !(counts_discarded && is_discarded))
            continue;
        files.count++;
        files.bytes += segment->size > 0 ? segment->size : journal->settings.segment_size;
    }
    return files;
}

static uint64_t at_least(uint64_t value, uint64_t least)
{
    return value > least ? value : least;
}

bool capacity_has_segments(const struct journal *journal, bool counts_discarded, uint32_t more)
{
    const struct journal_settings *settings = &journal->settings;
    uint64_t size = settings->segment_size;
    uint64_t count_max = at_least(journal_settings_kept_max(settings), SEGMENTS_MIN);
    uint64_t bytes_max = at_least(settings->size_max / size, SEGMENTS_MIN) * size;
    struct files files = count_files(journal, counts_discarded);
    return files.count + more <= count_max && files.bytes + more * size <= bytes_max;
}

/* The least log.segment_size that takes what is there, in the shares that checkpoint.h gives. */
static uint64_t needed_size(const struct journal *journal)
{
    const struct catalog *catalog = &journal->catalog;
    uint64_t needed = count_files(journal, false).count * journal_settings_size_per_kept();
    needed = at_least(needed,
                      checkpoint_size_for(checkpoint_topics_size(catalog->topic_count, catalog->slot_count),
                                          CHECKPOINT_SHARE_TOPICS));
    needed = at_least(needed, checkpoint_size_for(catalog->groups.bytes, CHECKPOINT_SHARE_GROUPS));
    needed = at_least(needed, checkpoint_size_for(catalog->notes.bytes, CHECKPOINT_SHARE_NOTES));
    /* Until old entries are forgotten the table may use what the sequences leave of the rest. */
    uint64_t table = entries_size(journal, true) + new_entry_size(journal) + checkpoint_sequences_size();
    return at_least(needed, checkpoint_size_for(table, CHECKPOINT_SHARE_SEGMENTS + CHECKPOINT_SHARE_REST));
}

enum err capacity_examine(const struct journal *journal, struct why *why)
{
    enum { KIB = 1024 };
    uint64_t size = journal->settings.segment_size;
    const struct segment *active = segment_table_active(&journal->table);
    uint64_t needed = active->size > size ? needed_size(journal) : 0;
    if (needed <= size)
        return ERR_NONE;
    uint64_t pages = (needed + SEGMENT_PAGE - 1) / SEGMENT_PAGE;
    return why_set(why, ERR_CONFIG,
                   "log.segment_size: %llu KiB is too small for the log that is there, with %u topics (%u "
                   "partitions) in %u segments: raise it to %llu KiB or more",
                   (unsigned long long)size / KIB, journal->catalog.topic_count, journal->catalog.slot_count,
                   journal->table.count, (unsigned long long)pages * (SEGMENT_PAGE / KIB));
}
