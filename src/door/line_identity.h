/* Who a message is, in 128 bits: its sequence, its key and its number. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_LINE_IDENTITY_H
#define DOOR_LINE_IDENTITY_H

#include "base/span.h"

enum { LINE_IDENTITY_SIZE = 16 };

struct line_identity {
    uint64_t key[2];
};

/* The values are stored, so the hash never changes: SipHash-2-4 with 128 bits (Aumasson and Bernstein). */
void line_identity_hash(struct span bytes, const uint64_t key[2], uint8_t ret_hash[LINE_IDENTITY_SIZE]);

/* Identities of one sequence. */
void line_identity_init(struct line_identity *identity, struct span sequence);
void line_identity_of(const struct line_identity *identity,
                      struct span key,
                      uint64_t seq,
                      uint8_t ret_hash[LINE_IDENTITY_SIZE]);

#endif
