/* The groups that the log knows, and how far each of them is. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_GROUP_BOOK_H
#define JOURNAL_GROUP_BOOK_H

#include "journal/group_progress.h"
#include "store/outcomes.h"

enum { GROUP_BOOK_GROUP_COST = 24 + STORE_GROUP_NAME_MAX };

struct journal_group {
    struct store_group public;          /* is_named is not kept here */
    bool is_going;                      /* the frame that forgets it is on its way */
    struct group_progress **progresses; /* by slot */
    uint32_t count;
    uint32_t size;
};

/*
 * Guarded by the journal's view lock. What it takes of a checkpoint is bounded by whoever asks group_book_has_room before
 * something new is taken in; what the log holds already always has room.
 */
struct group_book {
    struct journal_group **groups; /* by id, ascending; room for all there may be once there is one */
    uint32_t count;
    uint32_t next_id; /* ids are never given twice: indexes of old segments speak of them */
    size_t bytes;     /* of a checkpoint */
    size_t bytes_max;
    size_t pending; /* by how much outcomes on their way may still raise it, beyond what is reserved */
};

void group_book_init(struct group_book *book, size_t bytes_max);
void group_book_done(struct group_book *book);

static inline bool group_book_has_room(const struct group_book *book, size_t bytes)
{
    return book->bytes + book->pending + bytes <= book->bytes_max;
}

/* NULL when there is none, or it is going. */
struct journal_group *group_book_by_name(const struct group_book *book, struct span name);
/* NULL when there is none; one that is going is there until it is gone. */
struct journal_group *group_book_by_id(const struct group_book *book, uint32_t id);
/* From the log `id` is the next one or a later one (BAD_INPUT otherwise). BAD_NAME, TOO_MANY, MEMORY. */
enum err group_book_add(struct group_book *book,
                        uint32_t id,
                        struct span name,
                        int64_t active_ns,
                        struct journal_group **ret_group) MUST_CHECK;
/* Nothing happens when there is none. */
void group_book_remove(struct group_book *book, uint32_t id);

/* A partition, and where a group begins in it that has not been told. */
struct group_place {
    uint32_t topic;
    uint32_t partition;
    uint32_t slot;
    uint64_t start;
};

/* NULL when the group has no progress there. */
struct group_progress *group_book_progress(const struct journal_group *group, uint32_t slot);
/* The first one with a slot at or above `slot`; NULL at the end. */
struct group_progress *group_book_progress_from(const struct journal_group *group, uint32_t slot);
/* Made when it is not there. TOO_MANY: there is no room, and `is_limited`; MEMORY. */
enum err group_book_make_progress(struct group_book *book,
                                  struct journal_group *group,
                                  const struct group_place *place,
                                  bool is_limited,
                                  struct group_progress **ret_progress) MUST_CHECK;

/*
 * Those of group_progress, and the book keeps count. Reserve is TOO_MANY also when bitmaps find no room in the book; settle
 * always has room.
 * begin: a group that has not been told where to begin begins at the partition's first offset.
 */
enum err group_book_reserve(struct group_book *book,
                            struct group_progress *progress,
                            struct progress_range range) MUST_CHECK;
void group_book_begin(struct group_book *book, struct group_progress *progress, uint64_t start);
enum err group_book_settle(struct group_book *book,
                           struct group_progress *progress,
                           struct progress_range range) MUST_CHECK;
void group_book_seek(struct group_book *book, struct group_progress *progress, uint64_t offset);

#endif
