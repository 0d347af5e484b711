/* The journal's three threads: who writes, who does the chores, who waits for cold data. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <time.h>

#include "journal/commit.h"
#include "journal/expiry.h"
#include "journal/group_ops.h"
#include "journal/journal.h"
#include "journal/prepare.h"
#include "journal/publish.h"
#include "journal/reader.h"
#include "journal/retention.h"
#include "journal/scrub.h"
#include "journal/seal.h"

#define CHORE_EVERY_NS CLOCK_NS_PER_S

bool journal_step(struct journal *journal)
{
    journal_lock(&journal->token);
    bool did = commit_step(journal);
    journal_unlock(&journal->token);
    return did;
}

bool journal_chore_step(struct journal *journal)
{
    if (seal_step(journal) || retention_step(journal) || prepare_step(journal) || expiry_step(journal) ||
        group_ops_expire(journal) || seal_renew_step(journal))
        return true;
    scrub_step(journal);
    return false;
}

bool journal_read_step(struct journal *journal)
{
    journal_lock(&journal->queue);
    struct list *link = list_take_first(&journal->reads);
    journal_unlock(&journal->queue);
    if (link == NULL)
        return false;
    reader_finish(journal, LIST_OWNER(link, struct store_read, mail.link));
    return true;
}

/* With the queue lock held; returns when woken, or after the time. */
static void wait_for(struct journal *journal, pthread_cond_t *condition, int64_t for_ns)
{
    struct timespec until;
    check(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    until.tv_sec += for_ns / CLOCK_NS_PER_S;
    until.tv_nsec += for_ns % CLOCK_NS_PER_S;
    if (until.tv_nsec >= CLOCK_NS_PER_S) {
        until.tv_sec++;
        until.tv_nsec -= CLOCK_NS_PER_S;
    }
    int waited = pthread_cond_timedwait(condition, &journal->queue, &until);
    check(waited == 0 || waited == ETIMEDOUT);
}

static bool has_work(const struct journal *journal)
{
    bool is_waiting = !list_is_empty(&journal->express) || !list_is_empty(&journal->bulk);
    bool is_urgent = !list_is_empty(&journal->urgent) || !list_is_empty(&journal->internal);
    return (is_waiting && !journal->is_blocked) || (is_urgent && !journal->is_stuck);
}

static void *run_writer(void *argument)
{
    struct journal *journal = argument;
    (void)pthread_setname_np(pthread_self(), "writer");
    bool did = true;
    journal_lock(&journal->queue);
    while (!journal->stopping || (did && has_work(journal))) {
        if (!has_work(journal) && atomic_load(&journal->covered))
            check(pthread_cond_wait(&journal->writer_wakes, &journal->queue) == 0);
        else if (!has_work(journal))
            wait_for(journal, &journal->writer_wakes, JOURNAL_IDLE_COVER_NS);
        journal_unlock(&journal->queue);
        did = journal_step(journal);
        journal_lock(&journal->queue);
    }
    journal_unlock(&journal->queue);
    return NULL;
}

static void *run_helper(void *argument)
{
    struct journal *journal = argument;
    (void)pthread_setname_np(pthread_self(), "helper");
    journal_lock(&journal->queue);
    while (!journal->stopping) {
        if (!journal->chore_is_due)
            wait_for(journal, &journal->helper_wakes,
                     journal->lacks_space ? CHORE_EVERY_NS / 4 : CHORE_EVERY_NS);
        journal->chore_is_due = false;
        journal_unlock(&journal->queue);
        while (journal_chore_step(journal) && !journal_is_stopping(journal))
            ;
        journal_lock(&journal->queue);
    }
    journal_unlock(&journal->queue);
    return NULL;
}

static void *run_reader(void *argument)
{
    struct journal *journal = argument;
    (void)pthread_setname_np(pthread_self(), "reader");
    journal_lock(&journal->queue);
    while (!journal->stopping || !list_is_empty(&journal->reads)) {
        if (list_is_empty(&journal->reads))
            check(pthread_cond_wait(&journal->reader_wakes, &journal->queue) == 0);
        journal_unlock(&journal->queue);
        (void)journal_read_step(journal);
        journal_lock(&journal->queue);
    }
    journal_unlock(&journal->queue);
    return NULL;
}

enum err journal_start(struct journal *journal)
{
    check(!journal->is_threaded);
    journal->is_threaded = true;
    journal->chore_is_due = true;
    if (pthread_create(&journal->writer_thread, NULL, run_writer, journal) != 0) {
        journal->is_threaded = false;
        return ERR_SYSTEM;
    }
    check(pthread_create(&journal->helper_thread, NULL, run_helper, journal) == 0);
    check(pthread_create(&journal->reader_thread, NULL, run_reader, journal) == 0);
    return ERR_NONE;
}

static void finish_writing(struct journal *journal)
{
    journal_lock(&journal->token);
    while (!journal->writer.broken && commit_step(journal))
        ;
    if (!journal->writer.broken && !atomic_load(&journal->covered)) {
        enum err err = commit_cover(journal);
        if (err != ERR_NONE)
            publish_broken(journal, err, "write or sync of the last group");
    }
    publish_failure(journal, ERR_DRAINING);
    journal_unlock(&journal->token);
    journal_post_watches(journal); /* who waits for room learns that none will come */
}

void journal_stop(struct journal *journal)
{
    journal_lock(&journal->queue);
    journal->stopping = true;
    check(pthread_cond_broadcast(&journal->writer_wakes) == 0);
    check(pthread_cond_broadcast(&journal->helper_wakes) == 0);
    check(pthread_cond_broadcast(&journal->reader_wakes) == 0);
    journal_unlock(&journal->queue);
    if (journal->is_threaded) {
        check(pthread_join(journal->writer_thread, NULL) == 0);
        check(pthread_join(journal->helper_thread, NULL) == 0);
        check(pthread_join(journal->reader_thread, NULL) == 0);
    }
    journal->is_threaded = false;
    finish_writing(journal);
}
