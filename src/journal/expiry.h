/* Records that expire although their segment's file stays, for the sake of other topics in it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_EXPIRY_H
#define JOURNAL_EXPIRY_H

#include "journal/journal_state.h"

/* A chore: judges one segment at most; false at the end of a pass over all, and while nothing can be said. */
bool expiry_step(struct journal *journal);

#endif
