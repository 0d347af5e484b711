/* Index files: written when a segment is sealed, made again when one is missing or bad. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_SEAL_H
#define JOURNAL_SEAL_H

#include "journal/journal_state.h"

bool seal_step(struct journal *journal);
/* Remembers where every partition stands as the segment ends; nobody changes either meanwhile. */
enum err seal_note_slots(const struct catalog *catalog, struct segment *segment) MUST_CHECK;
/* Opens the index file of a sealed segment, or makes it again. The caller holds a reference, no lock; it may take long. */
enum err seal_open_index(struct journal *journal, struct segment *segment) MUST_CHECK;

/* Makes one index file again that an older program wrote; the helper's step. */
bool seal_renew_step(struct journal *journal);

#endif
