/* Is this number stored? The store's sequence_has and sequence_runs. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_LOOKUP_H
#define JOURNAL_LOOKUP_H

#include "journal/journal_state.h"

enum err lookup_has(struct store *store, uint32_t sequence, uint64_t number, bool *ret_has) MUST_CHECK;
enum err lookup_runs(struct store *store, uint32_t sequence, struct store_runs *question) MUST_CHECK;

#endif
