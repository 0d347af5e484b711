/* The records of a number: the store's sequence_find. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_FINDER_H
#define JOURNAL_FINDER_H

#include "journal/journal_state.h"

enum err finder_find(struct store *store,
                     uint32_t sequence,
                     uint64_t number,
                     struct store_position *positions,
                     uint32_t size,
                     uint32_t *ret_count) MUST_CHECK;

#endif
