/* Is this number stored? The store's sequence_has and sequence_runs. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_LOOKUP_H
#define JOURNAL_LOOKUP_H

#include "journal/journal_state.h"

enum err lookup_has(struct store *store, uint32_t sequence, uint64_t number, bool *ret_has) MUST_CHECK;
enum err lookup_runs(struct store *store, uint32_t sequence, struct store_runs *question) MUST_CHECK;

/* For the other questions that are answered segment by segment; the view lock is held. */

/* NULL when the segment, which is sealed, holds nothing of the sequence. */
const struct segment_summary *lookup_summary(const struct segment *segment, uint32_t sequence);
/* AGAIN: the index file must be opened. */
enum err
lookup_has_in_segment(struct segment *segment, uint32_t sequence, uint64_t number, bool *ret_has) MUST_CHECK;
/* Opens the index of a segment with the view lock given up meanwhile; the table may have changed behind it. */
enum err lookup_open_index(struct journal *journal, struct segment *segment) MUST_CHECK;

#endif
