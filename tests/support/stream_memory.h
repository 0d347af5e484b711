/* A stream without a socket: the test is its peer, on a simulated loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_STREAM_MEMORY_H
#define SUPPORT_STREAM_MEMORY_H

#include "base/buffer.h"
#include "io/stream.h"
#include "support/loop_simulated.h"

/* Fields are for looking at; what the peer does are functions. */
struct stream_memory {
    struct stream stream; /* what the program gets */
    struct simulated_actor actor;
    struct loop_simulated *simulated;
    size_t chunk_max;     /* bytes come in pieces of 1..chunk_max, chosen at random */
    struct buffer coming; /* sent by the peer, not delivered yet */
    struct buffer queue;  /* written by the program, not taken by the peer yet */
    struct buffer received;
    bool is_paused;
    bool peer_ended;
    bool end_is_told;
    bool peer_stalls;
    bool owes_drained;
    bool is_flushing; /* the program closes after writes */
    bool is_closing;  /* on_closed comes in the next step */
    bool is_closed;   /* on_closed has been called */
    enum err close_err;
};

/* Begins paused, as accepted streams do. */
struct stream_memory *stream_memory_new(struct loop_simulated *simulated);
/* on_closed must have come. Returns NULL. */
struct stream_memory *stream_memory_free(struct stream_memory *memory);

/* What the peer does. */
void stream_memory_send(struct stream_memory *memory, struct span bytes);
void stream_memory_send_text(struct stream_memory *memory, const char *text);
void stream_memory_end(struct stream_memory *memory); /* half-close, behind what it sent */
void stream_memory_cut(struct stream_memory *memory); /* gone at once: what was on the way is lost */
void stream_memory_stall(struct stream_memory *memory, bool stall); /* reads no more, or again */

/* All that the program has written arrives at once, whatever becomes of the program. */
void stream_memory_arrive(struct stream_memory *memory);
/* What has arrived at the peer since the last stream_memory_forget. */
struct span stream_memory_received(const struct stream_memory *memory);
void stream_memory_forget(struct stream_memory *memory);

#endif
