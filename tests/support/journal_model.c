/* Appends made from numbers, and the comparison of a journal with what it must hold. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/journal_model.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/journal_claims.h"
#include "support/journal_shape.h"
#include "support/test.h"
#include "wire/record_batch.h"

enum {
    APPEND_SIZE_MAX = 16 * 1024,
    BATCH_SIZE_MAX = 6 * 1024,
    READ_SIZE = 64 * 1024,
    ID_DIGITS = 8,
};

/* One part's batch; `to` has BATCH_SIZE_MAX bytes. */
static size_t write_batch(uint8_t *to, uint32_t id, uint32_t shape, uint32_t part)
{
    uint8_t value[JOURNAL_SHAPE_VALUE_MAX];
    char key[32];
    struct record_batch_writer writer;
    record_batch_begin(&writer, to, 1000);
    for (uint32_t i = 0; i < journal_shape_records(shape, part); i++) {
        (void)snprintf(key, sizeof key, "%0*u.%u.%u", ID_DIGITS, id, part, i);
        memset(value, 'a' + (int)((id + i) % 26), sizeof value);
        struct record record = {.key = span_from_text(key),
                                .value = span_of(value, journal_shape_value_len(shape, part))};
        record_batch_add(&writer, &record);
    }
    return record_batch_finish(&writer);
}

uint32_t journal_model_size_of(uint32_t shape)
{
    const uint32_t around_batch = STORE_PART_HEADROOM + RECORD_BATCH_HEADER_SIZE + STORE_PART_ALIGNMENT;
    const uint32_t around_value = 40;
    uint32_t size = 0;
    for (uint32_t i = 0; i < journal_shape_part_count(shape); i++)
        size += around_batch +
                journal_shape_records(shape, i) * (journal_shape_value_len(shape, i) + around_value);
    return size;
}

/* --- The life of the model ------------------------------------------------------------------------- */

void journal_model_init(struct journal_model *model, struct journal_bench *bench)
{
    *model = (struct journal_model){.bench = bench};
}

void journal_model_done(struct journal_model *model)
{
    free(model->appends);
    *model = (struct journal_model){0};
}

static struct journal_model_append *add(struct journal_model *model)
{
    if (model->count == model->size) {
        model->size = model->size == 0 ? 256 : model->size * 2;
        model->appends = reallocarray(model->appends, model->size, sizeof *model->appends);
        check(model->appends != NULL);
    }
    return &model->appends[model->count++];
}

void journal_model_copy(struct journal_model *model,
                        const struct journal_model *from,
                        uint64_t operations,
                        struct journal_bench *bench)
{
    *model = *from;
    model->bench = bench;
    model->size = from->count + 64;
    model->appends = calloc(model->size, sizeof *model->appends);
    check(model->appends != NULL);
    model->count = 0;
    model->pending = 0;
    while (model->count < from->count && from->appends[model->count].submitted_at <= operations) {
        struct journal_model_append *append = &model->appends[model->count];
        *append = from->appends[model->count++];
        append->stored_at = append->stored_at <= operations ? 0 : JOURNAL_MODEL_NEVER;
        append->gone_at = append->gone_at <= operations ? 0 : JOURNAL_MODEL_NEVER;
        append->submitted_at = 0;
    }
}

/* --- Submitting ------------------------------------------------------------------------------------- */

struct message {
    struct store_append append;
    struct journal_claims claims;
    struct store_part parts[JOURNAL_MODEL_PARTS_MAX];
    struct store_run run;
    char producer[8];
    struct journal_model *model;
    uint32_t id;
    uint8_t bytes[APPEND_SIZE_MAX];
};

static void on_done(struct mail *mail)
{
    struct store_append *append = LIST_OWNER(mail, struct store_append, mail);
    struct message *message = LIST_OWNER(append, struct message, append);
    struct journal_model *model = message->model;
    struct journal_model_append *entry = &model->appends[message->id];
    entry->err = append->ret_err;
    for (uint32_t i = 0; i < append->part_count; i++)
        entry->bases[i] = message->parts[i].ret_base_offset;
    if (append->ret_err == ERR_NONE)
        entry->stored_at = fs_memory_operations(model->bench->fs);
    model->pending--;
    free(message);
}

static enum err open_names(struct journal_model *model, struct message *message, uint32_t shape)
{
    struct store *store = model->bench->store;
    enum err err = ERR_NONE;
    for (uint32_t i = 0; err == ERR_NONE && i < JOURNAL_MODEL_SEQUENCES;
         i++) { /* in order: by index they are known */
        char name[16];
        uint32_t index;
        (void)snprintf(name, sizeof name, "sequence-%u", i);
        err = store->ops->sequence_open(store, span_from_text(name), &index);
    }
    for (uint32_t i = 0; err == ERR_NONE && i < journal_shape_part_count(shape); i++) {
        char name[16];
        struct store_topic topic;
        journal_shape_topic_name(name, journal_shape_topic(shape, i));
        err = store->ops->topic_open(store, span_from_text(name),
                                     journal_shape_partitions[journal_shape_topic(shape, i)], true, &topic);
        if (err == ERR_NONE)
            message->parts[i].topic = topic.id;
    }
    return err;
}

static void fill(struct message *message, uint32_t shape)
{
    size_t at = 0;
    for (uint32_t i = 0; i < journal_shape_part_count(shape); i++) {
        struct store_part *part = &message->parts[i];
        part->partition = journal_shape_partition(shape, i);
        part->records = journal_shape_records(shape, i);
        part->position = (uint32_t)(at + STORE_PART_HEADROOM);
        part->len = (uint32_t)write_batch(message->bytes + part->position, message->id, shape, i);
        at = (part->position + part->len + STORE_PART_ALIGNMENT - 1) / STORE_PART_ALIGNMENT *
             STORE_PART_ALIGNMENT;
        check(at <= APPEND_SIZE_MAX);
    }
    message->run = journal_shape_run(shape);
    (void)snprintf(message->producer, sizeof message->producer, "p%u", journal_shape_mix(shape, 70) % 3);
    message->append = (struct store_append){
        .mail.on_delivered = on_done,
        .reply_to = &message->model->bench->mailbox,
        .bytes = message->bytes,
        .len = at,
        .parts = message->parts,
        .part_count = journal_shape_part_count(shape),
        .sequence = journal_shape_sequence(shape),
        .runs = &message->run,
        .run_count = 1,
        .producer = span_from_text(message->producer),
        .producer_last = message->run.from + message->run.count - 1,
    };
}

/* What would not fit into a checkpoint is left out. */
static enum err append_what_fits(struct journal_model *model, struct message *message)
{
    struct store *store = model->bench->store;
    journal_claims_add(model, message->id, &message->claims, &message->append);
    enum err err = store->ops->append(store, &message->append);
    if (err != ERR_TOO_MANY)
        return err;
    journal_claims_remove(model, message->id, &message->append);
    return store->ops->append(store, &message->append);
}

enum err journal_model_submit(struct journal_model *model, uint32_t shape)
{
    struct message *message = aligned_alloc(64, (sizeof *message + 63) / 64 * 64); /* never made to fail */
    check(message != NULL);
    memset(message, 0, sizeof *message);
    message->model = model;
    message->id = model->count;
    enum err err = open_names(model, message, shape);
    if (err == ERR_NONE) {
        fill(message, shape);
        *add(model) = (struct journal_model_append){
            .shape = shape,
            .submitted_at = fs_memory_operations(model->bench->fs),
            .stored_at = JOURNAL_MODEL_NEVER,
            .gone_at = JOURNAL_MODEL_NEVER,
            .err = ERR_PENDING,
        };
        model->pending++;
        err = append_what_fits(model, message);
        if (err == ERR_NONE)
            return err;
        model->pending--;
        model->count--;
    }
    free(message);
    return err;
}

/* --- Comparing --------------------------------------------------------------------------------------- */

/* The append and part that a batch says it is of. */
static struct journal_model_append *
owner_of(struct journal_model *model, const struct record_batch *batch, uint32_t *ret_id, uint32_t *ret_part)
{
    struct record_cursor cursor;
    struct record record;
    char key[32] = {0};
    if (record_cursor_init(&cursor, batch) != ERR_NONE ||
        record_cursor_next(&cursor, &record) != DECODE_DONE || record.key.len >= sizeof key)
        test_fail("%s: a batch that nobody made", model->where);
    memcpy(key, record.key.data, record.key.len);
    char *rest;
    uint64_t id = strtoull(key, &rest, 10);
    uint64_t part = rest[0] == '.' ? strtoull(rest + 1, NULL, 10) : UINT32_MAX;
    if (rest != key + ID_DIGITS || part >= JOURNAL_MODEL_PARTS_MAX || id >= model->count)
        test_fail("%s: a batch that nobody submitted: %s", model->where, key);
    *ret_id = (uint32_t)id;
    *ret_part = (uint32_t)part;
    return &model->appends[id];
}

struct place {
    uint32_t topic;
    uint32_t partition;
    uint64_t operations;
};

static void
compare_batch(struct journal_model *model, const struct record_batch *batch, const struct place *place)
{
    uint32_t id;
    uint32_t part;
    uint8_t expected[BATCH_SIZE_MAX];
    struct journal_model_append *append = owner_of(model, batch, &id, &part);
    if (part >= journal_shape_part_count(append->shape) ||
        journal_shape_topic(append->shape, part) != place->topic ||
        journal_shape_partition(append->shape, part) != place->partition)
        test_fail("%s: append %u part %u lies in topic-%u/%u", model->where, id, part, place->topic,
                  place->partition);
    size_t len = write_batch(expected, id, append->shape, part);
    record_batch_set_base_offset(expected, batch->base_offset);
    if (!span_equal(batch->bytes, span_of(expected, len)))
        test_fail("%s: append %u part %u has other bytes", model->where, id, part);
    if (append->submitted_at > place->operations || append->gone_at <= place->operations)
        test_fail("%s: append %u part %u came %s", model->where, id, part,
                  append->submitted_at > place->operations ? "before it was made"
                                                           : "back from an earlier life");
    if ((append->parts_seen >> part & 1) != 0)
        test_fail("%s: append %u part %u twice", model->where, id, part);
    if (append->stored_at <= place->operations && append->bases[part] != batch->base_offset)
        test_fail("%s: append %u part %u moved from offset %llu to %llu", model->where, id, part,
                  (unsigned long long)append->bases[part], (unsigned long long)batch->base_offset);
    append->bases[part] = batch->base_offset;
    append->parts_seen |= 1U << part;
}

/* Takes the batches of one read; the offset behind them. */
static uint64_t
compare_batches(struct journal_model *model, struct span bytes, uint64_t offset, const struct place *place)
{
    while (bytes.len > 0) {
        struct record_batch batch;
        size_t at;
        if (record_batch_decode(bytes, &batch, &at) != DECODE_DONE)
            test_fail("%s: topic-%u/%u offset %llu is no batch", model->where, place->topic, place->partition,
                      (unsigned long long)offset);
        if (batch.base_offset != offset)
            test_fail("%s: topic-%u/%u goes on at %llu instead of %llu", model->where, place->topic,
                      place->partition, (unsigned long long)batch.base_offset, (unsigned long long)offset);
        compare_batch(model, &batch, place);
        offset += batch.record_count;
        bytes = span_after(bytes, batch.bytes.len);
    }
    return offset;
}

static void
compare_partition(struct journal_model *model, const struct store_topic *topic, const struct place *place)
{
    struct store *store = model->bench->store;
    struct store_extent extent;
    expect_fine(store->ops->extent(store, topic->id, place->partition, &extent));
    struct store_read read = {.topic = topic->id, .partition = place->partition, .offset = extent.start};
    uint8_t *buffer = malloc(READ_SIZE);
    read.buffer = buffer;
    read.size = READ_SIZE;
    bool goes_on = true;
    while (goes_on) {
        enum err err = store->ops->read(store, &read);
        if (err != ERR_NONE &&
            (err != ERR_DAMAGED || !model->has_damage || read.ret_next_offset <= read.offset))
            test_fail("%s: reading topic-%u/%u at %llu: %s", model->where, place->topic, place->partition,
                      (unsigned long long)read.offset, err_name(err));
        goes_on = read.ret_next_offset != read.offset;
        if (err == ERR_NONE)
            expect_equal_u64(compare_batches(model, span_of(buffer, read.ret_len), read.offset, place),
                             read.ret_next_offset);
        read.offset = read.ret_next_offset;
    }
    if (read.offset != extent.end)
        test_fail("%s: topic-%u/%u ends at %llu, reads to %llu", model->where, place->topic, place->partition,
                  (unsigned long long)extent.end, (unsigned long long)read.offset);
    free(buffer);
}

/* Parts below the first kept offset count as seen. */
static void note_expired(struct journal_model *model,
                         uint32_t topic_number,
                         const struct store_topic *topic,
                         uint64_t operations)
{
    struct store *store = model->bench->store;
    for (uint32_t id = 0; id < model->count; id++) {
        struct journal_model_append *append = &model->appends[id];
        for (uint32_t part = 0; part < journal_shape_part_count(append->shape); part++) {
            struct store_extent extent;
            if (append->stored_at > operations || journal_shape_topic(append->shape, part) != topic_number)
                continue;
            expect_fine(
                store->ops->extent(store, topic->id, journal_shape_partition(append->shape, part), &extent));
            if (append->bases[part] >= extent.start)
                continue;
            append->parts_seen |= 1U << part;
            append->is_expired = true;
        }
    }
}

static void compare_number(struct journal_model *model, uint32_t id, uint64_t number, bool expected)
{
    struct store *store = model->bench->store;
    bool has = !expected;
    expect_fine(
        store->ops->sequence_has(store, journal_shape_sequence(model->appends[id].shape), number, &has));
    if (has != expected && model->has_damage) {
        model->missing_numbers++;
        return;
    }
    if (has != expected)
        test_fail("%s: append %u is %s, its number %llu is %s", model->where, id,
                  expected ? "there" : "not there", (unsigned long long)number, has ? "known" : "unknown");
}

/* Whether another append of this shape, which has the same numbers, is there. */
static bool has_twin(const struct journal_model *model, uint32_t id)
{
    for (uint32_t i = 0; i < model->count; i++)
        if (i != id && model->appends[i].shape == model->appends[id].shape &&
            model->appends[i].parts_seen != 0)
            return true;
    return false;
}

static void compare_append(struct journal_model *model, uint32_t id, uint64_t operations)
{
    const struct journal_model_append *append = &model->appends[id];
    uint32_t whole = (1U << journal_shape_part_count(append->shape)) - 1;
    bool is_there = append->parts_seen == whole;
    if (model->has_damage && append->stored_at <= operations && !is_there) {
        model->missing++;
        return;
    }
    if (append->stored_at <= operations && !is_there)
        test_fail("%s: append %u was stored and is not there (parts %x of %x)", model->where, id,
                  append->parts_seen, whole);
    if (!is_there && append->parts_seen != 0)
        test_fail("%s: append %u is there in parts (%x of %x)", model->where, id, append->parts_seen, whole);
    struct store_run run = journal_shape_run(append->shape);
    if ((append->is_expired && model->forgets_numbers) || (!is_there && has_twin(model, id)))
        return;
    for (uint64_t i = 0; i < run.count; i++)
        compare_number(model, id, run.from + i, is_there);
}

static void compare_producers(struct journal_model *model)
{
    struct store *store = model->bench->store;
    uint64_t highest[JOURNAL_MODEL_SEQUENCES][3] = {{0}};
    for (uint32_t id = 0; id < model->count; id++) {
        uint32_t shape = model->appends[id].shape;
        struct store_run run = journal_shape_run(shape);
        uint64_t *known = &highest[journal_shape_sequence(shape)][journal_shape_mix(shape, 70) % 3];
        uint64_t last = run.from + run.count - 1;
        if (model->appends[id].parts_seen != 0 && last > *known)
            *known = last;
    }
    for (uint32_t i = 0; i < JOURNAL_MODEL_SEQUENCES * 3; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "p%u", i % 3);
        uint64_t last = store->ops->producer_last(store, i / 3, span_from_text(name));
        if (last != highest[i / 3][i % 3])
            test_fail("%s: producer %s of sequence %u ends at %llu instead of %llu", model->where, name,
                      i / 3, (unsigned long long)last, (unsigned long long)highest[i / 3][i % 3]);
    }
}

void journal_model_check(struct journal_model *model, uint64_t operations)
{
    struct store *store = model->bench->store;
    for (uint32_t id = 0; id < model->count; id++) {
        model->appends[id].parts_seen = 0;
        model->appends[id].is_expired = false;
    }
    for (uint32_t i = 0; i < JOURNAL_MODEL_TOPICS; i++) {
        char name[16];
        struct store_topic topic;
        journal_shape_topic_name(name, i);
        if (store->ops->topic_open(store, span_from_text(name), 0, false, &topic) == ERR_UNKNOWN_TOPIC)
            continue;
        expect_equal_u64(topic.partitions, journal_shape_partitions[i]);
        note_expired(model, i, &topic, operations);
        for (uint32_t j = 0; j < topic.partitions; j++)
            compare_partition(model, &topic, &(struct place){i, j, operations});
    }
    model->missing = model->missing_numbers = 0;
    for (uint32_t id = 0; id < model->count; id++)
        compare_append(model, id, operations);
    if (model->has_damage)
        return;
    compare_producers(model);
    journal_claims_check(model);
}

void journal_model_settle(struct journal_model *model)
{
    uint64_t now = fs_memory_operations(model->bench->fs);
    for (uint32_t id = 0; id < model->count; id++) {
        struct journal_model_append *append = &model->appends[id];
        if (append->parts_seen != 0 && append->stored_at == JOURNAL_MODEL_NEVER)
            append->stored_at = now;
        if (append->parts_seen == 0 && append->gone_at == JOURNAL_MODEL_NEVER)
            append->gone_at = now;
    }
}

bool journal_model_next_lost(const struct journal_model *model, uint32_t *position, uint32_t *ret_shape)
{
    while (*position < model->count) {
        const struct journal_model_append *append = &model->appends[(*position)++];
        if (append->stored_at != JOURNAL_MODEL_NEVER)
            continue;
        *ret_shape = append->shape;
        return true;
    }
    return false;
}
