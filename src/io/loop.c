/* What every loop does alike: its timers, and the tasks at the end of a turn. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/loop.h"

#include <stdlib.h>

/* Of what one call seals: a chain of certificates, or a share of an answer. */
enum { SEALED_SIZE_MAX = 512 * 1024 };

static void wake_for_mail(void *owner)
{
    struct loop *loop = owner;
    loop->ops->wake(loop);
}

enum err loop_init(struct loop *loop, const struct loop_ops *ops, struct clock *clock)
{
    *loop = (struct loop){.ops = ops, .clock = clock, .read_size = LOOP_READ_SIZE};
    loop->read_buffer = malloc(loop->read_size);
    if (loop->read_buffer == NULL)
        return ERR_MEMORY;
    mailbox_init(&loop->mailbox, wake_for_mail, loop);
    list_init(&loop->tasks);
    buffer_init(&loop->sealed, SEALED_SIZE_MAX);
    return ERR_NONE;
}

enum err loop_want_tls(struct loop *loop)
{
    if (loop->plain_buffer == NULL)
        loop->plain_buffer = malloc(LOOP_READ_SIZE);
    return loop->plain_buffer == NULL ? ERR_MEMORY : ERR_NONE;
}

void loop_done(struct loop *loop)
{
    check(list_is_empty(&loop->tasks));
    check(loop->timers.first == NULL);
    mailbox_done(&loop->mailbox);
    buffer_done(&loop->sealed);
    free(loop->plain_buffer);
    free(loop->read_buffer);
    loop->plain_buffer = NULL;
    loop->read_buffer = NULL;
}

void timer_init(struct timer *timer, struct loop *loop, void (*on_due)(struct timer *timer))
{
    *timer = (struct timer){.loop = loop, .on_due = on_due};
}

void timer_start(struct timer *timer, int64_t after_ns)
{
    check(after_ns >= 0);
    timer_stop(timer);
    /* Never for now: a timer that starts itself again would keep loop_run_timers from coming to an end. */
    timer->node.due_ns = clock_now_ns(timer->loop->clock) + (after_ns > 0 ? after_ns : 1);
    timer->armed = true;
    timer_heap_insert(&timer->loop->timers, &timer->node);
}

void timer_stop(struct timer *timer)
{
    if (!timer->armed)
        return;
    timer->armed = false;
    timer_heap_remove(&timer->loop->timers, &timer->node);
}

int64_t loop_next_due_ns(const struct loop *loop)
{
    if (loop->timers.first == NULL)
        return INT64_MAX;
    int64_t left_ns = loop->timers.first->due_ns - clock_now_ns(loop->clock);
    return left_ns > 0 ? left_ns : 0;
}

unsigned loop_run_timers(struct loop *loop)
{
    unsigned count = 0;
    int64_t now_ns = clock_now_ns(loop->clock);
    for (; loop->timers.first != NULL && loop->timers.first->due_ns <= now_ns; count++) {
        struct timer *timer = LIST_OWNER(loop->timers.first, struct timer, node);
        timer_stop(timer);
        timer->on_due(timer);
    }
    return count;
}

void loop_task_init(struct loop_task *task, void (*run)(struct loop_task *task))
{
    task->run = run;
    list_init(&task->link);
}

void loop_at_end_of_turn(struct loop *loop, struct loop_task *task)
{
    check(task->run != NULL);
    if (list_is_empty(&task->link))
        list_insert_last(&loop->tasks, &task->link);
}

void loop_task_cancel(struct loop_task *task)
{
    list_remove(&task->link);
}

unsigned loop_run_tasks(struct loop *loop)
{
    unsigned count = 0;
    struct list due;
    list_init(&due);
    list_move_all(&due, &loop->tasks);
    for (struct list *link; (link = list_take_first(&due)) != NULL; count++) {
        struct loop_task *task = LIST_OWNER(link, struct loop_task, link);
        task->run(task);
    }
    return count;
}
