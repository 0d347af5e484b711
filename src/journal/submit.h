/* How appends come to the writer: queued, and sometimes committed at once by the loop that brought them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_SUBMIT_H
#define JOURNAL_SUBMIT_H

#include "journal/journal_state.h"

/* The store's append and release. */
enum err submit_append(struct store *store, struct store_append *append) MUST_CHECK;
void submit_release(struct store *store, bool alone);

#endif
