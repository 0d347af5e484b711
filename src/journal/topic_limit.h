/* Topics at their size: full while named groups still need as much of them as they may keep. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_TOPIC_LIMIT_H
#define JOURNAL_TOPIC_LIMIT_H

#include "journal/journal_state.h"

/*
 * A topic whose records nobody named needs is held to its size by retention alone, and one that says drop_oldest gives up what is
 * needed. Any other is full when what its named groups have not completed takes as much as its retention.size: then its appends
 * wait, and those of other topics go on. The view lock is held in all of these.
 */

/* What the settings say of the topic, found once for each set of them; limit.has_group holds too from then on. */
const struct journal_topic_settings *topic_limit_settings(const struct journal *journal, struct topic *topic);
uint64_t topic_limit_bytes(const struct topic *topic);

/* Something was stored in the topic. */
void topic_limit_note(struct journal *journal, uint32_t topic);
/* Looks again at those that are full: progress, retention or settings may have changed. */
void topic_limit_update(struct journal *journal);
/* The first part whose topic is full; UINT32_MAX when there is none. */
uint32_t topic_limit_find_full(const struct journal *journal, const struct store_append *append);

#endif
