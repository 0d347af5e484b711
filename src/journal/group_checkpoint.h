/* Groups, their progress, and notes in a checkpoint. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_GROUP_CHECKPOINT_H
#define JOURNAL_GROUP_CHECKPOINT_H

#include "journal/catalog.h"
#include "journal/checkpoint_entry.h"

/* All groups with their progress, then all notes. False: no memory. */
bool group_checkpoint_write(struct buffer *buffer, const struct catalog *catalog) MUST_CHECK;

/* One entry of these kinds; topics and groups that it speaks of come before it. DAMAGED, MEMORY. */
enum err group_checkpoint_read_reader(struct span body, struct catalog *catalog) MUST_CHECK;
enum err group_checkpoint_read_progress(struct span body, struct catalog *catalog) MUST_CHECK;
enum err group_checkpoint_read_note(struct span body, struct catalog *catalog) MUST_CHECK;

#endif
