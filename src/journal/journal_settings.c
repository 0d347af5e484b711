/* The values that hold when nothing else is said: those of the configuration page. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/journal_settings.h"

#include <string.h>

void journal_settings_default(struct journal_settings *settings)
{
    const int64_t day_ns = 24 * 3600 * CLOCK_NS_PER_S;
    *settings = (struct journal_settings){
        .segment_size = 64U << 20,
        .size_max = (uint64_t)20 << 30,
        .record_size_max = 1U << 20,
        .append_size_max = 8U << 20,
        .topics_max = 1000,
        .auto_create = true,
        .receipts_keep_ns = 7 * day_ns,
        .receipts_size_max = (uint64_t)1 << 30,
        .scrub_every_ns = 7 * day_ns,
        .scrub_rate = 8U << 20,
        .identities_keep_ns = day_ns,
        .identities_max = 1000000,
        .defaults = {.partitions = 1, .retention_age_ns = 7 * day_ns, .retention_size = (uint64_t)1 << 30},
    };
}

enum { SEGMENT_BYTES_PER_ENTRY = 1024, ENTRIES_PER_KEPT = 2 };

uint64_t journal_settings_listed_max(const struct journal_settings *settings)
{
    return settings->segment_size / SEGMENT_BYTES_PER_ENTRY;
}

uint64_t journal_settings_kept_max(const struct journal_settings *settings)
{
    return journal_settings_listed_max(settings) / ENTRIES_PER_KEPT;
}

uint64_t journal_settings_size_per_kept(void)
{
    return (uint64_t)SEGMENT_BYTES_PER_ENTRY * ENTRIES_PER_KEPT;
}

const struct journal_topic_settings *journal_settings_of_topic(const struct journal_settings *settings,
                                                               const char *name)
{
    for (uint32_t i = 0; i < settings->topic_count; i++)
        if (strcmp(settings->topics[i].name, name) == 0)
            return &settings->topics[i];
    return &settings->defaults;
}
