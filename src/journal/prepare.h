/* Segments that wait to be begun: on the helper thread, or before threads start. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_PREPARE_H
#define JOURNAL_PREPARE_H

#include "journal/journal_state.h"

bool prepare_step(struct journal *journal);
enum err prepare_one(struct journal *journal) MUST_CHECK;
/* The next one, the caller's from now on; NULL when there is none. Before threads start. */
struct prepared *prepare_take(struct journal *journal);

#endif
