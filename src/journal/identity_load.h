/* The identities of late, out of the indexes of the segments that hold them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_IDENTITY_LOAD_H
#define JOURNAL_IDENTITY_LOAD_H

#include "journal/journal_state.h"

/*
 * Those of the segments in the table, oldest first, as far back as the window reaches. For lack of memory some are left out: they
 * may be stored twice. on_bad: an index cannot be had. Nobody else knows the journal yet.
 */
void identity_load(struct journal *journal,
                   void (*on_bad)(void *owner, uint64_t segment, enum err err),
                   void *owner);

#endif
