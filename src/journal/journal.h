/* The embedded log: a store whose answers are true after a power cut. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include <stdbool.h>

#include "journal/journal_settings.h"
#include "store/store.h"

struct journal;

/*
 * Recovers what is there, makes a new incarnation durable, and is ready for appends. The fs is the journal's directory,
 * locked by the caller. NEWER_FORMAT, NO_SPACE, IO ... with the reason in why.
 */
enum err journal_open(const struct journal_seams *seams,
                      const struct journal_settings *settings,
                      struct why *why,
                      struct journal **ret_journal) MUST_CHECK;
/*
 * Takes over what may change while it runs: size_max, topics_max, auto_create, receipts_*, scrub_*, and of topics and their
 * defaults when_full and retention, and the named groups; a topic's partitions count when it is created. Topics and groups of before may go when it
 * returns. Any thread.
 */
void journal_reload(struct journal *journal, const struct journal_settings *settings);
const struct journal_recovery *journal_recovery(const struct journal *journal);
struct store *journal_store(struct journal *journal);

/* Starts writer, reader and helper thread. Without it, tests call the steps below from one thread. */
enum err journal_start(struct journal *journal) MUST_CHECK;
/* Commits what is in flight, covers it, ends the threads: appends from now on end with DRAINING. */
void journal_stop(struct journal *journal);
/* Stopped, or never started. Returns NULL. */
struct journal *journal_free(struct journal *journal);

/* Each does one piece of its thread's work and says whether there was any. */
bool journal_step(struct journal *journal);       /* commits a group; or covers, when the log has been idle */
bool journal_chore_step(struct journal *journal); /* seals, prepares, recycles, retires */
bool journal_read_step(struct journal *journal);  /* one read that had to wait for the disk */

#endif
