/* One group after the other: picked, built, written, synced, published. The token is held in all of these. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_COMMIT_H
#define JOURNAL_COMMIT_H

#include "journal/journal_state.h"

/* One group, or a covering one; whether there was anything to do. */
bool commit_step(struct journal *journal);
/* Writes one empty group. */
enum err commit_cover(struct journal *journal) MUST_CHECK;

#endif
