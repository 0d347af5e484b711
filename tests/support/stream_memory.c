/* A stream without a socket. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/stream_memory.h"

#include <stdlib.h>

enum {
    COMING_MAX = 256 * 1024 * 1024,
    QUEUE_MAX = 4 * STREAM_WRITE_QUEUE_MAX,
    QUEUE_LOW_MARK = 16 * 1024,
    CHUNK_MAX = 64 * 1024,
};

static struct stream_memory *memory_of(struct stream *stream)
{
    return LIST_OWNER(stream, struct stream_memory, stream);
}

static size_t chunk(struct stream_memory *memory, size_t len)
{
    size_t size = 1 + (size_t)random_below(&memory->simulated->random, memory->chunk_max);
    return size < len ? size : len;
}

/* --- What the program calls --------------------------------------------------------------------- */

static void memory_pause(struct stream *stream)
{
    memory_of(stream)->is_paused = true;
}

static void memory_resume(struct stream *stream)
{
    memory_of(stream)->is_paused = false;
}

static void close_with(struct stream_memory *memory, enum err err)
{
    if (memory->is_closing)
        return;
    memory->is_closing = true;
    memory->close_err = err;
}

static enum err memory_write(struct stream *stream, struct span bytes)
{
    struct stream_memory *memory = memory_of(stream);
    if (memory->is_closing || memory->is_flushing)
        return ERR_CLOSED;
    if (buffer_append(&memory->queue, bytes) != ERR_NONE) {
        close_with(memory, ERR_TOO_LARGE);
        return ERR_CLOSED;
    }
    memory->owes_drained = memory->owes_drained || memory->queue.len > STREAM_WRITE_QUEUE_MAX;
    return memory->owes_drained ? ERR_BUSY : ERR_NONE;
}

static void memory_close(struct stream *stream, bool after_writes)
{
    struct stream_memory *memory = memory_of(stream);
    if (after_writes)
        memory->is_flushing = true;
    else
        close_with(memory, ERR_NONE);
}

/* --- What happens in between -------------------------------------------------------------------- */

static bool may_deliver(const struct stream_memory *memory)
{
    return !memory->is_paused && !memory->is_flushing && memory->coming.len > 0;
}

static bool may_tell_end(const struct stream_memory *memory)
{
    return memory->peer_ended && !memory->end_is_told && !memory->is_paused && !memory->is_flushing &&
           memory->coming.len == 0;
}

static bool may_take(const struct stream_memory *memory)
{
    return memory->queue.len > 0 && !memory->peer_stalls;
}

static bool is_ready(struct simulated_actor *actor)
{
    const struct stream_memory *memory = LIST_OWNER(actor, struct stream_memory, actor);
    bool may_end = memory->is_flushing && memory->queue.len == 0;
    return memory->is_closing || may_end || may_take(memory) || may_deliver(memory) || may_tell_end(memory);
}

static void take_some(struct stream_memory *memory)
{
    size_t len = chunk(memory, memory->queue.len);
    check(buffer_append(&memory->received, span_of(memory->queue.data, len)) == ERR_NONE);
    buffer_consume(&memory->queue, len);
    if (!memory->owes_drained || memory->queue.len > QUEUE_LOW_MARK || memory->is_flushing)
        return;
    memory->owes_drained = false;
    memory->stream.events->on_drained(memory->stream.owner);
}

/* The bytes are moved to the loop's buffer, where they are gone after the callback, as in the program. */
static void deliver_some(struct stream_memory *memory)
{
    struct loop *loop = memory->stream.loop;
    size_t len = chunk(memory, memory->coming.len < loop->read_size ? memory->coming.len : loop->read_size);
    memcpy(loop->read_buffer, memory->coming.data, len);
    buffer_consume(&memory->coming, len);
    loop->reads_in_turn++;
    if (!memory->stream.events->on_bytes(memory->stream.owner, span_of(loop->read_buffer, len)))
        memory->is_paused = true;
    memset(loop->read_buffer, 0xdb, len);
}

static void tell_closed(struct stream_memory *memory)
{
    loop_simulated_leave(memory->simulated, &memory->actor);
    memory->is_closed = true;
    memory->stream.events->on_closed(memory->stream.owner, memory->close_err);
}

static void step(struct simulated_actor *actor)
{
    struct stream_memory *memory = LIST_OWNER(actor, struct stream_memory, actor);
    if (memory->is_flushing && memory->queue.len == 0)
        close_with(memory, ERR_NONE);
    if (memory->is_closing) {
        tell_closed(memory);
        return;
    }
    if (may_take(memory))
        take_some(memory);
    if (!memory->is_closing && may_deliver(memory)) {
        deliver_some(memory);
    } else if (!memory->is_closing && may_tell_end(memory)) {
        memory->end_is_told = true;
        memory->stream.events->on_end(memory->stream.owner);
    }
}

/* --- What the test calls ------------------------------------------------------------------------ */

struct stream_memory *stream_memory_new(struct loop_simulated *simulated)
{
    static const struct stream_ops ops = {
        .pause = memory_pause, .resume = memory_resume, .write = memory_write, .close = memory_close};
    struct stream_memory *memory = calloc(1, sizeof(*memory));
    check(memory != NULL);
    *memory = (struct stream_memory){
        .stream = {.ops = &ops, .loop = &simulated->loop, .peer = "memory"},
        .actor = {.is_ready = is_ready, .step = step},
        .simulated = simulated,
        .chunk_max = CHUNK_MAX,
        .is_paused = true,
    };
    buffer_init(&memory->coming, COMING_MAX);
    buffer_init(&memory->queue, QUEUE_MAX);
    buffer_init(&memory->received, COMING_MAX);
    loop_simulated_join(simulated, &memory->actor);
    return memory;
}

struct stream_memory *stream_memory_free(struct stream_memory *memory)
{
    check(memory->is_closed);
    buffer_done(&memory->coming);
    buffer_done(&memory->queue);
    buffer_done(&memory->received);
    free(memory);
    return NULL;
}

void stream_memory_send(struct stream_memory *memory, struct span bytes)
{
    check(!memory->peer_ended);
    check(buffer_append(&memory->coming, bytes) == ERR_NONE);
}

void stream_memory_send_text(struct stream_memory *memory, const char *text)
{
    stream_memory_send(memory, span_from_text(text));
}

void stream_memory_end(struct stream_memory *memory)
{
    memory->peer_ended = true;
}

void stream_memory_cut(struct stream_memory *memory)
{
    close_with(memory, ERR_CLOSED);
}

void stream_memory_stall(struct stream_memory *memory, bool stall)
{
    memory->peer_stalls = stall;
}

void stream_memory_arrive(struct stream_memory *memory)
{
    check(buffer_append(&memory->received, buffer_span(&memory->queue)) == ERR_NONE);
    buffer_clear(&memory->queue);
}

struct span stream_memory_received(const struct stream_memory *memory)
{
    return buffer_span(&memory->received);
}

void stream_memory_forget(struct stream_memory *memory)
{
    buffer_clear(&memory->received);
}
