/* From the files of a directory to a journal that is ready for appends. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_RECOVERY_H
#define JOURNAL_RECOVERY_H

#include "journal/journal_state.h"

enum err recovery_run(struct journal *journal, struct why *why) MUST_CHECK;

#endif
