/* Reads a stream for one member: one bounded read at a time, then record by record. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GROUP_GROUP_READER_H
#define GROUP_GROUP_READER_H

#include "group/group_core.h"
#include "group/group_stream.h"

struct group_reader {
    struct group_core *core;
    struct list link; /* in core->readers while it has a buffer */
    struct store_read read;
    struct group_cursor *cursor; /* what was read, or is being read; NULL: nothing */
    uint8_t *buffer;
    size_t size;
    size_t at; /* in what was read: the next batch */
    bool has_batch;
    bool has_record; /* decoded, and held back */
    bool is_reading; /* the store owes an answer */
    bool is_closed;  /* nobody waits for it */
    struct record record;
    struct record_cursor records;
    void (*on_read)(void *owner);
    void *owner;
};

/* MEMORY. on_read: a read that was PENDING is over, see group_reader_result. */
enum err group_reader_new(struct group_core *core,
                          void (*on_read)(void *owner),
                          void *owner,
                          struct group_reader **ret_reader) MUST_CHECK;
/* Takes NULL; returns NULL. Frees itself when the store owes it nothing. */
struct group_reader *group_reader_close(struct group_reader *reader);

/*
 * Reads where the cursor stands. NONE: records are there; PENDING; BUSY: no buffer now, or MEMORY; else as group_reader_result.
 */
enum err group_reader_start(struct group_reader *reader, struct group_cursor *cursor) MUST_CHECK;
/* The error of the last read: EXPIRED, DAMAGED, IO, UNKNOWN_TOPIC; AGAIN: it was too small, and the next one is larger. */
enum err group_reader_result(struct group_reader *reader) MUST_CHECK;

/* The next record at or after `from`; held back ones again. MORE: no other one was read. BAD: the batch that begins at
 * *ret_bad, or holds it, cannot be read: [*ret_bad, *ret_bad_to). */
enum decode group_reader_next(struct group_reader *reader,
                              uint64_t from,
                              const struct record **ret_record,
                              uint64_t *ret_bad,
                              uint64_t *ret_bad_to) MUST_CHECK;
/* The record of the latest group_reader_next is not used: it comes again. */
static inline void group_reader_hold_back(struct group_reader *reader)
{
    reader->has_record = true;
}

/* The cursor went back: what was read is looked through again if it begins early enough, else given up. */
void group_reader_restart(struct group_reader *reader);
/* Nothing of it is needed any more. */
void group_reader_drop(struct group_reader *reader);

/* Takes unused buffers away until there is room for one more; whether there is. */
bool group_readers_make_room(struct group_core *core);

#endif
