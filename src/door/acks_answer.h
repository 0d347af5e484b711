/* Answers to one request of the acks port. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_ACKS_ANSWER_H
#define DOOR_ACKS_ANSWER_H

#include "base/buffer.h"
#include "store/store.h"
#include "wire/line_command.h"

enum {
    ACKS_ANSWER_MAX = 64 * 1024,                   /* of a list of missing numbers; ` more` comes behind it */
    ACKS_ANSWER_SIZE_MAX = ACKS_ANSWER_MAX + 1024, /* of any answer */
};

/* Appends the answer with its LF; the buffer has ACKS_ANSWER_SIZE_MAX bytes left. */
void acks_answer(struct buffer *answers,
                 struct store *store,
                 uint32_t sequence,
                 const struct line_command *command);
/* To one number, whose state the caller found out. */
void acks_answer_one(struct buffer *answers, uint64_t number, bool is_stored);
/* "ERR <code> <text>" */
void acks_answer_error(struct buffer *answers, enum line_error error);

#endif
