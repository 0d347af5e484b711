/* Bounded reads of a partition, checked frame by frame. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_READER_H
#define JOURNAL_READER_H

#include "journal/journal_state.h"

/* The store's read. */
enum err reader_read(struct store *store, struct store_read *read) MUST_CHECK;
/* The same, waiting for the disk; on the reader thread. */
void reader_finish(struct journal *journal, struct store_read *take_read);
/* The store's offset_at. */
enum err reader_offset_at(struct store *store,
                          uint32_t topic,
                          uint32_t partition,
                          int64_t wall_ns,
                          uint64_t *ret_offset) MUST_CHECK;
/* Opens what is missing of a referenced segment, file and index; waits for the disk, no lock is held. */
enum err reader_open_segment(struct journal *journal, struct segment *segment) MUST_CHECK;

#endif
