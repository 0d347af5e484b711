/* Fetches single records by their positions: what one read brought serves the next ones, too. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_RECORD_LOADER_H
#define STORE_RECORD_LOADER_H

#include "store/store.h"
#include "wire/record_batch.h"

struct record_loader {
    struct store *store;
    struct store_read read;
    void (*on_loaded)(void *owner);
    void *owner;
    bool is_reading;
    bool has_failed; /* what the latest read was for; its error was not told yet */
    uint8_t *buffer;
    size_t buffer_size;
    uint64_t from; /* the offsets that the buffer holds */
    uint64_t to;
    size_t at; /* in the buffer: the batch behind the cursor's */
    bool has_batch;
    struct record_cursor cursor;
    uint64_t next; /* offset that the cursor comes to */
};

/* on_loaded: ask again; never from inside a call. The mailbox is that of the thread. */
void record_loader_init(struct record_loader *loader,
                        struct store *store,
                        struct mailbox *mailbox,
                        void (*on_loaded)(void *owner),
                        void *owner);
/* Nothing is being read. */
void record_loader_done(struct record_loader *loader);

/*
 * NONE with the record, valid until the next call. PENDING: on_loaded will come, until then nothing else may be asked for.
 * EXPIRED, also for an offset without a record; DAMAGED, IO, UNKNOWN_TOPIC, MEMORY. Records of ascending offsets cost least.
 */
enum err record_loader_load(struct record_loader *loader,
                            const struct store_position *position,
                            struct record *ret_record) MUST_CHECK;
/* Gives the buffer back, while nothing is being read. */
void record_loader_rest(struct record_loader *loader);

#endif
