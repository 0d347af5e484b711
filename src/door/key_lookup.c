/* Finds the records with a number and a key. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/key_lookup.h"

#include <stdlib.h>

#include "wire/line_number.h"
#include "wire/record_batch.h"

/*
 * ask -> the store names batches that may hold the number -> each is read, one at a time and one a turn
 *     -> its records are compared -> enough is found, or the batches are used up -> on_done
 *
 * A batch that retention has taken meanwhile is passed over. Storage is held only while a question is open.
 */
enum { READ_SIZE = 64 * 1024 };

struct key_lookup {
    struct store *store;
    struct loop *loop;
    void (*on_done)(void *owner, enum err err, const struct key_lookup_found *found);
    void *owner;
    struct loop_task step;
    struct store_read read;
    uint8_t *buffer;
    size_t buffer_size;
    struct store_position positions[KEY_LOOKUP_BATCHES_MAX];
    uint32_t position_count;
    uint32_t current;
    uint64_t number;
    uint8_t key[KEY_LOOKUP_KEY_MAX];
    size_t key_len;
    bool wants_all;
    struct key_lookup_found found;
    enum err err; /* of the question itself */
    bool is_reading;
    bool is_closed;
};

static void give_storage_back(struct key_lookup *self)
{
    free(self->buffer);
    self->buffer = NULL;
    self->buffer_size = 0;
}

static void done(struct key_lookup *self, enum err err)
{
    give_storage_back(self);
    self->on_done(self->owner, err, &self->found);
}

/* --- One batch ---------------------------------------------------------------------------------- */

static bool has_number(const struct record *record, uint64_t wanted)
{
    for (uint32_t i = 0; i < record->header_count; i++) {
        uint64_t number;
        if (span_equal_text(record->headers[i].name, "seq"))
            return line_number_parse(record->headers[i].value, &number) && number == wanted;
    }
    return false;
}

static bool is_enough(const struct key_lookup *self)
{
    return self->found.count > 0 && !self->wants_all;
}

static enum err add_found(struct key_lookup *self, uint64_t offset)
{
    struct key_lookup_found *found = &self->found;
    if (found->count == KEY_LOOKUP_FOUND_MAX)
        return ERR_TOO_MANY;
    found->positions[found->count] = self->positions[self->current];
    found->positions[found->count++].offset = offset;
    return ERR_NONE;
}

static enum err look_into_batch(struct key_lookup *self)
{
    struct record_batch batch;
    struct record_cursor cursor;
    struct record record;
    size_t bad_at = 0;
    if (record_batch_decode(span_of(self->buffer, self->read.ret_len), &batch, &bad_at) != DECODE_DONE)
        return ERR_DAMAGED;
    enum err err = record_cursor_init(&cursor, &batch);
    struct span key = span_of(self->key, self->key_len);
    enum decode decoded = DECODE_DONE;
    while (err == ERR_NONE && !is_enough(self) &&
           (decoded = record_cursor_next(&cursor, &record)) == DECODE_DONE)
        if (span_equal(record.key, key) && has_number(&record, self->number))
            err = add_found(self, record.offset);
    return err == ERR_NONE && decoded == DECODE_BAD ? ERR_DAMAGED : err;
}

/* --- Batch after batch -------------------------------------------------------------------------- */

static enum err make_room(struct key_lookup *self, size_t size)
{
    free(self->buffer);
    self->buffer = malloc(size);
    self->buffer_size = self->buffer == NULL ? 0 : size;
    return self->buffer == NULL ? ERR_MEMORY : ERR_NONE;
}

static void take_read(struct key_lookup *self)
{
    enum err err = self->read.ret_err;
    if (err == ERR_TOO_LARGE && self->read.ret_len > self->buffer_size) {
        err = make_room(self, self->read.ret_len);
    } else {
        if (err == ERR_NONE && self->read.ret_len > 0)
            err = look_into_batch(self);
        else if (err == ERR_EXPIRED)
            err = ERR_NONE;
        self->current++;
    }
    if (err != ERR_NONE || is_enough(self))
        done(self, err);
    else
        loop_at_end_of_turn(self->loop, &self->step);
}

static void on_read(struct mail *mail)
{
    struct key_lookup *self = LIST_OWNER(mail, struct key_lookup, read.mail);
    self->is_reading = false;
    if (self->is_closed)
        (void)key_lookup_close(self);
    else
        take_read(self);
}

static void start_read(struct key_lookup *self)
{
    const struct store_position *position = &self->positions[self->current];
    self->read = (struct store_read){
        .mail = {.on_delivered = on_read},
        .reply_to = &self->loop->mailbox,
        .topic = position->topic,
        .partition = position->partition,
        .offset = position->offset,
        .buffer = self->buffer,
        .size = self->buffer_size,
    };
    self->is_reading = true;
    enum err err = self->store->ops->read(self->store, &self->read);
    if (err == ERR_PENDING)
        return;
    self->is_reading = false;
    self->read.ret_err = err;
    take_read(self);
}

static void on_step(struct loop_task *step)
{
    struct key_lookup *self = LIST_OWNER(step, struct key_lookup, step);
    enum err err = self->err;
    if (err == ERR_NONE && self->current < self->position_count && self->buffer == NULL)
        err = make_room(self, READ_SIZE);
    if (err != ERR_NONE || self->current == self->position_count)
        done(self, err);
    else
        start_read(self);
}

/* --- Asking and life ---------------------------------------------------------------------------- */

void key_lookup_ask(struct key_lookup *lookup, const struct key_lookup_question *question)
{
    const struct store_ops *ops = lookup->store->ops;
    struct span key = question->key;
    check(!lookup->is_reading && list_is_empty(&lookup->step.link));
    check(key.len <= sizeof(lookup->key));
    lookup->number = question->number;
    lookup->wants_all = question->wants_all;
    lookup->key_len = key.len;
    memcpy(lookup->key, key.data, key.len);
    lookup->current = 0;
    lookup->position_count = 0;
    lookup->found.count = 0;
    lookup->err = ERR_NOT_SUPPORTED;
    if (ops->sequence_find != NULL)
        lookup->err = ops->sequence_find(lookup->store, question->sequence, question->number,
                                         lookup->positions, KEY_LOOKUP_BATCHES_MAX, &lookup->position_count);
    loop_at_end_of_turn(lookup->loop, &lookup->step);
}

enum err key_lookup_new(struct store *store,
                        struct loop *loop,
                        void (*on_done)(void *owner, enum err err, const struct key_lookup_found *found),
                        void *owner,
                        struct key_lookup **ret_lookup)
{
    struct key_lookup *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return ERR_MEMORY;
    self->store = store;
    self->loop = loop;
    self->on_done = on_done;
    self->owner = owner;
    loop_task_init(&self->step, on_step);
    *ret_lookup = self;
    return ERR_NONE;
}

struct key_lookup *key_lookup_close(struct key_lookup *lookup)
{
    if (lookup == NULL)
        return NULL;
    lookup->is_closed = true;
    loop_task_cancel(&lookup->step);
    if (!lookup->is_reading) {
        give_storage_back(lookup);
        free(lookup);
    }
    return NULL;
}
