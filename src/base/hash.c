/* Hashes and checksums. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <isa-l/crc.h>

static uint64_t load_u64(const uint8_t *data)
{
    uint64_t value;
    memcpy(&value, data, sizeof value);
    return value;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Eight bytes a step through a folded 64x64 multiplication; the length is mixed in at the end. */
uint64_t hash_bytes(struct span bytes, uint64_t seed)
{
    uint64_t hash = seed ^ 0x9e3779b97f4a7c15U;
    size_t at = 0;
    for (; at + 8 <= bytes.len; at += 8)
        hash = mix(hash ^ load_u64(bytes.data + at), 0xd6e8feb86659fd93U);
    uint64_t tail = 0;
    if (at < bytes.len)
        memcpy(&tail, bytes.data + at, bytes.len - at);
    hash = mix(hash ^ tail, 0xa0761d6478bd642fU);
    return mix(hash ^ bytes.len, 0xe7037ed1a0b428dbU);
}

uint32_t hash_murmur2(struct span bytes)
{
    const uint32_t factor = 0x5bd1e995;
    uint32_t hash = 0x9747b28c ^ (uint32_t)bytes.len;
    size_t at = 0;
    for (; at + 4 <= bytes.len; at += 4) {
        uint32_t word;
        memcpy(&word, bytes.data + at, sizeof word);
        word *= factor;
        word ^= word >> 24;
        word *= factor;
        hash = (hash * factor) ^ word;
    }
    if (at < bytes.len) {
        uint32_t word = 0;
        memcpy(&word, bytes.data + at, bytes.len - at);
        hash = (hash ^ word) * factor;
    }
    hash = (hash ^ (hash >> 13)) * factor;
    return hash ^ (hash >> 15);
}

uint32_t hash_crc32c(struct span bytes, uint32_t start)
{
    uint32_t crc = ~start;
    while (bytes.len > 0) { /* the library takes an int length */
        size_t step = bytes.len < (1U << 30) ? bytes.len : (1U << 30);
        crc = crc32_iscsi((unsigned char *)(uintptr_t)bytes.data, (int)step, crc);
        bytes = span_after(bytes, step);
    }
    return ~crc;
}
