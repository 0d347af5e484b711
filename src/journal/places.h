/* Where is the record with this number, and what became of a record? Answered from the segments' indexes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_PLACES_H
#define JOURNAL_PLACES_H

#include "journal/journal_state.h"

/* As the store's outcomes op. */
enum err places_find(struct store *store,
                     struct store_number number,
                     struct store_place *places,
                     uint32_t size,
                     uint32_t *ret_count,
                     bool *ret_unplaced) MUST_CHECK;

/*
 * The latest that is told of the offset: NOT_FOUND when nothing is known any more. The view lock is held, and given up while index
 * files are opened.
 */
enum err places_fate(struct journal *journal,
                     const struct outcome_key *key,
                     uint64_t offset,
                     struct store_fate *ret_fate) MUST_CHECK;

#endif
