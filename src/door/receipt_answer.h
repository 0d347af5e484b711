/* A receipt as JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_RECEIPT_ANSWER_H
#define DOOR_RECEIPT_ANSWER_H

#include "base/buffer.h"
#include "receipt/receipt.h"

/*
 * Appends one line: {"id":"orders/0/42","topic":...,"partition":...,"offset":...,"seq":...,"state":...,"stored_at":...,
 * "record":"expired","groups":[{"group","state","attempts","at","status","by"}],"dead_letter":{"group","id"},"replay":{"group",...}}.
 * `seq` 0: not known. Times are milliseconds since 1970. Errors are the buffer's.
 */
enum err receipt_answer(struct buffer *answers,
                        struct receipts *receipts,
                        uint64_t seq,
                        const struct receipt *receipt) MUST_CHECK;

#endif
