/* SipHash-2-4 with a 128-bit result, and what goes into it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/line_identity.h"

#include "base/bytes.h"

static uint64_t rotate(uint64_t value, unsigned by)
{
    return value << by | value >> (64 - by);
}

static void mix(uint64_t v[4], unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32) + v[3];
        v[2] += v[1];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

static void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    mix(v, 2);
    v[0] ^= word;
}

void line_identity_hash(struct span bytes, const uint64_t key[2], uint8_t ret_hash[LINE_IDENTITY_SIZE])
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d ^ 0xee,
                     key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
    uint64_t tail = (uint64_t)bytes.len << 56;
    for (; bytes.len >= 8; bytes = span_after(bytes, 8))
        absorb(v, bytes_get_le64(bytes.data));
    for (size_t i = 0; i < bytes.len; i++)
        tail |= (uint64_t)bytes.data[i] << (8 * i);
    absorb(v, tail);
    v[2] ^= 0xee;
    mix(v, 4);
    bytes_put_le64(ret_hash, v[0] ^ v[1] ^ v[2] ^ v[3]);
    v[1] ^= 0xdd;
    mix(v, 4);
    bytes_put_le64(ret_hash + 8, v[0] ^ v[1] ^ v[2] ^ v[3]);
}

static void derive(struct span bytes, const uint64_t key[2], uint64_t ret_key[2])
{
    uint8_t hash[LINE_IDENTITY_SIZE];
    line_identity_hash(bytes, key, hash);
    ret_key[0] = bytes_get_le64(hash);
    ret_key[1] = bytes_get_le64(hash + 8);
}

void line_identity_init(struct line_identity *identity, struct span sequence)
{
    static const uint64_t no_key[2];
    derive(sequence, no_key, identity->key);
}

/* The number is part of the key of the hash over the record's key: no two pairs look alike. */
void line_identity_of(const struct line_identity *identity,
                      struct span key,
                      uint64_t seq,
                      uint8_t ret_hash[LINE_IDENTITY_SIZE])
{
    uint64_t numbered[2] = {identity->key[0], identity->key[1] ^ seq};
    line_identity_hash(key, numbered, ret_hash);
}
