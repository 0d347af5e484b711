/* Makes one append of records for any partitions, outcomes, seeks and notes that are handed to it one by one. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_APPEND_BUILDER_H
#define STORE_APPEND_BUILDER_H

#include "store/store.h"
#include "wire/record_batch.h"

enum {
    APPEND_BUILDER_PARTS_MAX = 1024, /* partitions with records in one append */
    APPEND_BUILDER_SEEKS_MAX = 1024,
    APPEND_BUILDER_EXTRA_MAX =
        64 * 1024, /* bytes of a record beyond limits.record: what a dead letter says of it */
};

struct builder_slot;

/*
 * Everything is copied as it is added, so spans may be short-lived. What must be true together is added together: take a mark,
 * add, and when something does not fit (TOO_LARGE, TOO_MANY) undo to the mark, finish what was there, and add all of it to
 * the next one. A set that does not fit into an empty builder fits into no append.
 */
struct append_builder {
    struct store *store;
    struct builder_slot *slots; /* in the order of the parts; those behind slot_count keep their storage */
    uint32_t slot_count;
    uint32_t slots_size;
    uint32_t slots_made;
    uint32_t slot_last;    /* where the latest record went */
    struct buffer records; /* which slot each went to, for undo */
    struct buffer settled; /* with the places of their texts */
    struct buffer seeks;
    struct buffer notes; /* likewise */
    struct buffer texts;
    size_t bytes_len; /* what the parts take with headroom and padding */
};

struct append_builder_mark {
    size_t records;
    size_t settled;
    size_t seeks;
    size_t notes;
    size_t texts;
};

/* Where a record will stand in the append: what store_settled.dead_part and dead_record want. */
struct append_builder_place {
    uint32_t part;
    uint32_t record;
};

/* One allocation with all that the append speaks of. Sequences, producer and identities are empty. */
struct built_append {
    struct store_append append; /* the caller sets mail.on_delivered, reply_to, urgent, held */
    void *owner;                /* the caller's */
    size_t size;                /* of the allocation */
};

void append_builder_init(struct append_builder *builder, struct store *store);
void append_builder_done(struct append_builder *builder);

bool append_builder_is_empty(const struct append_builder *builder);
/* About how much memory the append will take. */
size_t append_builder_size(const struct append_builder *builder);
struct append_builder_mark append_builder_mark(const struct append_builder *builder);
/* Takes back all that was added since. */
void append_builder_undo(struct append_builder *builder, const struct append_builder_mark *mark);

/* Nothing is added on an error: TOO_LARGE (bytes of the append, or of a record), TOO_MANY (of its kind), MEMORY. */
enum err append_builder_add_record(struct append_builder *builder,
                                   uint32_t topic,
                                   uint32_t partition,
                                   const struct record *record,
                                   struct append_builder_place *ret_place) MUST_CHECK;
enum err append_builder_add_settled(struct append_builder *builder,
                                    const struct store_settled *settled) MUST_CHECK;
enum err append_builder_add_seek(struct append_builder *builder, const struct store_seek *seek) MUST_CHECK;
enum err append_builder_add_note(struct append_builder *builder, const struct store_note *note) MUST_CHECK;

/* The append of all that was added; the builder is empty then. Each record's time is `timestamp_ms`. MEMORY: nothing changes. */
enum err append_builder_finish(struct append_builder *builder,
                               int64_t timestamp_ms,
                               struct built_append **ret_append) MUST_CHECK;

/* Returns NULL. Not before its completion. */
struct built_append *built_append_free(struct built_append *append);

#endif
