/* A ring of appends and refusals in the order of their lines. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/settle_queue.h"

#include <stdlib.h>

enum { SIZE_FIRST = 8, SIZE_MAX_ENTRIES = 1 << 22 };

struct settle_entry {
    uint64_t last_line;
    uint64_t last_seq;
    enum line_error error;
    bool is_complete;
};

void settle_queue_init(struct settle_queue *queue)
{
    *queue = (struct settle_queue){0};
}

void settle_queue_done(struct settle_queue *queue)
{
    free(queue->entries);
    *queue = (struct settle_queue){0};
}

static struct settle_entry *entry_at(const struct settle_queue *queue, uint32_t index)
{
    return &queue->entries[(queue->first + index) & (queue->size - 1)];
}

enum err settle_queue_reserve(struct settle_queue *queue)
{
    if (queue->count < queue->size)
        return ERR_NONE;
    if (queue->size == SIZE_MAX_ENTRIES)
        return ERR_TOO_MANY;
    uint32_t size = queue->size == 0 ? SIZE_FIRST : queue->size * 2;
    struct settle_entry *entries = malloc(size * sizeof *entries);
    if (entries == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < queue->count; i++)
        entries[i] = *entry_at(queue, i);
    free(queue->entries);
    queue->entries = entries;
    queue->size = size;
    queue->first = 0;
    return ERR_NONE;
}

static void push(struct settle_queue *queue, struct settle_entry entry)
{
    check(queue->count < queue->size);
    queue->count++;
    *entry_at(queue, queue->count - 1) = entry;
}

void settle_queue_append(struct settle_queue *queue, uint32_t lines, uint64_t last_seq)
{
    queue->taken += lines;
    push(queue, (struct settle_entry){.last_line = queue->taken, .last_seq = last_seq});
}

void settle_queue_refuse(struct settle_queue *queue, enum line_error error)
{
    queue->taken++;
    push(queue, (struct settle_entry){.last_line = queue->taken, .error = error, .is_complete = true});
}

void settle_queue_complete(struct settle_queue *queue)
{
    for (uint32_t i = 0; i < queue->count; i++) {
        struct settle_entry *entry = entry_at(queue, i);
        if (!entry->is_complete) {
            entry->is_complete = true;
            return;
        }
    }
    check(false); /* an append that completes is in the queue */
}

static struct settle_entry take_first(struct settle_queue *queue)
{
    struct settle_entry entry = *entry_at(queue, 0);
    queue->first = (queue->first + 1) & (queue->size - 1);
    queue->count--;
    queue->settled = entry.last_line;
    if (entry.last_seq != 0)
        queue->last_seq = entry.last_seq;
    return entry;
}

/* Completed appends that follow each other are one acknowledgement. */
bool settle_queue_next(struct settle_queue *queue, struct settlement *ret_settlement)
{
    if (queue->count == 0 || !entry_at(queue, 0)->is_complete)
        return false;
    struct settle_entry entry = take_first(queue);
    while (entry.error == LINE_ERROR_NONE && queue->count > 0 && entry_at(queue, 0)->is_complete &&
           entry_at(queue, 0)->error == LINE_ERROR_NONE)
        entry = take_first(queue);
    *ret_settlement =
        (struct settlement){.error = entry.error, .line = entry.last_line, .seq = queue->last_seq};
    return true;
}
