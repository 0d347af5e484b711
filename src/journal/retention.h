/* Which segments go: by age, by size, by the ceiling of the log, never what a named reader still needs. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_RETENTION_H
#define JOURNAL_RETENTION_H

#include "journal/journal_state.h"

enum retention_room { RETENTION_ROOM, RETENTION_WAIT, RETENTION_NONE };

bool retention_step(struct journal *journal);
/* Whether log.size_max allows another segment; NONE: *ret_holder says what holds the oldest. */
enum retention_room retention_room(struct journal *journal, uint32_t prepared, struct why *ret_holder);
/* Whether the files of the log are no more than it may have, with the `prepared` ones and the retired that wait. */
bool retention_is_within(struct journal *journal, uint32_t prepared);

#endif
