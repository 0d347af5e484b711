/* A read begins with the batch that holds the record; a cursor goes forward through what it brought. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record_loader.h"

#include <stdlib.h>

enum { READ_SIZE = 512 * 1024 };

static void forget(struct record_loader *loader)
{
    loader->from = 0;
    loader->to = 0;
    loader->has_batch = false;
}

static void take_read(struct record_loader *loader)
{
    const struct store_read *read = &loader->read;
    struct record_batch batch;
    size_t bad_at;
    loader->at = 0;
    loader->has_failed = read->ret_err != ERR_NONE || read->ret_len == 0;
    forget(loader);
    if (loader->has_failed)
        return;
    if (record_batch_decode(span_of(loader->buffer, read->ret_len), &batch, &bad_at) != DECODE_DONE) {
        loader->read.ret_err = ERR_DAMAGED;
        loader->has_failed = true;
        return;
    }
    loader->from = batch.base_offset;
    loader->to = read->ret_next_offset;
}

static void on_read(struct mail *mail)
{
    struct record_loader *loader = LIST_OWNER(mail, struct record_loader, read.mail);
    loader->is_reading = false;
    take_read(loader);
    loader->on_loaded(loader->owner);
}

void record_loader_init(struct record_loader *loader,
                        struct store *store,
                        struct mailbox *mailbox,
                        void (*on_loaded)(void *owner),
                        void *owner)
{
    *loader = (struct record_loader){.store = store, .on_loaded = on_loaded, .owner = owner};
    loader->read.mail.on_delivered = on_read;
    loader->read.reply_to = mailbox;
}

void record_loader_rest(struct record_loader *loader)
{
    check(!loader->is_reading);
    free(loader->buffer);
    loader->buffer = NULL;
    loader->buffer_size = 0;
    forget(loader);
}

void record_loader_done(struct record_loader *loader)
{
    record_loader_rest(loader);
}

/* --- Reading -------------------------------------------------------------------------------------- */

static bool is_what_was_read(const struct record_loader *loader, const struct store_position *position)
{
    return loader->read.topic == position->topic && loader->read.partition == position->partition;
}

static bool covers(const struct record_loader *loader, const struct store_position *position)
{
    return is_what_was_read(loader, position) && position->offset >= loader->from &&
           position->offset < loader->to;
}

static enum err make_room(struct record_loader *loader, size_t size)
{
    if (loader->buffer != NULL && size <= loader->buffer_size)
        return ERR_NONE;
    free(loader->buffer);
    loader->buffer = malloc(size);
    loader->buffer_size = loader->buffer == NULL ? 0 : size;
    return loader->buffer == NULL ? ERR_MEMORY : ERR_NONE;
}

/* NONE when the answer is there, whatever it is. */
static enum err start_read(struct record_loader *loader, const struct store_position *position, size_t size)
{
    forget(loader);
    enum err err = make_room(loader, size);
    if (err != ERR_NONE)
        return err;
    struct store_read *read = &loader->read;
    *read = (struct store_read){
        .mail = {.on_delivered = on_read},
        .reply_to = read->reply_to,
        .topic = position->topic,
        .partition = position->partition,
        .offset = position->offset,
        .hint = is_what_was_read(loader, position) ? read->hint : 0,
        .buffer = loader->buffer,
        .size = loader->buffer_size,
    };
    loader->is_reading = true;
    err = loader->store->ops->read(loader->store, read);
    if (err == ERR_PENDING)
        return err;
    loader->is_reading = false;
    read->ret_err = err;
    take_read(loader);
    return ERR_NONE;
}

/* --- Finding -------------------------------------------------------------------------------------- */

static void rewind_to_start(struct record_loader *loader)
{
    loader->at = 0;
    loader->has_batch = false;
    loader->next = loader->from;
}

static enum err begin_batch(struct record_loader *loader)
{
    struct span rest = span_after(span_of(loader->buffer, loader->read.ret_len), loader->at);
    struct record_batch batch;
    size_t bad_at;
    if (rest.len == 0)
        return ERR_EXPIRED;
    if (record_batch_decode(rest, &batch, &bad_at) != DECODE_DONE)
        return ERR_DAMAGED;
    loader->at += batch.bytes.len;
    loader->has_batch = true;
    return record_cursor_init(&loader->cursor, &batch);
}

static enum err find(struct record_loader *loader, uint64_t offset, struct record *ret_record)
{
    if (!loader->has_batch || offset < loader->next)
        rewind_to_start(loader);
    for (;;) {
        enum err err = loader->has_batch ? ERR_NONE : begin_batch(loader);
        if (err != ERR_NONE)
            return err;
        enum decode decoded = record_cursor_next(&loader->cursor, ret_record);
        if (decoded == DECODE_BAD)
            return ERR_DAMAGED;
        loader->has_batch = decoded == DECODE_DONE;
        if (!loader->has_batch)
            continue;
        loader->next = ret_record->offset + 1;
        if (ret_record->offset >= offset)
            return ret_record->offset == offset ? ERR_NONE : ERR_EXPIRED;
    }
}

enum err record_loader_load(struct record_loader *loader,
                            const struct store_position *position,
                            struct record *ret_record)
{
    check(!loader->is_reading);
    for (size_t size = READ_SIZE;;) {
        if (covers(loader, position))
            return find(loader, position->offset, ret_record);
        bool has_failed = loader->has_failed && is_what_was_read(loader, position) &&
                          loader->read.offset == position->offset;
        loader->has_failed = false;
        if (has_failed && loader->read.ret_err != ERR_TOO_LARGE)
            return loader->read.ret_err == ERR_NONE ? ERR_EXPIRED : loader->read.ret_err;
        if (has_failed)
            size = loader->read.ret_len > size ? loader->read.ret_len : 2 * size;
        enum err err = start_read(loader, position, size);
        if (err != ERR_NONE)
            return err;
    }
}
