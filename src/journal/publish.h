/* The end of an append: visible and posted back; or failed, and with it everything. The token is held. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_PUBLISH_H
#define JOURNAL_PUBLISH_H

#include "journal/journal_state.h"

/* Readers see the group that has been written. MEMORY: the index lost an entry, so nothing more can be promised. */
enum err publish_group(struct journal *journal, int64_t wall_ns) MUST_CHECK;
/* Posts these appends back, those of one mailbox in one go. */
void publish_complete(struct journal *journal, struct list *appends, enum err err);
/* Ends all that waits. */
void publish_failure(struct journal *journal, enum err err);
/* The journal ends here: after a failed write or sync nothing more can be promised. */
void publish_broken(struct journal *journal, enum err err, const char *doing);

#endif
