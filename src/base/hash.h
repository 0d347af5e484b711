/* Hashes and checksums of bytes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdint.h>

#include "base/span.h"

/* A seeded hash for maps in memory; its values are never stored. */
uint64_t hash_bytes(struct span bytes, uint64_t seed);

/*
 * Kafka's partitioner: murmur2 as in its Java client, seed 0x9747b28c
 * (org.apache.kafka.common.utils.Utils).
 */
uint32_t hash_murmur2(struct span bytes);

/* CRC-32C (RFC 3720, Castagnoli) of the bytes; `start` is 0, or the result over the bytes before. */
uint32_t hash_crc32c(struct span bytes, uint32_t start);

#endif
