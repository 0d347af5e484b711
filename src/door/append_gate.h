/* The way of a loop's appends to the store: so many bytes at once, the rest in line; and who may read next. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_APPEND_GATE_H
#define DOOR_APPEND_GATE_H

#include "door/line_append.h"
#include "io/loop.h"
#include "store/store.h"

/*
 * The happy path: a connection reads, makes an append and submits it; the store takes it; the completion comes back.
 * Under pressure:
 * - The store says BUSY or FULL: appends wait here, in order, and are offered again when a completion or a watch comes.
 * - One topic is FULL: the appends of its connections wait beside the line, so that others pass; none of their next ones does.
 * - More bytes are under way than allowed: connections that were read pause and wait for their turn, first come, first
 *   served. Sockets that are ready nevertheless are read in small pieces, so that ten thousand of them cost little.
 * - Two connections are busy at the same time: neither may have more than a share of the bytes.
 * - Unfinished lines fill their budget: connections that hold more than a little of it pause.
 */
enum {
    GATE_INFLIGHT_MAX = 4 * 1024 * 1024, /* bytes of appends that are not complete */
    GATE_SHARE_MAX = 1024 * 1024,        /* of one connection, while another one appends too */
    GATE_PARKED_MAX = 4 * 1024 * 1024, /* bytes of appends that wait for a topic: beyond it reads are small */
    GATE_KEPT_MAX = 16 * 1024 * 1024,  /* bytes that wait for the rest of their line, or for their turn */
    GATE_KEPT_FREE = 1024,             /* what a connection may always keep */
    GATE_READ_PRESSED = 1024,          /* bytes of one read while the gate is pressed */
    GATE_READ_CONTENDED = 64 * 1024,   /* while two connections are busy at the same time */
};

/* Embedded in a connection. */
struct gate_reader {
    struct list link;        /* while it waits for its turn */
    struct list parked;      /* appends that wait for a topic that is full, and those behind them */
    struct list parked_link; /* while there are such */
    /* It may read again, or use what it kept. */
    void (*on_turn)(struct gate_reader *reader);
    /* Its append is complete: synced, or ret_err says why not. The append is freed afterwards. */
    void (*on_complete)(struct gate_reader *reader, const struct line_append *append);
    size_t inflight_bytes;
    size_t kept_bytes;
    uint32_t appends; /* that are not complete */
};

struct append_gate {
    struct store *store;
    struct loop *loop;
    struct store_watch watch;
    bool is_watching;      /* its mail is yet to come */
    struct loop_task task; /* offers what waits, lets the store go, gives turns */
    struct list appends;   /* that the store has not taken */
    struct list readers;   /* in turn */
    struct list parked;    /* readers with appends that wait for a topic */
    size_t parked_bytes;   /* of these */
    size_t inflight_bytes; /* without them */
    size_t kept_bytes;
    const struct gate_reader *last; /* who appended last; only compared */
    int64_t contended_ns;           /* when another one appended before it */
};

void append_gate_init(struct append_gate *gate, struct store *store, struct loop *loop);
/* Nothing is under way; the loop has delivered its mails. */
void append_gate_done(struct append_gate *gate);

void gate_reader_init(struct gate_reader *reader,
                      void (*on_turn)(struct gate_reader *reader),
                      void (*on_complete)(struct gate_reader *reader, const struct line_append *append));

/* Takes the append. on_complete never comes from inside this call. The reader lives until it has no appends. */
void append_gate_submit(struct append_gate *gate,
                        struct gate_reader *reader,
                        struct line_append *take_append);

/* Whether the connection may read now, out of turn. */
bool append_gate_is_open(const struct append_gate *gate, const struct gate_reader *reader);
/* on_turn will be called once, at the end of a turn of the loop. Asking again does nothing. */
void append_gate_wait(struct append_gate *gate, struct gate_reader *reader);
/* The same, but only after something has changed in the store: it could not answer this reader. */
void append_gate_wait_for_store(struct append_gate *gate, struct gate_reader *reader);
/* It waits no more, and keeps nothing. */
void append_gate_leave(struct append_gate *gate, struct gate_reader *reader);
/* How many bytes of unread lines the connection keeps now. */
void append_gate_keep(struct append_gate *gate, struct gate_reader *reader, size_t bytes);
/* Whether lines that are not finished use up their budget. */
bool append_gate_is_out_of_room(const struct append_gate *gate);

#endif
