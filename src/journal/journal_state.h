/* The running journal's inside, for the files of this room alone. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_JOURNAL_STATE_H
#define JOURNAL_JOURNAL_STATE_H

#include <pthread.h>

#include "base/buffer.h"
#include "journal/catalog.h"
#include "journal/identity_window.h"
#include "journal/journal_settings.h"
#include "journal/scrub_state.h"
#include "journal/segment.h"
#include "journal/writer.h"
#include "store/store.h"

enum {
    JOURNAL_INFLIGHT_MAX = 4 * 1024 * 1024,       /* bytes of appends: beyond it BUSY */
    JOURNAL_INFLIGHT_SMALL_MAX = 8 * 1024 * 1024, /* small appends go on being admitted up to here */
    JOURNAL_SMALL_APPEND = 16 * 1024,
    JOURNAL_GROUP_MAX = 1024 * 1024,       /* a group takes no more, but for one append that is larger */
    JOURNAL_GROUP_SHARED_MAX = 128 * 1024, /* nor this, beside senders that wait for each answer */
    JOURNAL_PREPARED_MIN = 2,              /* segments that wait, pre-written, behind the active one */
    JOURNAL_PREPARED_KEPT = 1,             /* of them, for urgent appends and the journal's own frames */
    JOURNAL_RESERVE_MAX = 64 * 1024, /* of each segment, kept for SEAL, covering groups and incarnations */
    JOURNAL_INDEX_MAX = 8 * 1024 * 1024,
};

#define JOURNAL_IDLE_COVER_NS  (20 * CLOCK_NS_PER_MS)
#define JOURNAL_SHARED_NS      (50 * CLOCK_NS_PER_MS)
#define JOURNAL_INLINE_SYNC_NS (1 * CLOCK_NS_PER_MS)

/* A pre-written segment that has not begun. */
struct prepared {
    struct list link;
    uint64_t number;
    struct fs_file *file;
};

/*
 * Locks, in the order in which they may be taken: token, view, queue.
 *   token  who holds it writes: everything in `writer`, partition.next, the group under way
 *   view   what readers see: catalog, table, index of the active segment
 *   queue  what waits for the writer: appends, internal frames, prepared segments, state, flags
 */
struct journal {
    struct store store;
    struct journal_seams seams;
    struct journal_settings settings;
    struct journal_recovery recovery;
    uint8_t journal_id[16];

    pthread_mutex_t indexes; /* who makes an index file again holds it; taken before view */
    pthread_mutex_t token;
    struct writer writer;
    struct list group; /* appends in the group under way */
    struct list group_frames;
    _Atomic bool covered; /* the last group needs no covering group */
    _Atomic int64_t idle_since_ns;

    pthread_mutex_t view;
    struct catalog catalog;
    struct segment_table table;
    struct identity_window identities;
    struct identity_window pending_identities; /* those whose append is not synced yet */
    struct block_cache blocks;                 /* of the index files that are open */
    struct buffer batches; /* scratch memory: struct place_batch of the append that is being published */
    struct list watches;
    uint32_t retires_under_way; /* RETIRE frames that are not synced yet: nothing is judged until they are */
    uint64_t expiry_next;       /* where the helper's pass goes on (expiry.c); 0: at the oldest segment */
    struct list discarded;      /* segments out of the table whose files wait for recycling or removal */

    pthread_mutex_t queue;
    pthread_cond_t writer_wakes;
    pthread_cond_t helper_wakes;
    pthread_cond_t reader_wakes;
    struct list urgent;  /* appends that make room: they may have what is kept for them */
    struct list express; /* small appends with nothing before them on their connection */
    struct list bulk;
    struct list internal; /* internal frames */
    struct list prepared;
    struct list reads;            /* reads that wait for the disk */
    int64_t express_ns;           /* when the last small append came */
    _Atomic uint32_t full_topics; /* how many are; changed with the view lock */
    uint32_t settings_version;    /* from 1; with the view lock */
    uint64_t inflight_bytes;      /* without the urgent ones */
    uint64_t urgent_bytes;
    uint32_t inflight_count; /* with the urgent ones */
    uint32_t urgent_count;
    uint64_t tickets;      /* appends so far: the number of each is its `place` until it is written */
    uint32_t held_count;   /* appends whose writer has not been woken yet */
    uint64_t prepare_next; /* number of the next segment to prepare */
    enum store_state state;
    struct why state_why;
    bool is_blocked;  /* what waits does not fit into the segment, and no other is prepared for it */
    bool is_stuck;    /* nor for what is urgent, nor for the journal's own frames */
    bool lacks_space; /* the last try to prepare one found the disk full */
    bool resumes;     /* space came back: a new incarnation comes first */
    bool stopping;
    bool is_threaded;
    bool chore_is_due;
    int64_t chore_retry_ns; /* after a failure: not before */
    int64_t wall_offset_ns; /* wall minus monotonic, to notice a jump */
    int64_t age_suspended_until_ns;
    struct scrub scrub;
    uint64_t index_read_ahead; /* the segment whose index was asked for last; with the view lock */
    uint64_t index_only_bytes; /* of index files whose segments are gone */
    pthread_t writer_thread;
    pthread_t helper_thread;
    pthread_t reader_thread;
};

static inline struct journal *journal_of(struct store *store)
{
    return LIST_OWNER(store, struct journal, store);
}

static inline void journal_lock(pthread_mutex_t *mutex)
{
    check(pthread_mutex_lock(mutex) == 0);
}

static inline void journal_unlock(pthread_mutex_t *mutex)
{
    check(pthread_mutex_unlock(mutex) == 0);
}

/* A chore failed: it is tried again later. */
void journal_put_off(struct journal *journal, enum err err, const char *doing);
/* What of each segment is kept for SEAL, covering groups and incarnations. */
static inline uint64_t journal_reserve(const struct journal *journal)
{
    uint64_t share = journal->settings.segment_size / 16;
    return share < JOURNAL_RESERVE_MAX ? share : JOURNAL_RESERVE_MAX;
}

/* What a catalog may hold so that a checkpoint of it fits; producers with the longest ids. */
struct catalog_limits journal_catalog_limits(const struct journal *journal);
void journal_wake_helper(struct journal *journal);
bool journal_is_stopping(struct journal *journal);
void journal_post_watches(struct journal *journal);
void journal_tell(struct journal *journal, enum journal_event event, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
