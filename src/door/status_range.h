/* The answer about a range of numbers, piece by piece: which of them are not processed. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_STATUS_RANGE_H
#define DOOR_STATUS_RANGE_H

#include "door/answer_text.h"
#include "receipt/receipt.h"

struct status_range {
    uint32_t sequence;
    bool is_terse; /* no list: one word ends it */
    uint64_t next;
    uint64_t to;
    uint64_t pending_from; /* a run that may go on; 0: none */
    uint64_t pending_to;
    struct answer_list list;
};

void status_range_begin(
    struct status_range *range, uint32_t sequence, uint64_t from, uint64_t to, bool is_terse);
/* Looks at some more numbers. True: the answer is complete, its LF included. */
bool status_range_go_on(struct status_range *range,
                        struct store *store,
                        struct receipts *receipts,
                        struct buffer *answers);

#endif
