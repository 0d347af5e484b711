/* Collects records in one buffer for each partition, already encoded, and lays them out when the append is finished. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/append_builder.h"

#include <stdlib.h>

enum {
    SLOT_SIZE_KEPT = 64 * 1024, /* storage of a slot that stays for the next append */
    SLOTS_FIRST = 4,
    TEXTS_MAX =
        STORE_NOTES_MAX * (STORE_NOTE_KEY_MAX + STORE_NOTE_VALUE_MAX) + STORE_SETTLED_MAX * STORE_BY_MAX,
    RECORDS_MAX = INT32_MAX / 2,
    /* What a store needs at most to say it; it counts against the limit of an append. */
    SETTLED_SIZE = 176,
    SEEK_SIZE = 56,
    NOTE_SIZE = 40, /* and its key and value */
};

/* The batch of one partition: room for its header, then its records. */
struct builder_slot {
    uint32_t topic;
    uint32_t partition;
    uint32_t records;
    struct buffer bytes;
};

struct builder_record {
    uint32_t slot;
    uint32_t size;
};

/* Texts move while they grow, so an item keeps their places until the end. */
struct builder_settled {
    struct store_settled settled; /* its `by` has a length only */
    size_t by_at;
};

struct builder_note {
    struct store_note note; /* its spans have lengths only, and value.data is NULL or not */
    size_t key_at;
    size_t value_at;
};

void append_builder_init(struct append_builder *builder, struct store *store)
{
    *builder = (struct append_builder){.store = store};
    buffer_init(&builder->records, RECORDS_MAX);
    buffer_init(&builder->settled, STORE_SETTLED_MAX * sizeof(struct builder_settled));
    buffer_init(&builder->seeks, APPEND_BUILDER_SEEKS_MAX * sizeof(struct store_seek));
    buffer_init(&builder->notes, STORE_NOTES_MAX * sizeof(struct builder_note));
    buffer_init(&builder->texts, TEXTS_MAX);
}

void append_builder_done(struct append_builder *builder)
{
    for (uint32_t i = 0; i < builder->slots_made; i++)
        buffer_done(&builder->slots[i].bytes);
    free(builder->slots);
    buffer_done(&builder->records);
    buffer_done(&builder->settled);
    buffer_done(&builder->seeks);
    buffer_done(&builder->notes);
    buffer_done(&builder->texts);
    *builder = (struct append_builder){.store = builder->store};
}

/* What a batch takes in the append, with its headroom and padding. */
static size_t part_size(size_t batch_len)
{
    size_t len = STORE_PART_HEADROOM + batch_len;
    return (len + STORE_PART_ALIGNMENT - 1) / STORE_PART_ALIGNMENT * STORE_PART_ALIGNMENT;
}

bool append_builder_is_empty(const struct append_builder *builder)
{
    return builder->records.len + builder->settled.len + builder->seeks.len + builder->notes.len == 0;
}

size_t append_builder_size(const struct append_builder *builder)
{
    return sizeof(struct built_append) + builder->slot_count * sizeof(struct store_part) +
           builder->settled.len + builder->seeks.len + builder->notes.len + builder->bytes_len +
           builder->texts.len;
}

/* Whether the append stays within its limit with `size` bytes more. */
static bool has_room(const struct append_builder *builder, size_t bytes_len, size_t size)
{
    size_t stated = builder->settled.len / sizeof(struct builder_settled) * SETTLED_SIZE +
                    builder->seeks.len / sizeof(struct store_seek) * SEEK_SIZE +
                    builder->notes.len / sizeof(struct builder_note) * NOTE_SIZE + builder->texts.len;
    return bytes_len + stated + size <= builder->store->append_size_max;
}

/* --- Undoing -------------------------------------------------------------------------------------- */

struct append_builder_mark append_builder_mark(const struct append_builder *builder)
{
    return (struct append_builder_mark){
        .records = builder->records.len,
        .settled = builder->settled.len,
        .seeks = builder->seeks.len,
        .notes = builder->notes.len,
        .texts = builder->texts.len,
    };
}

/* The latest record leaves its slot; an empty slot is the last one, for slots are made in the order of first records. */
static void take_record_back(struct append_builder *builder)
{
    struct builder_record taken;
    builder->records.len -= sizeof taken;
    memcpy(&taken, builder->records.data + builder->records.len, sizeof taken);
    struct builder_slot *slot = &builder->slots[taken.slot];
    builder->bytes_len -= part_size(slot->bytes.len);
    slot->bytes.len -= taken.size;
    if (--slot->records > 0) {
        builder->bytes_len += part_size(slot->bytes.len);
        return;
    }
    check(taken.slot == builder->slot_count - 1);
    builder->slot_count--;
    builder->slot_last = 0;
}

void append_builder_undo(struct append_builder *builder, const struct append_builder_mark *mark)
{
    check(mark->records <= builder->records.len && mark->texts <= builder->texts.len);
    while (builder->records.len > mark->records)
        take_record_back(builder);
    builder->settled.len = mark->settled;
    builder->seeks.len = mark->seeks;
    builder->notes.len = mark->notes;
    builder->texts.len = mark->texts;
}

/* Storage for the next append stays, as far as it is small. */
static void clear(struct append_builder *builder)
{
    struct buffer *buffers[] = {&builder->records, &builder->settled, &builder->seeks, &builder->notes,
                                &builder->texts};
    for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++) {
        buffer_clear(buffers[i]);
        if (buffers[i]->size > SLOT_SIZE_KEPT)
            buffer_release(buffers[i]);
    }
    for (uint32_t i = 0; i < builder->slot_count; i++)
        if (builder->slots[i].bytes.size > SLOT_SIZE_KEPT)
            buffer_release(&builder->slots[i].bytes);
    builder->slot_count = 0;
    builder->slot_last = 0;
    builder->bytes_len = 0;
}

/* --- Adding --------------------------------------------------------------------------------------- */

static bool slot_is_of(const struct builder_slot *slot, uint32_t topic, uint32_t partition)
{
    return slot->topic == topic && slot->partition == partition;
}

/* The slot of the partition; slot_count when it has none yet. */
static uint32_t find_slot(const struct append_builder *builder, uint32_t topic, uint32_t partition)
{
    if (builder->slot_count > 0 && slot_is_of(&builder->slots[builder->slot_last], topic, partition))
        return builder->slot_last;
    uint32_t at = 0;
    while (at < builder->slot_count && !slot_is_of(&builder->slots[at], topic, partition))
        at++;
    return at;
}

static enum err grow_slots(struct append_builder *builder)
{
    if (builder->slot_count < builder->slots_made)
        return ERR_NONE;
    if (builder->slot_count == APPEND_BUILDER_PARTS_MAX)
        return ERR_TOO_MANY;
    if (builder->slots_made == builder->slots_size) {
        uint32_t size = builder->slots_size == 0 ? SLOTS_FIRST : builder->slots_size * 2;
        struct builder_slot *slots = realloc(builder->slots, size * sizeof *slots);
        if (slots == NULL)
            return ERR_MEMORY;
        builder->slots = slots;
        builder->slots_size = size;
    }
    buffer_init(&builder->slots[builder->slots_made++].bytes, builder->store->append_size_max);
    return ERR_NONE;
}

/* An empty slot gets room for the batch's header with its first record. */
static enum err reserve(struct append_builder *builder, struct builder_slot *slot, size_t size)
{
    enum err err = buffer_reserve(&builder->records, sizeof(struct builder_record));
    return err != ERR_NONE ? err : buffer_reserve(&slot->bytes, RECORD_BATCH_HEADER_SIZE + size);
}

static void put_record(struct builder_slot *slot, const struct record *record, size_t size)
{
    struct record_batch_writer writer;
    record_batch_begin(&writer, slot->bytes.data, 0);
    writer.at = slot->bytes.data + slot->bytes.len;
    writer.records = slot->records;
    record_batch_add_sized(&writer, record, size);
    slot->bytes.len += size;
    slot->records++;
}

enum err append_builder_add_record(struct append_builder *builder,
                                   uint32_t topic,
                                   uint32_t partition,
                                   const struct record *record,
                                   struct append_builder_place *ret_place)
{
    uint32_t at = find_slot(builder, topic, partition);
    bool is_new = at == builder->slot_count;
    enum err err = is_new ? grow_slots(builder) : ERR_NONE;
    if (err != ERR_NONE)
        return err;
    struct builder_slot *slot = &builder->slots[at];
    size_t size = record_size(record, is_new ? 0 : slot->records);
    size_t len_before = is_new ? RECORD_BATCH_HEADER_SIZE : slot->bytes.len;
    size_t bytes_len =
        builder->bytes_len - (is_new ? 0 : part_size(len_before)) + part_size(len_before + size);
    if (size > (size_t)builder->store->record_size_max + APPEND_BUILDER_EXTRA_MAX ||
        !has_room(builder, bytes_len, 0))
        return ERR_TOO_LARGE;
    if (is_new)
        buffer_clear(&slot->bytes);
    err = reserve(builder, slot, size);
    if (err != ERR_NONE)
        return err;
    if (is_new) {
        slot->topic = topic;
        slot->partition = partition;
        slot->records = 0;
        slot->bytes.len = RECORD_BATCH_HEADER_SIZE;
        builder->slot_count++;
    }
    *ret_place = (struct append_builder_place){at, slot->records};
    put_record(slot, record, size);
    struct builder_record added = {at, (uint32_t)size};
    memcpy(builder->records.data + builder->records.len, &added, sizeof added);
    builder->records.len += sizeof added;
    builder->slot_last = at;
    builder->bytes_len = bytes_len;
    return ERR_NONE;
}

/* More than the maximum of its kind is TOO_MANY, not TOO_LARGE. */
static enum err add_item(struct buffer *items, const void *item, size_t size)
{
    enum err err = buffer_append(items, span_of(item, size));
    return err == ERR_TOO_LARGE ? ERR_TOO_MANY : err;
}

static enum err keep_text(struct append_builder *builder, struct span text, size_t *ret_at)
{
    *ret_at = builder->texts.len;
    return buffer_append(&builder->texts, text);
}

/* Runs of one append mostly have one `by`: it is kept once. */
static bool share_text(const struct append_builder *builder, struct span text, size_t *ret_at)
{
    if (builder->settled.len == 0)
        return false;
    struct builder_settled last;
    memcpy(&last, builder->settled.data + builder->settled.len - sizeof last, sizeof last);
    *ret_at = last.by_at;
    return span_equal(span_of(builder->texts.data + last.by_at, last.settled.by.len), text);
}

enum err append_builder_add_settled(struct append_builder *builder, const struct store_settled *settled)
{
    struct builder_settled item = {.settled = *settled};
    check(settled->count > 0 && settled->by.len <= STORE_BY_MAX);
    if (!has_room(builder, builder->bytes_len, SETTLED_SIZE) && !append_builder_is_empty(builder))
        return ERR_TOO_LARGE;
    struct append_builder_mark mark = append_builder_mark(builder);
    enum err err = share_text(builder, settled->by, &item.by_at)
                       ? ERR_NONE
                       : keep_text(builder, settled->by, &item.by_at);
    if (err == ERR_NONE)
        err = add_item(&builder->settled, &item, sizeof item);
    if (err != ERR_NONE)
        append_builder_undo(builder, &mark);
    return err;
}

enum err append_builder_add_seek(struct append_builder *builder, const struct store_seek *seek)
{
    return add_item(&builder->seeks, seek, sizeof *seek);
}

enum err append_builder_add_note(struct append_builder *builder, const struct store_note *note)
{
    struct builder_note item = {.note = *note};
    check(note->key.len >= 1 && note->key.len <= STORE_NOTE_KEY_MAX);
    check(note->value.len <= STORE_NOTE_VALUE_MAX);
    if (!has_room(builder, builder->bytes_len, NOTE_SIZE + note->key.len + note->value.len) &&
        !append_builder_is_empty(builder))
        return ERR_TOO_LARGE;
    struct append_builder_mark mark = append_builder_mark(builder);
    enum err err = keep_text(builder, note->key, &item.key_at);
    if (err == ERR_NONE)
        err = keep_text(builder, note->value, &item.value_at);
    if (err == ERR_NONE)
        err = add_item(&builder->notes, &item, sizeof item);
    if (err != ERR_NONE)
        append_builder_undo(builder, &mark);
    return err;
}

/* --- Finishing ------------------------------------------------------------------------------------ */

struct counts {
    uint32_t settled;
    uint32_t seeks;
    uint32_t notes;
};

static struct counts count(const struct append_builder *builder)
{
    return (struct counts){
        .settled = (uint32_t)(builder->settled.len / sizeof(struct builder_settled)),
        .seeks = (uint32_t)(builder->seeks.len / sizeof(struct store_seek)),
        .notes = (uint32_t)(builder->notes.len / sizeof(struct builder_note)),
    };
}

/* The block, all its members at multiples of 8: built_append, parts, settled, seeks, notes, bytes, texts. */
static struct built_append *lay_out(const struct append_builder *builder, struct counts counts)
{
    size_t parts_size = builder->slot_count * sizeof(struct store_part);
    size_t settled_size = counts.settled * sizeof(struct store_settled);
    size_t notes_size = counts.notes * sizeof(struct store_note);
    size_t size = sizeof(struct built_append) + parts_size + settled_size + builder->seeks.len + notes_size +
                  builder->bytes_len + builder->texts.len;
    uint8_t *block = malloc(size);
    if (block == NULL)
        return NULL;
    struct built_append *built = (struct built_append *)(void *)block;
    *built = (struct built_append){.size = size};
    struct store_append *append = &built->append;
    append->parts = (struct store_part *)(void *)(block += sizeof *built);
    append->settled = (struct store_settled *)(void *)(block += parts_size);
    append->seeks = (struct store_seek *)(void *)(block += settled_size);
    append->notes = (struct store_note *)(void *)(block += builder->seeks.len);
    append->bytes = block + notes_size;
    append->len = builder->bytes_len;
    append->part_count = builder->slot_count;
    append->settled_count = counts.settled;
    append->seek_count = counts.seeks;
    append->note_count = counts.notes;
    return built;
}

static void write_parts(struct append_builder *builder, struct store_append *append, int64_t timestamp_ms)
{
    size_t at = 0;
    for (uint32_t i = 0; i < builder->slot_count; i++) {
        struct builder_slot *slot = &builder->slots[i];
        size_t len = slot->bytes.len;
        struct record_batch_writer writer;
        record_batch_begin(&writer, slot->bytes.data, timestamp_ms);
        writer.at = slot->bytes.data + len;
        writer.records = slot->records;
        check(record_batch_finish(&writer) == len);
        append->parts[i] = (struct store_part){
            .topic = slot->topic,
            .partition = slot->partition,
            .position = (uint32_t)(at + STORE_PART_HEADROOM),
            .len = (uint32_t)len,
            .records = slot->records,
        };
        memcpy(append->bytes + at + STORE_PART_HEADROOM, slot->bytes.data, len);
        size_t end = at + part_size(len);
        memset(append->bytes + at + STORE_PART_HEADROOM + len, 0, end - (at + STORE_PART_HEADROOM + len));
        at = end;
    }
    check(at == append->len);
}

static void write_settled(const struct append_builder *builder,
                          struct store_settled *settled,
                          uint32_t count,
                          const uint8_t *texts)
{
    for (uint32_t i = 0; i < count; i++) {
        struct builder_settled item;
        memcpy(&item, builder->settled.data + i * sizeof item, sizeof item);
        settled[i] = item.settled;
        settled[i].by.data = texts + item.by_at;
    }
}

static void write_notes(const struct append_builder *builder,
                        struct store_note *notes,
                        uint32_t count,
                        const uint8_t *texts)
{
    for (uint32_t i = 0; i < count; i++) {
        struct builder_note item;
        memcpy(&item, builder->notes.data + i * sizeof item, sizeof item);
        notes[i] = item.note;
        notes[i].key.data = texts + item.key_at;
        if (item.note.value.data != NULL)
            notes[i].value.data = texts + item.value_at;
    }
}

enum err
append_builder_finish(struct append_builder *builder, int64_t timestamp_ms, struct built_append **ret_append)
{
    struct counts counts = count(builder);
    struct built_append *built = lay_out(builder, counts);
    if (built == NULL)
        return ERR_MEMORY;
    struct store_append *append = &built->append;
    uint8_t *texts = append->bytes + append->len;
    write_parts(builder, append, timestamp_ms);
    write_settled(builder, (struct store_settled *)(uintptr_t)append->settled, counts.settled, texts);
    write_notes(builder, (struct store_note *)(uintptr_t)append->notes, counts.notes, texts);
    if (builder->seeks.len > 0)
        memcpy((struct store_seek *)(uintptr_t)append->seeks, builder->seeks.data, builder->seeks.len);
    if (builder->texts.len > 0)
        memcpy(texts, builder->texts.data, builder->texts.len);
    clear(builder);
    *ret_append = built;
    return ERR_NONE;
}

struct built_append *built_append_free(struct built_append *append)
{
    free(append);
    return NULL;
}

_Static_assert(sizeof(struct built_append) % 8 == 0 && sizeof(struct store_part) % 8 == 0 &&
                   sizeof(struct store_settled) % 8 == 0 && sizeof(struct store_seek) % 8 == 0 &&
                   sizeof(struct store_note) % 8 == 0,
               "the block is aligned");
