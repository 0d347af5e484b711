/* Tests the order of timers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/timer_heap.h"

#include "base/random.h"
#include "support/test.h"

enum { NODES = 1000 };

static int64_t take_first(struct timer_heap *heap)
{
    struct timer_node *first = heap->first;
    timer_heap_remove(heap, first);
    return first->due_ns;
}

TEST(timers_come_out_in_the_order_of_their_times)
{
    static struct timer_node nodes[NODES];
    struct timer_heap heap = {NULL};
    struct random random;
    random_seed(&random, 1);
    for (size_t i = 0; i < NODES; i++) {
        nodes[i].due_ns = (int64_t)random_below(&random, 500);
        timer_heap_insert(&heap, &nodes[i]);
    }
    int64_t previous_ns = -1;
    for (size_t i = 0; i < NODES; i++) {
        int64_t due_ns = take_first(&heap);
        expect(due_ns >= previous_ns);
        previous_ns = due_ns;
    }
    expect_null(heap.first);
}

TEST(timers_stopped_at_random_leave_the_others_in_order)
{
    static struct timer_node nodes[NODES];
    static bool is_in[NODES];
    struct timer_heap heap = {NULL};
    struct random random;
    random_seed(&random, 2);
    size_t count = 0;
    for (unsigned round = 0; round < 20 * NODES; round++) {
        size_t i = (size_t)random_below(&random, NODES);
        if (is_in[i]) {
            timer_heap_remove(&heap, &nodes[i]);
        } else {
            nodes[i].due_ns = (int64_t)random_below(&random, 500);
            timer_heap_insert(&heap, &nodes[i]);
        }
        count = is_in[i] ? count - 1 : count + 1;
        is_in[i] = !is_in[i];
    }
    int64_t previous_ns = -1;
    for (; count > 0; count--) {
        int64_t due_ns = take_first(&heap);
        expect(due_ns >= previous_ns);
        previous_ns = due_ns;
    }
    expect_null(heap.first);
}

TEST_MAIN(timers_come_out_in_the_order_of_their_times, timers_stopped_at_random_leave_the_others_in_order)
