/* The words of answers on line ports. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_ANSWER_TEXT_H
#define DOOR_ANSWER_TEXT_H

#include "base/buffer.h"
#include "wire/line_error.h"

/* All of them need room in the buffer that the caller has seen to. */
void answer_put_text(struct buffer *answers, const char *text);
void answer_put_span(struct buffer *answers, struct span span);
void answer_put_number(struct buffer *answers, uint64_t number);
/* "<from>-<to>", or one number when they are equal. */
void answer_put_run(struct buffer *answers, uint64_t from, uint64_t to);
/* "ERR <code> <text>" with its LF */
void answer_put_error(struct buffer *answers, enum line_error error);

/* "MISSING 1-4,8,...": it grows piece by piece, also over several buffers, up to a maximum. */
struct answer_list {
    const char *word; /* "MISSING " */
    size_t len;       /* of what was put so far */
    uint32_t count;
    bool is_full; /* no more is put; ` more` shall end it */
};
enum { ANSWER_RUN_SIZE_MAX = 48 };
void answer_list_add(struct answer_list *list, struct buffer *answers, uint64_t from, uint64_t to);

#endif
