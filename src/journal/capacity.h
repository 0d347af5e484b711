/* What fits: into the checkpoint that each segment begins with, and under the ceiling of the log. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_CAPACITY_H
#define JOURNAL_CAPACITY_H

#include "journal/journal_state.h"

/* The view lock is held, or nobody else knows the journal yet. */

/* Whether one more topic has its share of a checkpoint. */
bool capacity_has_topic(const struct journal *journal, uint32_t partitions);
/*
 * Whether the table has its share and `more` entries besides. Those whose records are gone can be forgotten, so they
 * count only where it is asked whether to.
 */
bool capacity_has_entries(const struct journal *journal, bool counts_all, uint32_t more);
/*
 * Whether `more` segments are allowed beside those that are kept. A file that waits for its next life is no reason to
 * retire another, but takes space: it counts where it is asked for that.
 */
bool capacity_has_segments(const struct journal *journal, bool counts_discarded, uint32_t more);

/* Of a journal whose segments were larger: CONFIG with what to do, when those of today cannot take what it knows. */
enum err capacity_examine(const struct journal *journal, struct why *why) MUST_CHECK;

#endif
