/* Answers to one request of the acks port. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_ACKS_ANSWER_H
#define DOOR_ACKS_ANSWER_H

#include "base/buffer.h"
#include "store/store.h"
#include "wire/line_command.h"

/* Appends the answer with its LF; the buffer has QUESTION_STEP_SIZE_MAX bytes left. */
void acks_answer(struct buffer *answers,
                 struct store *store,
                 uint32_t sequence,
                 const struct line_command *command);
/* To one number, whose state the caller found out. */
void acks_answer_one(struct buffer *answers, uint64_t number, bool is_stored);

#endif
