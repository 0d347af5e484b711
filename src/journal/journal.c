/* The journal as a whole: opened, its threads, its face as a store. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/journal.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "journal/capacity.h"
#include "journal/finder.h"
#include "journal/group_ops.h"
#include "journal/internal_frame.h"
#include "journal/lookup.h"
#include "journal/publish.h"
#include "journal/reader.h"
#include "journal/recovery.h"
#include "journal/submit.h"
#include "journal/topic_limit.h"

/* More can never be in flight: appends are bounded in bytes. */
enum { PENDING_IDENTITIES_MAX = 4 << 20, BATCHES_SIZE_MAX = (UINT16_MAX + 1) * sizeof(struct place_batch) };

/* --- The store's face ------------------------------------------------------------------------------ */

static enum store_state store_state(struct store *store, struct why *ret_why)
{
    struct journal *journal = journal_of(store);
    journal_lock(&journal->queue);
    enum store_state state = journal->state;
    if (ret_why != NULL)
        *ret_why = journal->state_why;
    journal_unlock(&journal->queue);
    return state;
}

static const struct journal_topic_settings *topic_settings(const struct journal *journal, struct span name)
{
    for (uint32_t i = 0; i < journal->settings.topic_count; i++)
        if (span_equal_text(name, journal->settings.topics[i].name))
            return &journal->settings.topics[i];
    return NULL;
}

/* Those that nobody configured, without the reserved ones: these are made for dead letters, one for each that needs it. */
static uint32_t topics_of_input(const struct journal *journal)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < journal->catalog.topic_count; i++) {
        struct span name = span_from_text(journal->catalog.topics[i]->public.name);
        count += topic_settings(journal, name) == NULL && !store_topic_name_is_reserved(name);
    }
    return count;
}

/* TOPIC: id 4, partitions 4, creation time 8, name. The view lock is held. */
static enum err
create_topic(struct journal *journal, struct span name, uint32_t partitions, struct topic **ret_topic)
{
    const struct journal_topic_settings *settings = topic_settings(journal, name);
    uint32_t count = settings != NULL && settings->partitions > 0 ? settings->partitions
                     : partitions > 0                             ? partitions
                                                                  : journal->settings.defaults.partitions;
    if (settings == NULL && !store_topic_name_is_reserved(name) &&
        topics_of_input(journal) >= journal->settings.topics_max)
        return ERR_TOO_MANY;
    count = count == 0 ? 1 : count;
    if (!capacity_has_topic(journal, count))
        return ERR_TOO_MANY;
    int64_t wall_ns = clock_wall_ns(journal->seams.clock);
    uint32_t id = journal->catalog.topic_count;
    uint8_t payload[16 + STORE_TOPIC_NAME_MAX];
    bytes_put_le32(payload, id);
    bytes_put_le32(payload + 4, count);
    bytes_put_le64(payload + 8, (uint64_t)wall_ns);
    memcpy(payload + 16, name.data, name.len);
    struct internal_frame *frame = internal_frame_new(FRAME_TOPIC, NULL, span_of(payload, 16 + name.len));
    if (frame == NULL)
        return ERR_MEMORY;
    enum err err = catalog_topic_add(&journal->catalog, id, name, count, wall_ns, ret_topic);
    if (err == ERR_NONE)
        internal_frame_queue(journal, frame);
    else
        free(frame);
    return err;
}

static enum err topic_open(
    struct store *store, struct span name, uint32_t partitions, bool create, struct store_topic *ret_topic)
{
    struct journal *journal = journal_of(store);
    if (!store_topic_name_is_legal(name))
        return ERR_BAD_NAME;
    journal_lock(&journal->view);
    struct topic *topic = catalog_topic_by_name(&journal->catalog, name);
    enum err err = ERR_NONE;
    bool is_allowed = create && (journal->settings.auto_create || topic_settings(journal, name) != NULL ||
                                 store_topic_name_is_reserved(name));
    if (topic == NULL)
        err = is_allowed ? create_topic(journal, name, partitions, &topic) : ERR_UNKNOWN_TOPIC;
    if (err == ERR_NONE)
        *ret_topic = topic->public;
    journal_unlock(&journal->view);
    return err;
}

static bool topic_next(struct store *store, uint32_t *position, struct store_topic *ret_topic)
{
    struct journal *journal = journal_of(store);
    journal_lock(&journal->view);
    bool has = *position < journal->catalog.topic_count;
    if (has)
        *ret_topic = journal->catalog.topics[(*position)++]->public;
    journal_unlock(&journal->view);
    return has;
}

static enum err extent(struct store *store, uint32_t topic, uint32_t number, struct store_extent *ret_extent)
{
    struct journal *journal = journal_of(store);
    journal_lock(&journal->view);
    const struct partition *partition = catalog_partition(&journal->catalog, topic, number);
    if (partition != NULL)
        *ret_extent = (struct store_extent){partition->start, partition->end, partition->bytes};
    journal_unlock(&journal->view);
    return partition != NULL ? ERR_NONE : ERR_UNKNOWN_TOPIC;
}

static void watch_set(struct store *store, struct store_watch *watch)
{
    struct journal *journal = journal_of(store);
    journal_lock(&journal->view);
    if (!watch->is_set) {
        watch->is_set = true;
        list_insert_last(&journal->watches, &watch->link);
    }
    journal_unlock(&journal->view);
}

static bool watch_unset(struct store *store, struct store_watch *watch)
{
    struct journal *journal = journal_of(store);
    journal_lock(&journal->view);
    bool was_set = watch->is_set;
    if (was_set)
        list_remove(&watch->link);
    watch->is_set = false;
    journal_unlock(&journal->view);
    return was_set;
}

/* SEQUENCE: index 4, zero 4, name. The view lock is held. */
static enum err create_sequence(struct journal *journal, struct span name, uint32_t *ret_sequence)
{
    uint32_t index = journal->catalog.sequence_count;
    uint8_t payload[8 + CATALOG_SEQUENCE_NAME_MAX] = {0};
    bytes_put_le32(payload, index);
    memcpy(payload + 8, name.data, name.len);
    struct internal_frame *frame = internal_frame_new(FRAME_SEQUENCE, NULL, span_of(payload, 8 + name.len));
    if (frame == NULL)
        return ERR_MEMORY;
    enum err err = catalog_sequence_add(&journal->catalog, index, name);
    if (err != ERR_NONE) {
        free(frame);
        return err;
    }
    internal_frame_queue(journal, frame);
    *ret_sequence = index;
    return err;
}

static enum err sequence_open(struct store *store, struct span name, uint32_t *ret_sequence)
{
    struct journal *journal = journal_of(store);
    enum err err = ERR_NONE;
    if (name.len == 0 || name.len > CATALOG_SEQUENCE_NAME_MAX)
        return ERR_BAD_NAME;
    journal_lock(&journal->view);
    int found = catalog_sequence_by_name(&journal->catalog, name);
    if (found < 0)
        err = create_sequence(journal, name, ret_sequence);
    else
        *ret_sequence = (uint32_t)found;
    journal_unlock(&journal->view);
    return err;
}

static enum err sequence_named(struct store *store, struct span name, uint32_t *ret_sequence)
{
    struct journal *journal = journal_of(store);
    journal_lock(&journal->view);
    int found = catalog_sequence_by_name(&journal->catalog, name);
    journal_unlock(&journal->view);
    if (found < 0)
        return ERR_NOT_FOUND;
    *ret_sequence = (uint32_t)found;
    return ERR_NONE;
}

static uint64_t sequence_take(struct store *store, uint32_t sequence, uint64_t count)
{
    struct journal *journal = journal_of(store);
    check(sequence < CATALOG_SEQUENCES_MAX);
    return atomic_fetch_add(&journal->catalog.sequences[sequence].next, count);
}

static uint64_t sequence_last(struct store *store, uint32_t sequence)
{
    struct journal *journal = journal_of(store);
    journal_lock(&journal->view);
    uint64_t last =
        sequence < journal->catalog.sequence_count ? journal->catalog.sequences[sequence].highest : 0;
    journal_unlock(&journal->view);
    return last;
}

static uint64_t producer_last(struct store *store, uint32_t sequence, struct span id)
{
    struct journal *journal = journal_of(store);
    if (id.len == 0 || id.len > STORE_PRODUCER_MAX)
        return 0;
    journal_lock(&journal->view);
    const struct producer *producer = catalog_producer(&journal->catalog, sequence, id);
    uint64_t last = producer == NULL ? 0 : producer->last;
    journal_unlock(&journal->view);
    return last;
}

/* The view lock is held. */
static enum store_identity state_of_known(const struct journal *journal, const uint8_t identity[16])
{
    bool is_pending = identity_window_has(&journal->pending_identities, identity);
    return is_pending ? STORE_IDENTITY_PENDING : STORE_IDENTITY_STORED;
}

/* Without memory to remember it, it counts as new: stored twice is better than not at all. The view lock is held. */
static enum store_identity admit_one(struct journal *journal, const uint8_t identity[16], int64_t wall_ns)
{
    enum err err = identity_window_admit(&journal->identities, identity, wall_ns);
    if (err == ERR_EXISTS)
        return state_of_known(journal, identity);
    if (err == ERR_NONE && identity_window_admit(&journal->pending_identities, identity, wall_ns) != ERR_NONE)
        identity_window_remove(&journal->identities, identity);
    return STORE_IDENTITY_NEW;
}

static void identities_admit(struct store *store,
                             const uint8_t (*identities)[16],
                             uint32_t count,
                             enum store_identity *ret_states)
{
    struct journal *journal = journal_of(store);
    int64_t wall_ns = clock_wall_ns(journal->seams.clock);
    journal_lock(&journal->view);
    for (uint32_t i = 0; i < count; i++)
        ret_states[i] = admit_one(journal, identities[i], wall_ns);
    journal_unlock(&journal->view);
}

static enum store_identity identity_state(struct store *store, const uint8_t identity[16])
{
    struct journal *journal = journal_of(store);
    journal_lock(&journal->view);
    bool is_known = identity_window_has(&journal->identities, identity);
    enum store_identity state = is_known ? state_of_known(journal, identity) : STORE_IDENTITY_NEW;
    journal_unlock(&journal->view);
    if (state == STORE_IDENTITY_PENDING && journal_is_stopping(journal))
        state = STORE_IDENTITY_NEW; /* its append may have failed, and who waits for it is refused as well */
    return state;
}

static void identity_forget(struct store *store, const uint8_t (*identities)[16], uint32_t count)
{
    struct journal *journal = journal_of(store);
    journal_lock(&journal->view);
    for (uint32_t i = 0; i < count; i++) {
        identity_window_remove(&journal->identities, identities[i]);
        identity_window_remove(&journal->pending_identities, identities[i]);
    }
    journal_unlock(&journal->view);
}

static const struct store_ops store_ops = {
    .append = submit_append,
    .release = submit_release,
    .state = store_state,
    .topic_open = topic_open,
    .topic_next = topic_next,
    .extent = extent,
    .read = reader_read,
    .offset_at = reader_offset_at,
    .watch = watch_set,
    .unwatch = watch_unset,
    .sequence_open = sequence_open,
    .sequence_named = sequence_named,
    .sequence_take = sequence_take,
    .sequence_last = sequence_last,
    .sequence_has = lookup_has,
    .sequence_runs = lookup_runs,
    .sequence_find = finder_find,
    .producer_last = producer_last,
    .identities_admit = identities_admit,
    .identity_state = identity_state,
    .identity_forget = identity_forget,
};

/* --- Opening and closing ----------------------------------------------------------------------------- */

static void init_lists(struct journal *journal)
{
    struct list *const lists[] = {
        &journal->group,   &journal->group_frames, &journal->watches,  &journal->discarded, &journal->urgent,
        &journal->express, &journal->bulk,         &journal->internal, &journal->prepared,  &journal->reads};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        list_init(lists[i]);
}

static void init_locks(struct journal *journal)
{
    pthread_condattr_t monotonic;
    check(pthread_condattr_init(&monotonic) == 0);
    check(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    pthread_mutex_t *const mutexes[] = {&journal->indexes, &journal->token, &journal->view, &journal->queue};
    pthread_cond_t *const conditions[] = {&journal->writer_wakes, &journal->helper_wakes,
                                          &journal->reader_wakes};
    for (size_t i = 0; i < sizeof mutexes / sizeof mutexes[0]; i++)
        check(pthread_mutex_init(mutexes[i], NULL) == 0);
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++)
        check(pthread_cond_init(conditions[i], &monotonic) == 0);
    check(pthread_condattr_destroy(&monotonic) == 0);
}

static enum err check_settings(const struct journal_settings *settings, struct why *why)
{
    if (settings->segment_size % SEGMENT_PAGE != 0 || settings->segment_size > UINT32_MAX)
        return why_set(why, ERR_CONFIG, "log.segment_size must be a multiple of 4 KiB below 4 GiB");
    if (settings->record_size_max >= settings->append_size_max)
        return why_set(why, ERR_CONFIG, "limits.record must be smaller than limits.append");
    if (settings->append_size_max > settings->segment_size / 4)
        return why_set(why, ERR_CONFIG, "limits.append must be at most a quarter of log.segment_size");
    return ERR_NONE;
}

enum err journal_open(const struct journal_seams *seams,
                      const struct journal_settings *settings,
                      struct why *why,
                      struct journal **ret_journal)
{
    enum err err = check_settings(settings, why);
    if (err != ERR_NONE)
        return err;
    struct journal *journal = calloc(1, sizeof *journal);
    if (journal == NULL)
        return ERR_MEMORY;
    journal->store = (struct store){.ops = &store_ops,
                                    .outcomes = &group_ops,
                                    .record_size_max = settings->record_size_max,
                                    .append_size_max = settings->append_size_max};
    journal->seams = *seams;
    journal->settings = *settings;
    journal->settings_version = 1;
    journal->wall_offset_ns = clock_wall_ns(seams->clock) - clock_now_ns(seams->clock);
    buffer_init(&journal->batches, BATCHES_SIZE_MAX);
    init_lists(journal);
    init_locks(journal);
    err = identity_window_init(&journal->identities, settings->identities_max, settings->identities_keep_ns,
                               random_u64(seams->random));
    if (err == ERR_NONE)
        err = identity_window_init(&journal->pending_identities, PENDING_IDENTITIES_MAX, INT64_MAX,
                                   random_u64(seams->random));
    struct catalog_limits limits = journal_catalog_limits(journal);
    catalog_init(&journal->catalog, &limits, random_u64(seams->random));
    if (err == ERR_NONE)
        err = writer_init(&journal->writer, seams->clock);
    if (err == ERR_NONE)
        err = recovery_run(journal, why);
    if (err != ERR_NONE) {
        journal_free(journal);
        return err;
    }
    for (uint32_t i = 0; i < journal->catalog.topic_count; i++)
        topic_limit_note(journal, i);
    *ret_journal = journal;
    return ERR_NONE;
}

/* All of it is read with the view lock held, also by retention. */
void journal_reload(struct journal *journal, const struct journal_settings *settings)
{
    struct journal_settings *own = &journal->settings;
    journal_lock(&journal->view);
    own->size_max = settings->size_max;
    own->topics_max = settings->topics_max;
    own->auto_create = settings->auto_create;
    own->receipts_keep_ns = settings->receipts_keep_ns;
    own->receipts_size_max = settings->receipts_size_max;
    own->scrub_every_ns = settings->scrub_every_ns;
    own->scrub_rate = settings->scrub_rate;
    own->defaults = settings->defaults;
    own->topics = settings->topics;
    own->topic_count = settings->topic_count;
    own->groups = settings->groups;
    own->group_count = settings->group_count;
    journal->settings_version++;
    topic_limit_update(journal);
    journal_unlock(&journal->view);
    journal_post_watches(journal);
    journal_wake_helper(journal);
}

const struct journal_recovery *journal_recovery(const struct journal *journal)
{
    return &journal->recovery;
}

struct store *journal_store(struct journal *journal)
{
    return &journal->store;
}

static void free_lists(struct journal *journal)
{
    LIST_EACH_SAFE (&journal->prepared, link) {
        struct prepared *prepared = LIST_OWNER(link, struct prepared, link);
        list_remove(link);
        fs_close(prepared->file);
        free(prepared);
    }
}

struct journal *journal_free(struct journal *journal)
{
    if (journal == NULL)
        return NULL;
    check(!journal->is_threaded);
    publish_failure(journal, ERR_DRAINING);
    free_lists(journal);
    writer_done(&journal->writer);
    segment_table_done(&journal->table);
    block_cache_done(&journal->blocks);
    buffer_done(&journal->batches);
    catalog_done(&journal->catalog);
    identity_window_done(&journal->identities);
    identity_window_done(&journal->pending_identities);
    free(journal);
    return NULL;
}
