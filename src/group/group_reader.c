/* Reads a stream for one member. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "group/group_reader.h"

#include <stdlib.h>

#include "group/group_partition.h"

/* Most batches are what one read of a door became; larger ones are made room for. */
enum { READ_SIZE = 512 * 1024 };

/* --- Buffers ---------------------------------------------------------------------------------------- */

static void free_buffer(struct group_reader *reader)
{
    list_remove(&reader->link);
    reader->core->read_bytes -= reader->size;
    free(reader->buffer);
    reader->buffer = NULL;
    reader->size = 0;
}

void group_reader_drop(struct group_reader *reader)
{
    reader->cursor = NULL;
    reader->has_batch = false;
    reader->has_record = false;
    if (!reader->is_reading && reader->buffer != NULL)
        free_buffer(reader);
}

static enum err take_buffer(struct group_reader *reader, size_t size)
{
    struct group_core *core = reader->core;
    if (reader->buffer != NULL && reader->size >= size) {
        list_remove(&reader->link);
        list_insert_last(&core->readers, &reader->link);
        return ERR_NONE;
    }
    if (reader->buffer != NULL)
        free_buffer(reader);
    if (core->read_bytes > 0 && core->read_bytes + size > core->settings.read_bytes_max)
        return ERR_BUSY;
    reader->buffer = malloc(size);
    if (reader->buffer == NULL)
        return ERR_MEMORY;
    reader->size = size;
    core->read_bytes += size;
    list_insert_last(&core->readers, &reader->link);
    return ERR_NONE;
}

static bool has_room(const struct group_core *core)
{
    return core->read_bytes == 0 || core->read_bytes + READ_SIZE <= core->settings.read_bytes_max;
}

bool group_readers_make_room(struct group_core *core)
{
    LIST_EACH_SAFE (&core->readers, link) {
        struct group_reader *reader = LIST_OWNER(link, struct group_reader, link);
        if (has_room(core))
            return true;
        if (!reader->is_reading)
            group_reader_drop(reader);
    }
    return has_room(core);
}

/* --- Life --------------------------------------------------------------------------------------------- */

enum err group_reader_new(struct group_core *core,
                          void (*on_read)(void *owner),
                          void *owner,
                          struct group_reader **ret_reader)
{
    struct group_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return ERR_MEMORY;
    reader->core = core;
    reader->on_read = on_read;
    reader->owner = owner;
    list_init(&reader->link);
    *ret_reader = reader;
    return ERR_NONE;
}

struct group_reader *group_reader_close(struct group_reader *reader)
{
    if (reader == NULL)
        return NULL;
    group_reader_drop(reader);
    reader->is_closed = true;
    if (!reader->is_reading)
        free(reader);
    return NULL;
}

/* --- Reading ------------------------------------------------------------------------------------------ */

static void on_delivered(struct mail *mail)
{
    struct store_read *read = LIST_OWNER(mail, struct store_read, mail);
    struct group_reader *reader = LIST_OWNER(read, struct group_reader, read);
    reader->is_reading = false;
    reader->core->reads--;
    if (reader->is_closed) {
        group_reader_drop(reader);
        free(reader);
    } else {
        reader->on_read(reader->owner);
    }
}

enum err group_reader_start(struct group_reader *reader, struct group_cursor *cursor)
{
    struct store *store = reader->core->store;
    const struct group_stream *stream = cursor->stream;
    check(!reader->is_reading);
    size_t needed = reader->read.ret_err == ERR_TOO_LARGE ? reader->read.ret_len : 0;
    enum err err = take_buffer(reader, needed > READ_SIZE ? needed : READ_SIZE);
    if (err != ERR_NONE)
        return err;
    reader->cursor = cursor;
    reader->has_batch = false;
    reader->has_record = false;
    reader->at = 0;
    cursor->went_back = false;
    reader->read = (struct store_read){
        .mail = {.on_delivered = on_delivered},
        .reply_to = reader->core->mailbox,
        .topic = stream->partition->key.topic,
        .partition = stream->partition->key.partition,
        .offset = cursor->next,
        .hint = cursor->hint,
        .buffer = reader->buffer,
        .size = reader->size,
    };
    reader->is_reading = true;
    err = store->ops->read(store, &reader->read);
    if (err == ERR_PENDING) {
        reader->core->reads++;
        return err;
    }
    reader->is_reading = false;
    reader->read.ret_err = err;
    return group_reader_result(reader);
}

enum err group_reader_result(struct group_reader *reader)
{
    enum err err = reader->read.ret_err;
    if (reader->cursor != NULL)
        reader->cursor->hint = reader->read.hint;
    if (err == ERR_NONE)
        return ERR_NONE;
    bool may_grow = err == ERR_TOO_LARGE && reader->read.ret_len > reader->size;
    if (!may_grow)
        reader->read.ret_err = ERR_NONE; /* looked at */
    reader->read.ret_len = may_grow ? reader->read.ret_len : 0;
    reader->cursor = NULL;
    return may_grow ? ERR_AGAIN : err;
}

void group_reader_restart(struct group_reader *reader)
{
    reader->has_batch = false;
    reader->has_record = false;
    reader->at = 0;
    reader->cursor->went_back = false;
    if (reader->cursor->next < reader->read.offset)
        reader->cursor = NULL;
}

/* --- Records ------------------------------------------------------------------------------------------ */

static uint64_t batch_end(const struct record_batch *batch)
{
    return batch->base_offset + batch->last_offset_delta + 1;
}

/* DONE: a batch with records at or after `from`; MORE: there is none. */
static enum decode
next_batch(struct group_reader *reader, uint64_t from, uint64_t *ret_bad, uint64_t *ret_bad_to)
{
    while (reader->at < reader->read.ret_len) {
        struct span rest = span_after(span_of(reader->buffer, reader->read.ret_len), reader->at);
        struct record_batch batch;
        size_t bad_at;
        *ret_bad = from;
        *ret_bad_to = reader->read.ret_next_offset;
        if (record_batch_decode(rest, &batch, &bad_at) != DECODE_DONE)
            return DECODE_BAD;
        reader->at += batch.bytes.len;
        if (batch_end(&batch) <= from)
            continue;
        *ret_bad_to = batch_end(&batch);
        if (record_cursor_init(&reader->records, &batch) != ERR_NONE)
            return DECODE_BAD;
        reader->has_batch = true;
        return DECODE_DONE;
    }
    return DECODE_MORE;
}

enum decode group_reader_next(struct group_reader *reader,
                              uint64_t from,
                              const struct record **ret_record,
                              uint64_t *ret_bad,
                              uint64_t *ret_bad_to)
{
    *ret_record = &reader->record;
    if (reader->has_record) {
        reader->has_record = false;
        if (reader->record.offset >= from)
            return DECODE_DONE;
    }
    while (true) {
        enum decode decoded = reader->has_batch ? DECODE_DONE : next_batch(reader, from, ret_bad, ret_bad_to);
        if (decoded != DECODE_DONE)
            return decoded;
        decoded = record_cursor_next(&reader->records, &reader->record);
        if (decoded == DECODE_DONE && reader->record.offset >= from)
            return DECODE_DONE;
        reader->has_batch = decoded == DECODE_DONE;
        if (decoded != DECODE_BAD)
            continue;
        *ret_bad = from;
        *ret_bad_to = batch_end(&reader->records.batch);
        return DECODE_BAD;
    }
}
