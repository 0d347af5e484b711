/* A store that keeps everything in memory and does what a test tells it to. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_memory.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/metric.h"
#include "store/store_memory_impl.h"

enum {
    RECORD_SIZE_MAX = 1024 * 1024,
    APPEND_SIZE_MAX = 8 * 1024 * 1024,
    INFLIGHT_MAX = 4 * 1024 * 1024,
};

/* --- Watches ------------------------------------------------------------------------------------ */

static void notify(struct store_memory *memory)
{
    struct list told;
    list_init(&told);
    list_move_all(&told, &memory->watches);
    for (struct list *link; (link = list_take_first(&told)) != NULL;) {
        struct store_watch *watch = LIST_OWNER(link, struct store_watch, link);
        watch->is_set = false;
        mailbox_post(watch->reply_to, &watch->mail);
    }
}

static void memory_watch(struct store *store, struct store_watch *watch)
{
    if (!watch->is_set)
        list_insert_last(&store_memory_of(store)->watches, &watch->link);
    watch->is_set = true;
}

static bool memory_unwatch(struct store *store, struct store_watch *watch)
{
    (void)store;
    bool was_set = watch->is_set;
    if (was_set)
        list_remove(&watch->link);
    watch->is_set = false;
    return was_set;
}

/* --- Topics ------------------------------------------------------------------------------------- */

static struct memory_partition *
partition_at(const struct store_memory *memory, uint32_t id, uint32_t partition)
{
    return memory_topics_partition(&memory->topics, id, partition);
}

static enum err memory_topic_open(
    struct store *store, struct span name, uint32_t partitions, bool create, struct store_topic *ret_topic)
{
    struct store_memory *memory = store_memory_of(store);
    if (!store_topic_name_is_legal(name))
        return ERR_BAD_NAME;
    struct memory_topic *topic = memory_topics_find(&memory->topics, name);
    if (topic == NULL && !create)
        return ERR_UNKNOWN_TOPIC;
    if (topic == NULL && memory->topics.count >= memory->topics_max)
        return ERR_TOO_MANY;
    if (topic == NULL)
        topic = memory_topics_add(&memory->topics, name, partitions);
    *ret_topic = topic->topic;
    return ERR_NONE;
}

static bool memory_topic_next(struct store *store, uint32_t *position, struct store_topic *ret_topic)
{
    const struct memory_topic *topic = memory_topics_at(&store_memory_of(store)->topics, *position);
    if (topic == NULL)
        return false;
    *ret_topic = topic->topic;
    ++*position;
    return true;
}

static enum err
memory_extent(struct store *store, uint32_t topic, uint32_t partition, struct store_extent *ret_extent)
{
    const struct memory_partition *found = partition_at(store_memory_of(store), topic, partition);
    if (found == NULL)
        return ERR_UNKNOWN_TOPIC;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < found->count; i++)
        bytes += found->batches[i].len;
    *ret_extent = (struct store_extent){found->start, found->end, bytes};
    return ERR_NONE;
}

static enum err memory_offset_at(
    struct store *store, uint32_t topic, uint32_t partition, int64_t wall_ns, uint64_t *ret_offset)
{
    const struct memory_partition *found = partition_at(store_memory_of(store), topic, partition);
    if (found == NULL)
        return ERR_UNKNOWN_TOPIC;
    uint32_t i = 0;
    while (i < found->count && found->batches[i].appended_ns < wall_ns)
        i++;
    *ret_offset = i < found->count ? found->batches[i].base_offset : found->end;
    return ERR_NONE;
}

/* --- Appends ------------------------------------------------------------------------------------ */

static void store_parts(struct store_memory *memory, struct store_append *append)
{
    for (uint32_t i = 0; i < append->part_count; i++) {
        struct store_part *part = &append->parts[i];
        struct memory_partition *partition = partition_at(memory, part->topic, part->partition);
        check(partition != NULL);
        check((part->position - STORE_PART_HEADROOM) % STORE_PART_ALIGNMENT == 0);
        check(part->position + (size_t)part->len <= append->len);
        struct memory_batch about = {
            .records = part->records,
            .sequence = append->run_count > 0 ? append->sequence : UINT32_MAX,
            .appended_ns = clock_wall_ns(memory->clock),
        };
        struct span batch = span_of(append->bytes + part->position, part->len);
        part->ret_base_offset = memory_partition_append(partition, batch, about);
        metric_add(METRIC_RECORDS_STORED, part->records);
    }
}

static void store_numbers(struct store_memory *memory, const struct store_append *append)
{
    if (append->run_count == 0)
        return;
    check(append->sequence < memory->sequence_count);
    struct memory_sequence *sequence = &memory->sequences[append->sequence];
    for (uint32_t i = 0; i < append->run_count; i++)
        if (append->runs[i].from > 0)
            memory_sequence_add_run(sequence, append->runs[i]);
    memory_sequence_note_producer(sequence, append->producer, append->producer_last);
}

static void complete(struct store_memory *memory, struct store_append *append)
{
    append->ret_err = memory->state == STORE_BROKEN ? ERR_BROKEN : ERR_NONE;
    if (append->ret_err == ERR_NONE) {
        store_parts(memory, append);
        store_numbers(memory, append);
        memory_identities_store(&memory->identities, append->identities, append->identity_count);
        store_memory_settle(memory, append);
    }
    memory->inflight_bytes -= append->len;
    mailbox_post(append->reply_to, &append->mail);
}

/* While the log is full only what makes room again passes. */
static bool may_complete(const struct store_memory *memory, const struct store_append *append)
{
    return memory->state != STORE_FULL || append->urgent;
}

static struct store_append *take_oldest(struct store_memory *memory, bool past_full)
{
    LIST_EACH (&memory->appends, link) {
        struct store_append *append = LIST_OWNER(link, struct store_append, mail.link);
        if (!past_full && !may_complete(memory, append))
            continue;
        list_remove(link);
        return append;
    }
    return NULL;
}

static uint32_t complete_oldest(struct store_memory *memory, uint32_t count, bool past_full)
{
    uint32_t completed = 0;
    for (struct store_append *append; completed < count && (append = take_oldest(memory, past_full)) != NULL;
         completed++)
        complete(memory, append);
    if (completed > 0)
        notify(memory);
    return completed;
}

static void complete_what_may(struct store_memory *memory)
{
    if (memory->state == STORE_BROKEN || !memory->is_held)
        complete_oldest(memory, UINT32_MAX, false);
}

/* The first part whose topic is full; UINT32_MAX when there is none. */
static uint32_t find_full_part(const struct store_memory *memory, const struct store_append *append)
{
    for (uint32_t i = 0; i < append->part_count && memory->has_full_topic && !append->urgent; i++)
        if (append->parts[i].topic == memory->full_topic)
            return i;
    return UINT32_MAX;
}

static enum err memory_append(struct store *store, struct store_append *append)
{
    struct store_memory *memory = store_memory_of(store);
    check(append->reply_to != NULL && append->len % STORE_PART_ALIGNMENT == 0);
    append->ret_full_part = find_full_part(memory, append);
    if (append->ret_full_part != UINT32_MAX && memory->state != STORE_BROKEN)
        return ERR_FULL;
    /* What waits for room keeps no room from what makes it. */
    bool is_exempt = append->urgent && memory->state == STORE_FULL;
    if (!is_exempt && memory->inflight_bytes > 0 &&
        memory->inflight_bytes + append->len > memory->inflight_bytes_max)
        return ERR_BUSY;
    if (store_append_size(append) > store->append_size_max) {
        append->ret_err = ERR_TOO_LARGE;
        mailbox_post(append->reply_to, &append->mail);
        return ERR_NONE;
    }
    memory->inflight_bytes += append->len;
    list_insert_last(&memory->appends, &append->mail.link);
    complete_what_may(memory);
    return ERR_NONE;
}

static void memory_release(struct store *store, bool alone)
{
    (void)store;
    (void)alone;
}

static enum store_state memory_state(struct store *store, struct why *ret_why)
{
    const struct store_memory *memory = store_memory_of(store);
    if (ret_why != NULL)
        snprintf(ret_why->text, sizeof(ret_why->text), "%s",
                 memory->state == STORE_OPEN ? "" : "the test says so");
    return memory->state;
}

/* --- Reads -------------------------------------------------------------------------------------- */

static enum err read_now(const struct store_memory *memory, struct store_read *read)
{
    const struct memory_partition *partition = partition_at(memory, read->topic, read->partition);
    read->ret_err = partition == NULL ? ERR_UNKNOWN_TOPIC : memory_partition_read(partition, read);
    return read->ret_err;
}

static uint32_t answer_oldest(struct store_memory *memory, uint32_t count)
{
    uint32_t answered = 0;
    for (struct list *link; answered < count && (link = list_take_first(&memory->reads)) != NULL;
         answered++) {
        struct store_read *read = LIST_OWNER(link, struct store_read, mail.link);
        (void)read_now(memory, read);
        mailbox_post(read->reply_to, &read->mail);
    }
    return answered;
}

static enum err memory_read(struct store *store, struct store_read *read)
{
    struct store_memory *memory = store_memory_of(store);
    if (!memory->reads_are_slow || read->reply_to == NULL)
        return read_now(memory, read);
    list_insert_last(&memory->reads, &read->mail.link);
    if (!memory->is_held)
        answer_oldest(memory, UINT32_MAX);
    return ERR_PENDING;
}

/* --- Identities -------------------------------------------------------------------------------------- */

static void memory_admit(struct store *store,
                         const uint8_t (*identities)[16],
                         uint32_t count,
                         enum store_identity *ret_states)
{
    memory_identities_admit(&store_memory_of(store)->identities, identities, count, ret_states);
}

static enum store_identity memory_identity_state(struct store *store, const uint8_t identity[16])
{
    return memory_identities_state(&store_memory_of(store)->identities, identity);
}

static void memory_identity_forget(struct store *store, const uint8_t (*identities)[16], uint32_t count)
{
    memory_identities_forget(&store_memory_of(store)->identities, identities, count);
}

/* --- Sequences ---------------------------------------------------------------------------------- */

static struct memory_sequence *sequence_at(struct store *store, uint32_t sequence)
{
    check(sequence < store_memory_of(store)->sequence_count);
    return &store_memory_of(store)->sequences[sequence];
}

/* sequence_count when there is none. */
static uint32_t find_sequence(const struct store_memory *memory, struct span name)
{
    uint32_t at = 0;
    while (at < memory->sequence_count && !span_equal_text(name, memory->sequences[at].name))
        at++;
    return at;
}

static enum err memory_sequence_named(struct store *store, struct span name, uint32_t *ret_sequence)
{
    const struct store_memory *memory = store_memory_of(store);
    uint32_t at = find_sequence(memory, name);
    if (at == memory->sequence_count)
        return ERR_NOT_FOUND;
    *ret_sequence = at;
    return ERR_NONE;
}

static enum err memory_sequence_open(struct store *store, struct span name, uint32_t *ret_sequence)
{
    struct store_memory *memory = store_memory_of(store);
    if (!store_topic_name_is_legal(name))
        return ERR_BAD_NAME;
    uint32_t at = find_sequence(memory, name);
    if (at == MEMORY_SEQUENCES_MAX)
        return ERR_TOO_MANY;
    if (at == memory->sequence_count)
        memcpy(memory->sequences[memory->sequence_count++].name, name.data, name.len);
    *ret_sequence = at;
    return ERR_NONE;
}

static uint64_t memory_sequence_take(struct store *store, uint32_t at, uint64_t count)
{
    struct memory_sequence *sequence = sequence_at(store, at);
    uint64_t last = memory_sequence_last(sequence);
    uint64_t first = (sequence->taken > last ? sequence->taken : last) + 1;
    sequence->taken = first + count - 1;
    return first;
}

static uint64_t memory_last(struct store *store, uint32_t sequence)
{
    return memory_sequence_last(sequence_at(store, sequence));
}

static enum err memory_has(struct store *store, uint32_t sequence, uint64_t number, bool *ret_has)
{
    *ret_has = memory_sequence_has(sequence_at(store, sequence), number);
    return ERR_NONE;
}

static enum err memory_runs(struct store *store, uint32_t sequence, struct store_runs *question)
{
    memory_sequence_runs(sequence_at(store, sequence), question);
    return ERR_NONE;
}

struct found {
    struct store_position *positions;
    uint32_t size;
    uint32_t count; /* beyond size they are only counted */
};

/* Every batch whose append stored numbers of the sequence: what may hold one is for the caller to find out. */
static void find_batches(const struct memory_partition *partition,
                         uint32_t sequence,
                         struct store_position place,
                         struct found *found)
{
    for (uint32_t i = 0; i < partition->count; i++) {
        if (partition->batches[i].sequence != sequence)
            continue;
        place.offset = partition->batches[i].base_offset;
        if (found->count < found->size)
            found->positions[found->count] = place;
        found->count++;
    }
}

static enum err memory_find(struct store *store,
                            uint32_t sequence,
                            uint64_t number,
                            struct store_position *positions,
                            uint32_t size,
                            uint32_t *ret_count)
{
    struct store_memory *memory = store_memory_of(store);
    struct found found = {positions, size, 0};
    if (memory_sequence_has(sequence_at(store, sequence), number))
        for (uint32_t i = 0; i < memory->topics.count; i++)
            for (uint32_t p = 0; p < memory->topics.topics[i]->topic.partitions; p++)
                find_batches(&memory->topics.topics[i]->partitions[p], sequence,
                             (struct store_position){i, p, 0}, &found);
    if (found.count > size)
        return ERR_TOO_MANY;
    *ret_count = found.count;
    return ERR_NONE;
}

static uint64_t memory_producer_last(struct store *store, uint32_t sequence, struct span producer)
{
    return memory_sequence_producer_last(sequence_at(store, sequence), producer);
}

/* --- Life, and what a test tells it -------------------------------------------------------------- */

static const struct store_ops memory_ops = {
    .append = memory_append,
    .release = memory_release,
    .state = memory_state,
    .topic_open = memory_topic_open,
    .topic_next = memory_topic_next,
    .extent = memory_extent,
    .read = memory_read,
    .offset_at = memory_offset_at,
    .watch = memory_watch,
    .unwatch = memory_unwatch,
    .sequence_open = memory_sequence_open,
    .sequence_named = memory_sequence_named,
    .sequence_take = memory_sequence_take,
    .sequence_last = memory_last,
    .sequence_has = memory_has,
    .sequence_runs = memory_runs,
    .sequence_find = memory_find,
    .producer_last = memory_producer_last,
    .identities_admit = memory_admit,
    .identity_state = memory_identity_state,
    .identity_forget = memory_identity_forget,
};

struct store *store_memory_new(struct clock *clock)
{
    struct store_memory *memory = calloc(1, sizeof(*memory));
    check(memory != NULL);
    memory->store = (struct store){.ops = &memory_ops,
                                   .outcomes = &store_memory_outcomes,
                                   .record_size_max = RECORD_SIZE_MAX,
                                   .append_size_max = APPEND_SIZE_MAX};
    memory->clock = clock;
    memory->inflight_bytes_max = INFLIGHT_MAX;
    memory->topics_max = MEMORY_TOPICS_MAX;
    list_init(&memory->appends);
    list_init(&memory->reads);
    list_init(&memory->watches);
    return &memory->store;
}

struct store *store_memory_free(struct store *store)
{
    struct store_memory *memory = store_memory_of(store);
    check(list_is_empty(&memory->appends) && list_is_empty(&memory->reads) &&
          list_is_empty(&memory->watches));
    memory_topics_done(&memory->topics);
    for (uint32_t i = 0; i < memory->sequence_count; i++)
        memory_sequence_done(&memory->sequences[i]);
    memory_identities_done(&memory->identities);
    memory_groups_done(&memory->groups);
    memory_places_done(&memory->places);
    memory_notes_done(&memory->notes);
    free(memory);
    return NULL;
}

void store_memory_hold(struct store *store, bool hold)
{
    struct store_memory *memory = store_memory_of(store);
    memory->is_held = hold;
    if (hold)
        return;
    complete_what_may(memory);
    answer_oldest(memory, UINT32_MAX);
}

uint32_t store_memory_finish(struct store *store, uint32_t count)
{
    uint32_t completed = complete_oldest(store_memory_of(store), count, true);
    return completed + answer_oldest(store_memory_of(store), count - completed);
}

uint32_t store_memory_waiting(struct store *store)
{
    uint32_t count = 0;
    LIST_EACH (&store_memory_of(store)->appends, link)
        count++;
    LIST_EACH (&store_memory_of(store)->reads, link)
        count++;
    return count;
}

void store_memory_set_state(struct store *store, enum store_state state)
{
    struct store_memory *memory = store_memory_of(store);
    memory->state = state;
    complete_what_may(memory);
    notify(memory);
}

void store_memory_set_inflight_max(struct store *store, size_t bytes)
{
    store_memory_of(store)->inflight_bytes_max = bytes;
}

void store_memory_set_topic_full(struct store *store, uint32_t topic, bool is_full)
{
    struct store_memory *memory = store_memory_of(store);
    memory->full_topic = topic;
    memory->has_full_topic = is_full;
    notify(memory);
}

void store_memory_set_topics_max(struct store *store, uint32_t count)
{
    check(count <= MEMORY_TOPICS_MAX);
    store_memory_of(store)->topics_max = count;
}

void store_memory_set_slow_reads(struct store *store, bool are_slow)
{
    store_memory_of(store)->reads_are_slow = are_slow;
}

void store_memory_expire(struct store *store, uint32_t topic, uint32_t partition, uint64_t start)
{
    struct memory_partition *found = partition_at(store_memory_of(store), topic, partition);
    check(found != NULL && start >= found->start && start <= found->end);
    found->start = start;
}
