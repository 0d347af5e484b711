/* Answers of the status port about one number or place. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_STATUS_ANSWER_H
#define DOOR_STATUS_ANSWER_H

#include "base/buffer.h"
#include "receipt/receipt.h"

enum { STATUS_RECEIPT_SIZE_MAX = 62 * 1024 }; /* of one line; groups beyond it are only counted */

void status_answer(struct buffer *answers, bool is_processed);

/* How a line of several about the same number tells that others follow, or would. */
struct status_receipt_rest {
    uint32_t more;   /* lines that follow */
    bool is_omitted; /* there are records without a line */
};

/* One line; `word` is the number or place as it was asked for. The buffer has room for STATUS_RECEIPT_SIZE_MAX bytes. */
void status_answer_receipt(struct buffer *answers,
                           struct receipts *receipts,
                           struct span word,
                           const struct receipt *receipt,
                           struct status_receipt_rest rest);
/* "seq=<word> state=..." of a number without any place. */
void status_answer_no_place(struct buffer *answers, struct span word, enum receipt_state state);

#endif
