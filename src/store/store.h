/* The interface of a store: append, read, topics, and the way from a sequence number to "stored". */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "base/mailbox.h"
#include "base/why.h"
#include "store/append.h"
#include "store/outcomes.h"
#include "store/topic.h"

enum { STORE_PRODUCER_MAX = 200 };

struct store;

enum store_state {
    STORE_OPEN,
    STORE_FULL,   /* appends wait; by itself OPEN again when space returns */
    STORE_BROKEN, /* final: appends end with BROKEN, reads go on */
};

/* Readers see offsets in [start, end): synced and not yet retired. */
struct store_extent {
    uint64_t start;
    uint64_t end;
    uint64_t bytes; /* about: what the partition takes on disk */
};

/* A question for the stored numbers in [from, to], and its answer. */
struct store_runs {
    uint64_t from;
    uint64_t to;
    struct store_run *runs; /* the caller's, for `size` of them */
    uint32_t size;
    uint32_t ret_count;   /* ascending and not touching */
    uint64_t ret_covered; /* the last number that the answer speaks of */
};

/* One bounded read into the caller's buffer. */
struct store_read {
    struct mail mail;         /* posted to reply_to when store_read answered PENDING */
    struct mailbox *reply_to; /* NULL: wait for the disk */
    uint32_t topic;
    uint32_t partition;
    uint64_t offset;
    uint64_t hint; /* the store's; 0 at first, then kept from read to read */
    uint8_t *buffer;
    size_t size; /* at least the store's `append` limit guarantees progress; smaller may end with TOO_LARGE */
    /* Written by the store: */
    enum err ret_err;
    size_t
        ret_len; /* whole batches, back to back, the first holding `offset`; TOO_LARGE: what that one takes */
    uint64_t ret_next_offset; /* where to go on; equals `offset` at the end of the log */
};

/* Told once, on its own thread through its mailbox, that the synced end or the state moved; then to be set again. */
struct store_watch {
    struct mail mail;
    struct mailbox *reply_to;
    struct list link; /* the store's */
    bool is_set;      /* the store's */
};

/*
 * Any thread may call any of these; none blocks on the disk (but for store_read without reply_to).
 * append: takes the append until it is posted back. BUSY and not taken when too many bytes are in flight:
 *   try again when a completion or a watch comes. One append is always admitted. FULL and not taken when the log is full, or a
 *   topic of its parts (ret_full_part): try again when a watch comes; in the latter case others may be taken meanwhile.
 * release: ends a turn in which held appends were made. `alone`: nothing else was ready to be read in this turn; a single small
 *   append is then committed at once on the caller's thread, if the disk has been quick; otherwise the writer is woken.
 * topic_open: finds a topic, or creates it with `partitions` (0: the configured number). BAD_NAME, TOO_MANY,
 *   UNKNOWN_TOPIC when absent and `create` is false.
 * topic_next: walks topics in order of id, starting with *position = 0; false at the end. A topic's position is its id.
 * extent: UNKNOWN_TOPIC for a topic or partition that is not there.
 * read: NONE with the answer, PENDING (a mail will come), or an error: EXPIRED (go on at extent.start), DAMAGED
 *   (ret_next_offset is behind the damage), UNKNOWN_TOPIC, IO.
 * offset_at: an offset at or shortly before the first batch that was appended at or after `wall_ns`; extent.end when none.
 * watch: sets it; setting it again does nothing. To miss nothing: set it, then look. unwatch: false when its mail is under way
 *   already and will still be delivered.
 * sequence_open: the index of a sequence by name; created when absent, at most 64.
 * sequence_named: the same without making one: NOT_FOUND.
 * sequence_take: `count` fresh numbers, the first is returned; never given before, also over restarts.
 * sequence_last: the highest number stored (synced), 0 when none.
 * sequence_has: whether `number` is stored.
 * sequence_runs: fills in the answer.
 * sequence_find: the batches that may hold records of this number, by their first offsets: some may not, but none that
 *   does is missing. TOO_MANY for more than `size`. May be NULL in a store that cannot tell.
 * producer_last: the highest number stored from this producer in this sequence, 0 when none.
 * identities_admit: remembers each as pending until the append that carries it is synced, or says that it is known. All of one
 *   append in one call: then appends wait only for those admitted before them, and never for one another.
 * identity_state: the same question, without remembering it.
 * identity_forget: their append will never be stored: they may come again.
 */
struct store_ops {
    enum err (*append)(struct store *store, struct store_append *append);
    void (*release)(struct store *store, bool alone);
    enum store_state (*state)(struct store *store, struct why *ret_why);
    enum err (*topic_open)(struct store *store,
                           struct span name,
                           uint32_t partitions,
                           bool create,
                           struct store_topic *ret_topic);
    bool (*topic_next)(struct store *store, uint32_t *position, struct store_topic *ret_topic);
    enum err (*extent)(struct store *store,
                       uint32_t topic,
                       uint32_t partition,
                       struct store_extent *ret_extent);
    enum err (*read)(struct store *store, struct store_read *read);
    enum err (*offset_at)(
        struct store *store, uint32_t topic, uint32_t partition, int64_t wall_ns, uint64_t *ret_offset);
    void (*watch)(struct store *store, struct store_watch *watch);
    bool (*unwatch)(struct store *store, struct store_watch *watch);
    enum err (*sequence_open)(struct store *store, struct span name, uint32_t *ret_sequence);
    enum err (*sequence_named)(struct store *store, struct span name, uint32_t *ret_sequence);
    uint64_t (*sequence_take)(struct store *store, uint32_t sequence, uint64_t count);
    uint64_t (*sequence_last)(struct store *store, uint32_t sequence);
    enum err (*sequence_has)(struct store *store, uint32_t sequence, uint64_t number, bool *ret_has);
    enum err (*sequence_runs)(struct store *store, uint32_t sequence, struct store_runs *runs);
    enum err (*sequence_find)(struct store *store,
                              uint32_t sequence,
                              uint64_t number,
                              struct store_position *positions,
                              uint32_t size,
                              uint32_t *ret_count);
    uint64_t (*producer_last)(struct store *store, uint32_t sequence, struct span producer);
    void (*identities_admit)(struct store *store,
                             const uint8_t (*identities)[16],
                             uint32_t count,
                             enum store_identity *ret_states);
    enum store_identity (*identity_state)(struct store *store, const uint8_t identity[16]);
    void (*identity_forget)(struct store *store, const uint8_t (*identities)[16], uint32_t count);
};

/* Implementations embed it. */
struct store {
    const struct store_ops *ops;
    const struct outcomes_ops *outcomes;
    uint32_t record_size_max; /* limits.record */
    uint32_t append_size_max; /* limits.append: of store_append_size() */
};

#endif
