/* Records as text that tests compare: <timestamp> <key> <value> <name>=<value> ..., in hexadecimal behind an "x", "-" for null. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_RECORD_TEXT_H
#define SUPPORT_RECORD_TEXT_H

#include <stdio.h>

#include "wire/record_batch.h"

/* Writes one line for each record of the batch. False when the bytes are not exactly one whole, uncompressed batch. */
bool record_text_write(struct span batch_bytes, FILE *to);

/* One batch of the lines of `from`; the caller frees *ret_bytes. False on anything but such lines. */
bool record_text_read(FILE *from, int64_t timestamp_ms, uint8_t **ret_bytes, size_t *ret_len);

#endif
