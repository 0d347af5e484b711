/* One partition, or a range of one, as the members of a topic read it; and where each of them stands. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GROUP_GROUP_STREAM_H
#define GROUP_GROUP_STREAM_H

#include "base/list.h"
#include "group/key_holds.h"

struct group_member;
struct group_partition;
struct group_source;
struct group_unit;

struct group_stream {
    struct group_unit *unit;
    struct group_partition *partition;
    struct group_source *source; /* NULL: the topic's own */
    uint64_t from;
    uint64_t to;                /* exclusive; UINT64_MAX: all that will come */
    struct list cursors;        /* by their stream_link */
    struct list unit_link;      /* in unit->streams */
    struct list partition_link; /* in partition->streams */
    uint32_t runs;              /* and claims that name it */
    bool is_removed;            /* freed when none does any more */
    struct key_holds holds;
};

/*
 * A member's place in a stream. All records of the member's lanes below `next` are taken, but those whose key waits: then a
 * record of that key waits at a lower place, and when it may go all cursors go back there.
 */
struct group_cursor {
    struct list stream_link;
    struct list member_link;
    struct group_stream *stream;
    struct group_member *member;
    uint64_t next;
    uint64_t hint;  /* the store's */
    bool went_back; /* what was read may hold earlier records: to be looked at anew */
};

static inline void group_cursor_go_back(struct group_cursor *cursor, uint64_t offset)
{
    if (offset >= cursor->next)
        return;
    cursor->next = offset;
    cursor->went_back = true;
}

static inline void group_stream_go_back(struct group_stream *stream, uint64_t offset)
{
    if (offset < stream->from)
        offset = stream->from;
    LIST_EACH (&stream->cursors, link)
        group_cursor_go_back(LIST_OWNER(link, struct group_cursor, stream_link), offset);
}

#endif
