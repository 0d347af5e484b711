/* Pass one takes lines apart and finds their partitions; the second sizes, lays out and encodes what they make. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/line_batcher.h"

#include <stdlib.h>

#include "base/metric.h"
#include "wire/line_number.h"

enum {
    LENGTHS_MAX = 5 * 4 + 4, /* of a record, its key, value and index, with its one-byte fields */
    HEADER_LENGTHS_MAX = 5 + 5,
    REASON_MAX = HEADER_LENGTHS_MAX + 6 + 16, /* "reason" and the longest one */
    SEQ_MAX = HEADER_LENGTHS_MAX + 3 + LINE_NUMBER_SIZE_MAX,
    PART_MAX = STORE_PART_HEADROOM + RECORD_BATCH_HEADER_SIZE + STORE_PART_ALIGNMENT - 1,
    /* Of runs and identities, with the longest producer, and the run of the numbers that the door gives. */
    NUMBERS_MAX = 2 * STORE_NUMBERS_SIZE + STORE_PRODUCER_MAX + STORE_RUN_SIZE,
};

/* One line that was taken: small, because thousands of them wait for the second pass. */
struct line_entry {
    struct line_split split; /* count 0: the line could not be split and is parked whole */
    uint64_t seq;            /* 0: it has none */
    struct line_slot *slot;
    enum line_error reason; /* why it is parked */
    size_t size;            /* of the record */
};

/* A record with room for what it points to. */
struct line_record {
    struct record record;
    struct record_header headers[LINE_FIELDS_MAX + 2];
    uint8_t seq_text[LINE_NUMBER_SIZE_MAX];
};

static bool assigns_numbers(const struct line_batcher *batcher)
{
    return batcher->routes.fields.seq == LINE_FIELD_ABSENT;
}

/* With an identity for each line; fewer runs than that cannot be counted on, when some of the lines are dropped. */
static uint32_t lines_max(const struct line_batcher *batcher)
{
    _Static_assert((int)STORE_IDENTITIES_MAX <= (int)STORE_RUNS_MAX, "as many runs as lines must do");
    return batcher->settings->drop_duplicates ? STORE_IDENTITIES_MAX : LINE_BATCHER_LINES_MAX;
}

static size_t overhead_of(const struct produce_settings *settings, const struct line_fields *fields)
{
    size_t overhead = LENGTHS_MAX + REASON_MAX + SEQ_MAX + settings->key.len;
    for (uint32_t i = 0; i < fields->count; i++)
        overhead += HEADER_LENGTHS_MAX + fields->names[i].len;
    return overhead;
}

enum err line_batcher_init(struct line_batcher *batcher,
                           const struct produce_settings *settings,
                           struct store *store,
                           struct why *why)
{
    *batcher = (struct line_batcher){.settings = settings, .store = store};
    enum err err = line_routes_init(&batcher->routes, settings, why);
    if (err != ERR_NONE)
        return err;
    line_topics_init(&batcher->topics, store, settings->auto_create);
    line_identity_init(&batcher->identity, settings->sequence);
    batcher->record_overhead_max = overhead_of(settings, &batcher->routes.fields);
    batcher->entries = malloc(LINE_BATCHER_LINES_MAX * sizeof *batcher->entries);
    batcher->slots = malloc(LINE_BATCHER_SLOTS_MAX * sizeof(struct line_slot *));
    batcher->states = malloc(STORE_IDENTITIES_MAX * sizeof *batcher->states);
    bool is_whole = batcher->entries != NULL && batcher->slots != NULL && batcher->states != NULL;
    err = is_whole ? ERR_NONE : ERR_MEMORY;
    if (err == ERR_NONE && line_batcher_line_max(batcher) == 0)
        err = why_set(why, ERR_CONFIG, "`limits.append` leaves no room for a line with these `fields`");
    if (err == ERR_NONE)
        err = store->ops->sequence_open(store, settings->sequence, &batcher->sequence);
    if (err != ERR_NONE)
        line_batcher_done(batcher);
    return err;
}

void line_batcher_done(struct line_batcher *batcher)
{
    free(batcher->states);
    free(batcher->slots);
    free(batcher->entries);
    line_topics_done(&batcher->topics);
    line_routes_done(&batcher->routes);
    *batcher = (struct line_batcher){0};
}

/*
 * A number in a run of its own, its place, and an identity. When lines are dropped, nobody knows before which runs will be
 * left.
 */
static size_t number_size(const struct line_batcher *batcher, bool begins_run)
{
    size_t beside = batcher->settings->drop_duplicates ? STORE_RUN_SIZE + STORE_IDENTITY_SIZE
                    : begins_run                       ? STORE_RUN_SIZE
                                                       : 0;
    return STORE_PLACE_SIZE + beside;
}

uint32_t line_batcher_line_max(const struct line_batcher *batcher)
{
    size_t beside = batcher->record_overhead_max + PART_MAX + NUMBERS_MAX + STORE_RUN_SIZE +
                    STORE_PLACE_SIZE + STORE_IDENTITY_SIZE;
    size_t max = batcher->store->append_size_max;
    max = max > beside ? max - beside : 0;
    return max < batcher->settings->max_line ? (uint32_t)max : batcher->settings->max_line;
}

/* --- Pass one: one line --- */

static enum line_error
read_line(const struct line_batcher *batcher, struct span line, struct line_entry *entry)
{
    const struct line_fields *fields = &batcher->routes.fields;
    if (!line_fields_split(fields, line, &entry->split))
        return LINE_ERROR_MISSING_FIELD;
    if (!assigns_numbers(batcher) &&
        !line_number_parse(line_split_field(&entry->split, fields->seq), &entry->seq))
        return LINE_ERROR_BAD_SEQ;
    return LINE_ERROR_NONE;
}

/* NONE: the line has a fault, and *ret_error names it; else the store cannot say now. */
static enum err fault_of(enum err err, enum line_error *ret_error)
{
    if (err == ERR_BAD_NAME)
        *ret_error = LINE_ERROR_BAD_NAME;
    else if (err == ERR_ACCESS)
        *ret_error = LINE_ERROR_RESERVED_NAME;
    else if (err == ERR_UNKNOWN_TOPIC)
        *ret_error = LINE_ERROR_UNKNOWN_TOPIC;
    else if (err == ERR_TOO_MANY)
        *ret_error = LINE_ERROR_TOO_MANY_TOPICS;
    else
        return err;
    return ERR_NONE;
}

static enum err find_topic(struct line_batcher *batcher,
                           const struct line_entry *entry,
                           struct line_topic **ret_topic,
                           enum line_error *ret_error)
{
    struct span name;
    *ret_error = line_routes_name(&batcher->routes, &entry->split, &name);
    if (*ret_error != LINE_ERROR_NONE)
        return ERR_NONE;
    enum err err = line_topics_find(&batcher->topics, name, false, ret_topic);
    return err == ERR_NONE ? ERR_NONE : fault_of(err, ret_error);
}

/* Where a line with a fault goes: *ret_topic stays NULL when nowhere. */
static enum err find_otherwise(struct line_batcher *batcher, struct line_topic **ret_topic)
{
    enum line_error fault;
    struct span name = batcher->settings->otherwise;
    *ret_topic = batcher->otherwise;
    if (*ret_topic != NULL || name.len == 0)
        return ERR_NONE;
    enum err err = line_topics_find(&batcher->topics, name, true, &batcher->otherwise);
    if (err != ERR_NONE)
        return fault_of(err, &fault);
    *ret_topic = batcher->otherwise;
    return ERR_NONE;
}

static struct span key_of(const struct line_batcher *batcher, const struct line_entry *entry)
{
    if (batcher->settings->key.len > 0)
        return batcher->settings->key;
    return entry->split.count == 0 ? span_of(NULL, 0)
                                   : line_split_field(&entry->split, batcher->routes.fields.key);
}

static enum line_fate place(struct line_batcher *batcher, struct line_entry *entry, struct line_topic *topic)
{
    struct span key = key_of(batcher, entry);
    uint32_t partition = store_partition_of(key, key.len > 0, topic->topic.partitions, batcher->turn);
    struct line_slot *slot = &topic->slots[partition];
    size_t size = entry->split.len + batcher->record_overhead_max + (slot->is_used ? 0 : PART_MAX);
    /* Lines without a number make runs too, where others have one. */
    bool begins_run = batcher->entry_count == 0 || entry->seq != batcher->run_end;
    size_t numbers = number_size(batcher, begins_run) + (batcher->entry_count == 0 ? NUMBERS_MAX : 0);
    size_t bound = batcher->size_bound + batcher->numbers_bound;
    if (bound + size + numbers > batcher->store->append_size_max)
        return batcher->entry_count == 0 ? LINE_REFUSED : LINE_FULL;
    if (begins_run && batcher->run_count == STORE_RUNS_MAX)
        return LINE_FULL;
    if (!slot->is_used) {
        if (batcher->slot_count == LINE_BATCHER_SLOTS_MAX)
            return LINE_FULL;
        slot->is_used = true;
        batcher->slots[batcher->slot_count++] = slot;
    }
    entry->slot = slot;
    batcher->run_count += begins_run;
    batcher->run_end = entry->seq != 0 ? entry->seq + 1 : 0;
    batcher->size_bound += size;
    batcher->numbers_bound += numbers;
    batcher->entry_count++;
    return LINE_TAKEN;
}

static enum line_fate park(struct line_batcher *batcher, struct line_entry *entry, enum line_error *ret_error)
{
    struct line_topic *topic;
    if (find_otherwise(batcher, &topic) != ERR_NONE)
        return LINE_STALLED;
    if (topic == NULL)
        return LINE_REFUSED;
    enum line_fate fate = place(batcher, entry, topic);
    if (fate == LINE_TAKEN)
        metric_add(METRIC_LINES_UNROUTED, 1);
    else if (fate == LINE_REFUSED)
        *ret_error = LINE_ERROR_TOO_LONG;
    return fate;
}

enum line_fate line_batcher_add(struct line_batcher *batcher,
                                struct span line,
                                enum line_error fault,
                                enum line_error *ret_error)
{
    struct line_topic *topic = NULL;
    *ret_error = LINE_ERROR_EMPTY;
    if (line.len == 0)
        return LINE_REFUSED;
    if (batcher->entry_count == lines_max(batcher))
        return LINE_FULL;
    struct line_entry *entry = &batcher->entries[batcher->entry_count];
    entry->seq = 0;
    if (fault == LINE_ERROR_NONE)
        fault = read_line(batcher, line, entry);
    if (fault != LINE_ERROR_NONE)
        entry->split = (struct line_split){.line = line.data, .len = (uint32_t)line.len};
    else if (find_topic(batcher, entry, &topic, &fault) != ERR_NONE)
        return LINE_STALLED;
    *ret_error = fault == LINE_ERROR_NONE ? LINE_ERROR_TOO_LONG : fault;
    entry->reason = fault;
    return fault == LINE_ERROR_NONE ? place(batcher, entry, topic) : park(batcher, entry, ret_error);
}

/* --- Pass two: the append --- */

static void
add_header(struct record *record, struct record_header *headers, struct span name, struct span value)
{
    headers[record->header_count++] = (struct record_header){.name = name, .value = value};
}

static void
add_fields(const struct line_fields *fields, const struct line_split *split, struct line_record *to)
{
    for (uint32_t i = 0; i < fields->count; i++) {
        struct span value = line_split_field(split, i);
        if (i == fields->key || i == fields->body || value.len == 0)
            continue;
        if (i == fields->seq)
            value = line_number_trim(value);
        add_header(&to->record, to->headers, fields->names[i], value);
    }
}

static void
make_record(const struct line_batcher *batcher, const struct line_entry *entry, struct line_record *to)
{
    const struct line_fields *fields = &batcher->routes.fields;
    const struct line_split *split = &entry->split;
    struct span key = key_of(batcher, entry);
    to->record = (struct record){.key = key, .key_is_null = key.len == 0, .headers = to->headers};
    if (split->count > 0) {
        to->record.value = line_split_field(split, fields->body);
        add_fields(fields, split, to);
    } else {
        to->record.value = span_of(split->line, split->len);
    }
    if (assigns_numbers(batcher)) {
        size_t len = (size_t)(line_number_put(to->seq_text, entry->seq) - to->seq_text);
        add_header(&to->record, to->headers, span_of("seq", 3), span_of(to->seq_text, len));
    }
    if (entry->reason != LINE_ERROR_NONE)
        add_header(&to->record, to->headers, span_of("reason", 6),
                   span_from_text(line_error_reason(entry->reason)));
}

/* Numbers that go up by one extend the last run, as lines without one do. */
static void add_run(struct store_append *append, struct store_run *runs, uint64_t seq)
{
    struct store_run *last = append->run_count == 0 ? NULL : &runs[append->run_count - 1];
    if (last != NULL && (seq == 0 ? last->from == 0 : last->from > 0 && last->from + last->count == seq))
        last->count++;
    else
        runs[append->run_count++] = (struct store_run){.from = seq, .count = 1};
}

/* Whether this very append stores it: then there is nothing to wait for. */
static bool is_own(const struct line_append *append, const uint8_t *identity)
{
    for (uint32_t i = 0; i < append->append.identity_count; i++)
        if (memcmp(append->append.identities[i], identity, LINE_IDENTITY_SIZE) == 0)
            return true;
    return false;
}

/* The identities of all lines that have a number, back to back; how many. */
static uint32_t identify(struct line_batcher *batcher, uint8_t (*identities)[LINE_IDENTITY_SIZE])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < batcher->entry_count; i++) {
        const struct line_entry *entry = &batcher->entries[i];
        if (entry->seq != 0)
            line_identity_of(&batcher->identity, key_of(batcher, entry), entry->seq, identities[count++]);
    }
    return count;
}

/* New ones move up to the front; those of other appends that are pending go behind the room for all of them. */
static void sort_identity(struct line_append *append,
                          uint8_t (*identities)[LINE_IDENTITY_SIZE],
                          const uint8_t *identity,
                          enum store_identity state)
{
    if (state == STORE_IDENTITY_NEW)
        memmove(identities[append->append.identity_count++], identity, LINE_IDENTITY_SIZE);
    else if (state == STORE_IDENTITY_PENDING && !is_own(append, identity))
        memcpy((uint8_t *)(uintptr_t)append->awaited[append->awaited_count++], identity, LINE_IDENTITY_SIZE);
}

/* Keeps the entries whose identity is new. */
static void drop_duplicates(struct line_batcher *batcher, struct line_append *append)
{
    uint8_t(*identities)[LINE_IDENTITY_SIZE] =
        (uint8_t(*)[LINE_IDENTITY_SIZE])(uintptr_t)append->append.identities;
    append->awaited = append->append.identities + batcher->entry_count;
    uint32_t count = identify(batcher, identities);
    batcher->store->ops->identities_admit(batcher->store, append->append.identities, count, batcher->states);
    uint32_t kept = 0;
    uint32_t at = 0;
    for (uint32_t i = 0; i < batcher->entry_count; i++) {
        const struct line_entry *entry = &batcher->entries[i];
        enum store_identity state = entry->seq == 0 ? STORE_IDENTITY_NEW : batcher->states[at];
        if (entry->seq != 0)
            sort_identity(append, identities, identities[at++], state);
        if (state == STORE_IDENTITY_NEW)
            batcher->entries[kept++] = *entry;
    }
    metric_add(METRIC_LINES_DUPLICATE, batcher->entry_count - kept);
    batcher->entry_count = kept;
}

static void assign_numbers(struct line_batcher *batcher)
{
    struct store *store = batcher->store;
    uint64_t first = store->ops->sequence_take(store, batcher->sequence, batcher->entry_count);
    for (uint32_t i = 0; i < batcher->entry_count; i++)
        batcher->entries[i].seq = first + i;
}

static void note_numbers(const struct line_batcher *batcher, struct line_append *append)
{
    append->lines = batcher->entry_count;
    for (uint32_t i = 0; i < batcher->entry_count; i++) {
        uint64_t seq = batcher->entries[i].seq;
        append->last_seq = seq != 0 ? seq : append->last_seq;
        if (seq > append->append.producer_last)
            append->append.producer_last = seq;
    }
}

static void gather(struct line_batcher *batcher)
{
    struct line_record record;
    for (uint32_t i = 0; i < batcher->entry_count; i++) {
        struct line_entry *entry = &batcher->entries[i];
        make_record(batcher, entry, &record);
        entry->size = record_size(&record.record, entry->slot->records++);
        entry->slot->size += entry->size;
    }
}

/* Whose number stands in which part: it goes without saying when there is one part, and all have a number, or none. */
static void number_records(const struct line_batcher *batcher, struct store_append *append)
{
    struct store_run *runs = (struct store_run *)(uintptr_t)append->runs;
    uint16_t *places = (uint16_t *)(uintptr_t)append->places;
    uint32_t numbers = 0;
    check(runs != NULL && places != NULL);
    for (uint32_t i = 0; i < batcher->entry_count; i++)
        numbers += batcher->entries[i].seq != 0;
    bool is_plain = append->part_count <= 1 && numbers == batcher->entry_count;
    append->places = numbers == 0 || is_plain ? NULL : places;
    for (uint32_t i = 0; i < batcher->entry_count && numbers > 0; i++) {
        const struct line_entry *entry = &batcher->entries[i];
        add_run(append, runs, entry->seq);
        if (!is_plain)
            places[append->place_count++] = entry->slot->part;
    }
}

/* The partitions of a topic lie together, so that a reader of the topic finds them together. */
static void lay_out(struct line_batcher *batcher, struct store_append *append, int64_t timestamp_ms)
{
    if (batcher->slot_count > 1)
        line_topics_sort(&batcher->topics, batcher->slots, batcher->slot_count);
    size_t at = 0;
    for (uint32_t i = 0; i < batcher->slot_count; i++) {
        struct line_slot *slot = batcher->slots[i];
        if (slot->records == 0)
            continue;
        size_t len = RECORD_BATCH_HEADER_SIZE + slot->size;
        size_t position = at + STORE_PART_HEADROOM;
        slot->part = (uint16_t)append->part_count;
        append->parts[append->part_count++] = (struct store_part){
            .topic = slot->topic,
            .partition = slot->partition,
            .position = (uint32_t)position,
            .len = (uint32_t)len,
            .records = slot->records,
        };
        record_batch_begin(&slot->writer, append->bytes + position, timestamp_ms);
        at = (position + len + STORE_PART_ALIGNMENT - 1) / STORE_PART_ALIGNMENT * STORE_PART_ALIGNMENT;
        memset(append->bytes + position + len, 0, at - position - len);
    }
    check(at <= batcher->size_bound);
    append->len = at;
}

static void encode(struct line_batcher *batcher)
{
    struct line_record record;
    for (uint32_t i = 0; i < batcher->entry_count; i++) {
        const struct line_entry *entry = &batcher->entries[i];
        make_record(batcher, entry, &record);
        record_batch_add_sized(&entry->slot->writer, &record.record, entry->size);
    }
    for (uint32_t i = 0; i < batcher->slot_count; i++) {
        struct line_slot *slot = batcher->slots[i];
        if (slot->records > 0)
            check(record_batch_finish(&slot->writer) == RECORD_BATCH_HEADER_SIZE + slot->size);
    }
}

void line_batcher_forget(struct line_batcher *batcher)
{
    for (uint32_t i = 0; i < batcher->slot_count; i++) {
        batcher->slots[i]->is_used = false;
        batcher->slots[i]->records = 0;
        batcher->slots[i]->size = 0;
    }
    batcher->slot_count = 0;
    batcher->entry_count = 0;
    batcher->run_count = 0;
    batcher->run_end = 0;
    batcher->size_bound = 0;
    batcher->numbers_bound = 0;
    batcher->turn++;
}

/* The block is there before any identity is admitted or number taken: those cannot be given back. */
enum err
line_batcher_finish(struct line_batcher *batcher, int64_t timestamp_ms, struct line_append **ret_append)
{
    check(batcher->entry_count > 0);
    bool drops = batcher->settings->drop_duplicates;
    struct line_append_room room = {
        .parts = batcher->slot_count,
        .runs = batcher->entry_count,
        .identities = drops ? 2 * batcher->entry_count : 0, /* new ones, and awaited ones */
        .places = batcher->entry_count,
        .bytes = batcher->size_bound,
    };
    struct line_append *append = line_append_new(&room);
    if (append == NULL) {
        line_batcher_forget(batcher);
        return ERR_MEMORY;
    }
    if (assigns_numbers(batcher))
        assign_numbers(batcher);
    note_numbers(batcher, append);
    if (drops)
        drop_duplicates(batcher, append);
    gather(batcher);
    lay_out(batcher, &append->append, timestamp_ms);
    number_records(batcher, &append->append);
    encode(batcher);
    append->append.sequence = batcher->sequence;
    append->size = sizeof *append + append->append.len;
    line_batcher_forget(batcher);
    *ret_append = append;
    return ERR_NONE;
}
