/* A thread's event loop: timers, mails from other threads, and work at the end of a turn. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/mailbox.h"
#include "io/timer_heap.h"

struct loop;

/* What differs between libuv and the simulated loop of the tests. */
struct loop_ops {
    void (*wake)(struct loop *loop); /* any thread: deliver the mailbox soon */
};

/* Called once at the end of a turn in which it was asked for, after all sockets that were ready have been read. */
struct loop_task {
    struct list link;
    void (*run)(struct loop_task *task);
};

enum { LOOP_READ_SIZE = 1024 * 1024 };

struct loop {
    const struct loop_ops *ops;
    struct clock *clock;
    struct mailbox mailbox;   /* how other threads reach objects of this loop */
    struct list tasks;        /* due at the end of this turn */
    struct timer_heap timers; /* that are armed */
    uint8_t *read_buffer; /* shared by all connections: bytes in it are used up before the callback returns */
    size_t read_size;     /* LOOP_READ_SIZE */
    uint8_t *plain_buffer;  /* the same for what TLS streams have opened; NULL before the first */
    struct buffer sealed;   /* what a TLS stream is about to send; empty between two calls */
    size_t queued_bytes;    /* what all streams together hold for peers that do not read */
    unsigned reads_in_turn; /* sockets read since the turn began: 1 means that nothing else was ready */
};

/* A timer belongs to its loop's thread; fires once. A stopped timer holds nothing. */
struct timer {
    struct loop *loop;
    void (*on_due)(struct timer *timer);
    struct timer_node node;
    bool armed;
};

void timer_init(struct timer *timer, struct loop *loop, void (*on_due)(struct timer *timer));
void timer_start(struct timer *timer, int64_t after_ns); /* again: the new time counts */
void timer_stop(struct timer *timer);

void loop_task_init(struct loop_task *task, void (*run)(struct loop_task *task));
/* Runs `task` at the end of this turn; asking again before it ran does nothing. A running task asks for the next turn. */
void loop_at_end_of_turn(struct loop *loop, struct loop_task *task);
/* Takes the wish back, if there was one. */
void loop_task_cancel(struct loop_task *task);

/* For implementations. The clock stays the caller's; MEMORY. */
enum err loop_init(struct loop *loop, const struct loop_ops *ops, struct clock *clock) MUST_CHECK;
/* Mailbox, tasks and timers must be empty. */
void loop_done(struct loop *loop);
/* Makes the buffers of TLS, which a loop without TLS does without. MEMORY. */
enum err loop_want_tls(struct loop *loop) MUST_CHECK;
/* Runs the tasks that are due; their number. */
unsigned loop_run_tasks(struct loop *loop);
/* Fires the timers that are due by now; their number. */
unsigned loop_run_timers(struct loop *loop);
/* Time until the first timer is due, 0 when it is over; INT64_MAX without timers. */
int64_t loop_next_due_ns(const struct loop *loop);

#endif
