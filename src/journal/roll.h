/* From segment to segment: the full one is sealed, the next one begins with a checkpoint. The token is held. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_ROLL_H
#define JOURNAL_ROLL_H

#include "journal/journal_state.h"

enum err roll_seal(struct journal *journal) MUST_CHECK;
/* The second half of it: what is written has an end, and the segment is no longer the active one. */
enum err roll_close(struct journal *journal) MUST_CHECK;
/* The prepared segment becomes the active one, with a checkpoint in it. */
enum err roll_begin(struct journal *journal, struct prepared *take_prepared) MUST_CHECK;
/* A group with a checkpoint, synced. */
enum err roll_write_checkpoint(struct journal *journal) MUST_CHECK;

#endif
