/* Appends on their way to the writer. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/submit.h"

#include "base/metric.h"
#include "journal/commit.h"

/*
 * An append goes into one of two queues: small ones with nothing before them on their connection overtake the bulk, so
 * that a flood does not hold them up. The writer is woken; or, when the door promised to say when its turn ends, the
 * loop commits the append itself if it was the only one (docs/decisions/0002-inline-commit.md).
 */

static bool is_admitted(const struct journal *journal, const struct store_append *append)
{
    if (journal->inflight_count == 0 || append->part_count == 0)
        return true;
    uint64_t max = append->len <= JOURNAL_SMALL_APPEND ? JOURNAL_INFLIGHT_SMALL_MAX : JOURNAL_INFLIGHT_MAX;
    return journal->inflight_bytes + append->len <= max;
}

static enum err refuse(const struct journal *journal, const struct store_append *append)
{
    if (store_append_size(append) > journal->settings.append_size_max)
        return ERR_TOO_LARGE;
    if (journal->state == STORE_BROKEN)
        return ERR_BROKEN;
    if (journal->stopping) /* also when it is full: no space will come any more */
        return ERR_DRAINING;
    if (journal->state == STORE_FULL)
        return ERR_FULL;
    return is_admitted(journal, append) ? ERR_NONE : ERR_BUSY;
}

enum err submit_append(struct store *store, struct store_append *append)
{
    struct journal *journal = journal_of(store);
    check(append->reply_to != NULL && append->len % FRAME_ALIGNMENT == 0);
    check(append->run_count <= STORE_RUNS_MAX && append->identity_count <= STORE_IDENTITIES_MAX);
    journal_lock(&journal->queue);
    enum err err = refuse(journal, append);
    if (err == ERR_NONE) {
        bool is_express = append->alone && append->len <= JOURNAL_SMALL_APPEND;
        append->place = ++journal->tickets;
        if (is_express)
            journal->express_ns = clock_now_ns(journal->seams.clock);
        list_insert_last(is_express ? &journal->express : &journal->bulk, &append->mail.link);
        journal->inflight_bytes += append->len;
        journal->inflight_count++;
        journal->held_count += append->held ? 1 : 0;
        metric_set(METRIC_INFLIGHT_BYTES, (int64_t)journal->inflight_bytes);
        /* The first append of a turn may be committed inline; a second one means that a group is worth more. */
        if (!append->held || journal->held_count > 1) {
            journal->held_count = 0;
            check(pthread_cond_signal(&journal->writer_wakes) == 0);
        }
    }
    journal_unlock(&journal->queue);
    return err;
}

static bool is_inline_worthy(const struct journal *journal)
{
    return journal->inflight_count == 1 && journal->inflight_bytes <= JOURNAL_SMALL_APPEND &&
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
