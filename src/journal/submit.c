/* Appends on their way to the writer. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/submit.h"

#include "base/metric.h"
#include "journal/commit.h"
#include "journal/outcome_block.h"
#include "journal/topic_limit.h"

/*
 * An append goes into one of two queues: small ones with nothing before them on their connection overtake the bulk, so
 * that a flood does not hold them up. The writer is woken; or, when the door promised to say when its turn ends, the
 * loop commits the append itself if it was the only one (docs/decisions/0002-inline-commit.md).
 */

/* Urgent ones do not wait behind those that cannot be written before there is room. */
static bool is_admitted(const struct journal *journal, const struct store_append *append, size_t len)
{
    uint32_t count = append->urgent ? journal->urgent_count : journal->inflight_count - journal->urgent_count;
    uint64_t bytes = append->urgent ? journal->urgent_bytes : journal->inflight_bytes;
    if (count == 0 || len == 0)
        return true;
    uint64_t max = len <= JOURNAL_SMALL_APPEND ? JOURNAL_INFLIGHT_SMALL_MAX : JOURNAL_INFLIGHT_MAX;
    return bytes + len <= max;
}

static enum err refuse(const struct journal *journal, const struct store_append *append, size_t len)
{
    if (store_append_size(append) > journal->settings.append_size_max ||
        len > journal->settings.segment_size / 4)
        return ERR_TOO_LARGE;
    if (journal->state == STORE_BROKEN)
        return ERR_BROKEN;
    if (journal->stopping) /* also when it is full: no space will come any more */
        return ERR_DRAINING;
    if (journal->state == STORE_FULL && (!append->urgent || journal->is_stuck))
        return ERR_FULL;
    return is_admitted(journal, append, len) ? ERR_NONE : ERR_BUSY;
}

/* The queue lock is held. */
static void enqueue(struct journal *journal, struct store_append *append, size_t len)
{
    bool is_express = append->alone && len <= JOURNAL_SMALL_APPEND && !append->urgent;
    struct list *queue = append->urgent ? &journal->urgent : is_express ? &journal->express : &journal->bulk;
    append->place = ++journal->tickets;
    if (is_express)
        journal->express_ns = clock_now_ns(journal->seams.clock);
    list_insert_last(queue, &append->mail.link);
    *(append->urgent ? &journal->urgent_bytes : &journal->inflight_bytes) += len;
    journal->urgent_count += append->urgent ? 1 : 0;
    journal->inflight_count++;
    journal->held_count += append->held ? 1 : 0;
    metric_set(METRIC_INFLIGHT_BYTES, (int64_t)(journal->inflight_bytes + journal->urgent_bytes));
    /* Small appends of one turn make one group: the writer is woken when the turn ends, or when they are many. */
    if (!append->held || journal->inflight_bytes > JOURNAL_SMALL_APPEND) {
        journal->held_count = 0;
        check(pthread_cond_signal(&journal->writer_wakes) == 0);
    }
}

/* Before anything is made for an append that cannot be taken. */
static enum err refuse_early(struct journal *journal, const struct store_append *append)
{
    journal_lock(&journal->queue);
    enum err err = refuse(journal, append, store_append_size(append));
    journal_unlock(&journal->queue);
    return err;
}

static bool meets_full_topic(struct journal *journal, struct store_append *append)
{
    append->ret_full_part = UINT32_MAX;
    if (append->urgent || atomic_load(&journal->full_topics) == 0)
        return false;
    journal_lock(&journal->view);
    append->ret_full_part = topic_limit_find_full(journal, append);
    journal_unlock(&journal->view);
    return append->ret_full_part != UINT32_MAX;
}

enum err submit_append(struct store *store, struct store_append *append)
{
    struct journal *journal = journal_of(store);
    check(append->reply_to != NULL && append->len % FRAME_ALIGNMENT == 0);
    check(append->run_count <= STORE_RUNS_MAX && append->identity_count <= STORE_IDENTITIES_MAX);
    check(append->place_count <= STORE_PLACES_MAX);
    check(append->settled_count <= STORE_SETTLED_MAX && append->seek_count <= STORE_SETTLED_MAX &&
          append->note_count <= STORE_NOTES_MAX);
    struct outcome_block *block = NULL;
    bool is_full = meets_full_topic(journal, append);
    enum err err = is_full || outcome_block_is_needed(append) ? refuse_early(journal, append) : ERR_NONE;
    if (is_full && (err == ERR_NONE || err == ERR_BUSY))
        return ERR_FULL;
    if (err == ERR_NONE)
        err = outcome_block_new(journal, append, &block);
    if (err != ERR_NONE)
        return err;
    size_t len = store_append_size(append) + (block == NULL ? 0 : block->len);
    append->own = block;
    journal_lock(&journal->queue);
    err = refuse(journal, append, len);
    if (err == ERR_NONE)
        enqueue(journal, append, len);
    journal_unlock(&journal->queue);
    if (err != ERR_NONE)
        append->own = outcome_block_drop(journal, append, block);
    return err;
}

static bool is_inline_worthy(const struct journal *journal)
{
    return journal->inflight_count == 1 &&
           journal->inflight_bytes + journal->urgent_bytes <= JOURNAL_SMALL_APPEND &&
           journal->state == STORE_OPEN && !journal->stopping && !journal->is_blocked && journal->is_threaded;
}

static void wake_writer(struct journal *journal)
{
    journal_lock(&journal->queue);
    check(pthread_cond_signal(&journal->writer_wakes) == 0);
    journal_unlock(&journal->queue);
}

void submit_release(struct store *store, bool alone)
{
    struct journal *journal = journal_of(store);
    journal_lock(&journal->queue);
    bool is_held = journal->held_count > 0;
    bool is_worthy = is_held && alone && is_inline_worthy(journal);
    journal->held_count = 0;
    journal_unlock(&journal->queue);
    if (!is_held)
        return;
    if (!is_worthy || pthread_mutex_trylock(&journal->token) != 0) {
        wake_writer(journal);
        return;
    }
    bool is_quick = journal->writer.sync_ns < JOURNAL_INLINE_SYNC_NS;
    bool was_covered = atomic_load(&journal->covered);
    if (is_quick && commit_step(journal))
        metric_add(METRIC_COMMITS_INLINE, 1);
    journal_unlock(&journal->token);
    if (!is_quick || was_covered)
        wake_writer(journal); /* to commit; or to cover this group when the log stays idle */
}
