/* Fixed-width integers in bytes: little endian in our own files, big endian on Kafka's wire. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define BYTES_PAIR(bits, order)                                                                              \
    static inline void bytes_put_##order##bits(uint8_t *to, uint##bits##_t value)                            \
    {                                                                                                        \
        uint##bits##_t wire = hto##order##bits(value);                                                       \
        memcpy(to, &wire, sizeof wire);                                                                      \
    }                                                                                                        \
    static inline uint##bits##_t bytes_get_##order##bits(const uint8_t *from)                                \
    {                                                                                                        \
        uint##bits##_t wire;                                                                                 \
        memcpy(&wire, from, sizeof wire);                                                                    \
        return order##bits##toh(wire);                                                                       \
    }

BYTES_PAIR(16, le)
BYTES_PAIR(32, le)
BYTES_PAIR(64, le)
BYTES_PAIR(16, be)
BYTES_PAIR(32, be)
BYTES_PAIR(64, be)
#undef BYTES_PAIR

#endif
