/* The waiting timers of a loop, the earliest first: a pairing heap whose links live inside its members. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_TIMER_HEAP_H
#define IO_TIMER_HEAP_H

#include <stddef.h>
#include <stdint.h>

/*
 * Source: Fredman, Sedgewick, Sleator, Tarjan, "The Pairing Heap" (1986). Starting and stopping a timer, which
 * happens all the time, costs next to nothing; only taking the earliest, which happens seldom, does work.
 */
struct timer_node {
    int64_t due_ns;
    struct timer_node *child;    /* the first of those that are due later */
    struct timer_node *next;     /* of the same parent */
    struct timer_node *previous; /* the parent, for a first child */
};

struct timer_heap {
    struct timer_node *first; /* NULL when empty */
};

void timer_heap_insert(struct timer_heap *heap, struct timer_node *node);
/* The node must be in the heap. */
void timer_heap_remove(struct timer_heap *heap, struct timer_node *node);

#endif
