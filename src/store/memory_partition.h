/* The batches of one partition of the store in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_MEMORY_PARTITION_H
#define STORE_MEMORY_PARTITION_H

#include "base/span.h"
#include "store/store.h"

struct memory_batch {
    uint64_t base_offset;
    uint32_t records;
    uint32_t sequence; /* of its append; UINT32_MAX: none */
    int64_t appended_ns;
    uint8_t *bytes;
    size_t len;
};

struct memory_partition {
    struct memory_batch *batches;
    uint32_t count;
    uint32_t size;
    uint64_t start; /* offsets below have expired */
    uint64_t end;
};

void memory_partition_done(struct memory_partition *partition);

/* Copies the batch and gives it its offset, which is returned. */
uint64_t
memory_partition_append(struct memory_partition *partition, struct span batch, struct memory_batch about);

/* As store_ops.read with an answer at once. */
enum err memory_partition_read(const struct memory_partition *partition, struct store_read *read) MUST_CHECK;

#endif
