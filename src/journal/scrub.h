/* Reads what is at rest, slowly and again and again, so that damage is found before somebody needs the data. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_SCRUB_H
#define JOURNAL_SCRUB_H

#include "journal/journal_state.h"

/* One second's worth of sealed data, at most once a second; on the helper thread. Damage is told as an event. */
void scrub_step(struct journal *journal);

#endif
