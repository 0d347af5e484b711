/* Groups, their progress, and notes: a store's outcomes, answered from the state in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_GROUP_OPS_H
#define JOURNAL_GROUP_OPS_H

#include "journal/journal_state.h"

extern const struct outcomes_ops group_ops;

/* Groups that nobody configured and that have been silent for long go; one at a time. The helper's step. */
bool group_ops_expire(struct journal *journal);

#endif
