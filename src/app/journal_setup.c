/* From configuration to journal settings, and from journal events to log lines. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/journal_setup.h"

#include <stdlib.h>

#include "base/log.h"

struct event_row {
    enum log_level level;
    const char *msg;
};

static void on_event(void *owner, enum journal_event event, const char *fields)
{
    static const struct event_row rows[JOURNAL_EVENT_COUNT] = {
        [JOURNAL_EVENT_DAMAGE] = {LOG_ERROR, "damage found"},
        [JOURNAL_EVENT_TORN_TAIL] = {LOG_WARN, "torn tail cut"},
        [JOURNAL_EVENT_SET_ASIDE] = {LOG_ERROR, "segment set aside"},
        [JOURNAL_EVENT_FULL] = {LOG_ERROR, "log is full"},
        [JOURNAL_EVENT_OPEN_AGAIN] = {LOG_INFO, "log takes records again"},
        [JOURNAL_EVENT_BROKEN] = {LOG_ERROR, "journal is broken"},
        [JOURNAL_EVENT_CLOCK_JUMP] = {LOG_WARN, "clock jumped, retention by age waits"},
        [JOURNAL_EVENT_DROPPED] = {LOG_WARN, "records dropped"},
        [JOURNAL_EVENT_CHORE_FAILED] = {LOG_WARN, "journal chore failed"},
    };
    const struct journal_setup *setup = owner;
    log_line(rows[event].level, "journal", rows[event].msg, "%s", fields);
    if (event == JOURNAL_EVENT_DROPPED && setup->on_dropped != NULL)
        setup->on_dropped(setup->owner, fields);
}

static void on_progress(void *owner, uint64_t done, uint64_t total)
{
    struct journal_setup *setup = owner;
    if (!setup->shows_progress)
        progress_init(&setup->progress, "recovery", total, PROGRESS_BYTES);
    setup->shows_progress = true;
    if (done > setup->progress.count)
        progress_step(&setup->progress, done - setup->progress.count);
}

static struct journal_topic_settings topic_settings(const struct config_topic *topic)
{
    return (struct journal_topic_settings){
        .name = topic->name,
        .partitions = (uint32_t)topic->partitions,
        .when_full = topic->when_full == CONFIG_DROP_OLDEST ? JOURNAL_DROP_OLDEST : JOURNAL_BLOCK,
        .retention_age_ns = topic->retention.age_ns,
        .retention_size = topic->retention.size,
        .consumed = topic->retention.consumed,
    };
}

static struct journal_settings settings_of(const struct config *config)
{
    struct journal_settings settings;
    journal_settings_default(&settings);
    settings.segment_size = config->log.segment_size;
    settings.size_max = config->log.size_max;
    settings.scrub_every_ns = config->log.scrub_every_ns;
    settings.scrub_rate = config->log.scrub_rate;
    settings.record_size_max = (uint32_t)config->limits.record;
    settings.append_size_max = (uint32_t)config->limits.append;
    settings.topics_max = (uint32_t)config->limits.topics;
    settings.auto_create = config->limits.auto_create;
    settings.ack_written = config->log.ack == CONFIG_ACK_WRITTEN;
    settings.receipts_keep_ns = config->receipts.keep_ns;
    settings.receipts_size_max = config->receipts.size_max;
    settings.identities_keep_ns = config->duplicates.keep_ns;
    settings.identities_max = (uint32_t)config->duplicates.count;
    settings.defaults = topic_settings(config->topics.defaults);
    return settings;
}

/* NULL without memory. */
static struct journal_topic_settings *topics_of(const struct config *config)
{
    const struct config_topic *from = config->topics.items;
    struct journal_topic_settings *topics = calloc(config->topics.count + 1, sizeof *topics);
    for (uint32_t i = 0; i < config->topics.count && topics != NULL; i++)
        topics[i] = topic_settings(&from[i]);
    return topics;
}

enum err journal_setup_init(struct journal_setup *setup,
                            const struct config *config,
                            struct fs *fs,
                            struct clock *clock)
{
    *setup = (struct journal_setup){.settings = settings_of(config)};
    setup->seams = (struct journal_seams){
        .fs = fs, .clock = clock, .on_event = on_event, .on_progress = on_progress, .owner = setup};
    setup->topics = topics_of(config);
    enum err err = setup->topics == NULL ? ERR_MEMORY : named_groups_init(&setup->named, config);
    if (err != ERR_NONE) {
        journal_setup_done(setup);
        return err;
    }
    setup->settings.topics = setup->topics;
    setup->settings.topic_count = config->topics.count;
    setup->settings.groups = setup->named.groups;
    setup->settings.group_count = setup->named.count;
    return ERR_NONE;
}

void journal_setup_done(struct journal_setup *setup)
{
    free(setup->topics);
    setup->topics = NULL;
    named_groups_done(&setup->named);
}

enum err
journal_setup_reload(struct journal_setup *setup, const struct config *config, struct journal *journal)
{
    struct journal_topic_settings *before = setup->topics;
    struct journal_topic_settings *topics = topics_of(config);
    struct named_groups named = {.groups = NULL};
    enum err err = topics == NULL ? ERR_MEMORY : named_groups_init(&named, config);
    if (err != ERR_NONE) {
        free(topics);
        return err;
    }
    struct journal_settings settings = settings_of(config);
    settings.topics = topics;
    settings.topic_count = config->topics.count;
    settings.groups = named.groups;
    settings.group_count = named.count;
    journal_reload(journal, &settings);
    setup->topics = topics;
    named_groups_done(&setup->named);
    setup->named = named;
    free(before);
    return ERR_NONE;
}

static void warn_of_small_segments(const struct journal_settings *settings)
{
    uint64_t held = journal_settings_kept_max(settings) * settings->segment_size;
    if (held + settings->segment_size > settings->size_max)
        return;
    log_line(LOG_WARN, "app", "segments this small cannot hold log.size_max",
             "size_max=%llu holds=%llu remedy=\"raise log.segment_size\"",
             (unsigned long long)settings->size_max, (unsigned long long)held);
}

static void warn_of_unsynced_answers(const struct journal_settings *settings)
{
    if (settings->ack_written)
        log_line(LOG_WARN, "app", "what is acknowledged is written, not synced: a power cut may take it",
                 "because=\"log.ack: written\"");
}

enum err journal_setup_open(struct journal_setup *setup, struct why *why, struct journal **ret_journal)
{
    warn_of_small_segments(&setup->settings);
    warn_of_unsynced_answers(&setup->settings);
    enum err err = journal_open(&setup->seams, &setup->settings, why, ret_journal);
    if (setup->shows_progress)
        progress_done(&setup->progress);
    return err;
}

static enum err create_topic(struct store *store, const struct config_topic *configured, struct why *why)
{
    struct store_topic topic;
    enum err err = store->ops->topic_open(store, span_from_text(configured->name), 0, true, &topic);
    if (err != ERR_NONE)
        return why_set(why, err, "topic %s: %s", configured->name, err_text(err));
    if (topic.partitions != configured->partitions)
        log_line(LOG_WARN, "app", "partitions of an existing topic do not change",
                 "topic=%s partitions=%u configured=%llu", configured->name, topic.partitions,
                 (unsigned long long)configured->partitions);
    return ERR_NONE;
}

enum err journal_setup_create_topics(const struct config *config, struct journal *journal, struct why *why)
{
    const struct config_topic *topics = config->topics.items;
    enum err ret_err = ERR_NONE;
    for (uint32_t i = 0; i < config->topics.count; i++) {
        enum err err = create_topic(journal_store(journal), &topics[i], why);
        ret_err = err != ERR_NONE ? err : ret_err;
    }
    return ret_err;
}
