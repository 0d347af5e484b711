/* Variable-length integers as Kafka writes them: zigzag, seven bits a byte, least significant first (Protocol Buffers). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_VARINT_H
#define WIRE_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VARINT_SIZE_MAX = 10 };

static inline uint64_t varint_zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static inline size_t varint_size(int64_t value)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll(varint_zigzag(value) | 1);
    return (bits + 6) / 7;
}

/* Returns the place behind what it wrote: varint_size(value) bytes. */
static inline uint8_t *varint_put(uint8_t *to, int64_t value)
{
    uint64_t rest = varint_zigzag(value);
    for (; rest >= 0x80; rest >>= 7)
        *to++ = (uint8_t)(rest | 0x80);
    *to++ = (uint8_t)rest;
    return to;
}

/* Moves *at behind the integer; false when it does not end before `end` or does not fit 64 bits. */
static inline bool varint_take(const uint8_t **at, const uint8_t *end, int64_t *ret_value)
{
    uint64_t rest = 0;
    const uint8_t *next = *at;
    for (unsigned shift = 0; next < end && shift < 64; shift += 7) {
        uint8_t byte = *next++;
        if (shift == 63 && byte > 1)
            return false;
        rest |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *at = next;
            *ret_value = (int64_t)(rest >> 1) ^ -(int64_t)(rest & 1);
            return true;
        }
    }
    return false;
}

#endif
