/* The batches of one partition of the store in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/memory_partition.h"

#include <stdlib.h>

#include "wire/record_batch.h"

void memory_partition_done(struct memory_partition *partition)
{
    for (uint32_t i = 0; i < partition->count; i++)
        free(partition->batches[i].bytes);
    free(partition->batches);
    *partition = (struct memory_partition){.count = 0};
}

static struct memory_batch *add_batch(struct memory_partition *partition)
{
    if (partition->count == partition->size) {
        partition->size = partition->size == 0 ? 16 : partition->size * 2;
        partition->batches = realloc(partition->batches, partition->size * sizeof(*partition->batches));
        check(partition->batches != NULL);
    }
    return &partition->batches[partition->count++];
}

uint64_t
memory_partition_append(struct memory_partition *partition, struct span batch, struct memory_batch about)
{
    struct memory_batch *added = add_batch(partition);
    *added = about;
    added->base_offset = partition->end;
    added->len = batch.len;
    added->bytes = malloc(batch.len);
    check(added->bytes != NULL);
    memcpy(added->bytes, batch.data, batch.len);
    record_batch_set_base_offset(added->bytes, added->base_offset);
    partition->end += added->records;
    return added->base_offset;
}

/* The batch that holds `offset`, which is below the end. */
static uint32_t find_batch(const struct memory_partition *partition, uint64_t offset)
{
    uint32_t low = 0;
    uint32_t high = partition->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (partition->batches[middle].base_offset <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

enum err memory_partition_read(const struct memory_partition *partition, struct store_read *read)
{
    read->ret_len = 0;
    read->ret_next_offset = read->offset;
    if (read->offset < partition->start)
        return ERR_EXPIRED;
    if (read->offset >= partition->end)
        return ERR_NONE;
    for (uint32_t i = find_batch(partition, read->offset); i < partition->count; i++) {
        const struct memory_batch *batch = &partition->batches[i];
        if (batch->len > read->size - read->ret_len)
            break;
        memcpy(read->buffer + read->ret_len, batch->bytes, batch->len);
        read->ret_len += batch->len;
        read->ret_next_offset = batch->base_offset + batch->records;
    }
    if (read->ret_len > 0)
        return ERR_NONE;
    read->ret_len = partition->batches[find_batch(partition, read->offset)].len;
    return ERR_TOO_LARGE;
}
