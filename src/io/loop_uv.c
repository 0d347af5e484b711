/* The loop of the program: libuv beneath, a turn per poll. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/loop_uv.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "io/loop_uv_impl.h"

/*
 * A turn, in libuv's order: due timers, then `before_poll` (tasks that those asked for; the turn's counters begin
 * anew), then sockets and mails as poll reports them, then `after_poll` (the tasks that those asked for; then the mails
 * that the loop sent to itself, without a detour through the kernel: that is how what it committed inline is answered).
 */
struct loop_uv {
    struct loop loop;
    uv_loop_t uv;
    uv_prepare_t before_poll;
    uv_check_t after_poll;
    uv_idle_t no_sleep;  /* active while tasks or own mails wait: poll returns at once */
    uv_timer_t next_due; /* stands for the earliest of loop.timers */
    int64_t armed_due_ns;
    uv_async_t woken;
    _Atomic pthread_t runner; /* the thread that runs it; 0: none does */
    bool has_own_mail;        /* the runner posted into the empty mailbox */
    atomic_bool is_stopping;
};

static struct loop_uv *loop_uv_of(struct loop *loop)
{
    return LIST_OWNER(loop, struct loop_uv, loop);
}

uv_loop_t *loop_uv_handle(struct loop *loop)
{
    return &loop_uv_of(loop)->uv;
}

static void interrupt(struct loop_uv *self)
{
    check(uv_async_send(&self->woken) == 0);
}

static void wake(struct loop *loop)
{
    struct loop_uv *self = loop_uv_of(loop);
    if (atomic_load_explicit(&self->runner, memory_order_relaxed) == pthread_self())
        self->has_own_mail = true;
    else
        interrupt(self);
}

static void on_woken(uv_async_t *async)
{
    struct loop_uv *self = async->data;
    mailbox_deliver(&self->loop.mailbox);
    if (atomic_load(&self->is_stopping))
        uv_stop(&self->uv);
}

static void on_timers_due(uv_timer_t *timer)
{
    struct loop_uv *self = timer->data;
    loop_run_timers(&self->loop);
}

static void on_no_sleep(uv_idle_t *idle)
{
    (void)idle;
}

/* Rounded up: early by a part of a millisecond would mean a turn for nothing. */
static void arm_next_due(struct loop_uv *self)
{
    const struct timer_node *first = self->loop.timers.first;
    if (first == NULL) {
        uv_timer_stop(&self->next_due);
        return;
    }
    if (first->due_ns == self->armed_due_ns && uv_is_active((uv_handle_t *)&self->next_due))
        return;
    int64_t left_ns = loop_next_due_ns(&self->loop);
    uint64_t left_ms = (uint64_t)((left_ns + CLOCK_NS_PER_MS - 1) / CLOCK_NS_PER_MS);
    uv_update_time(&self->uv);
    uv_timer_start(&self->next_due, on_timers_due, left_ms, 0);
    self->armed_due_ns = first->due_ns;
}

static void on_before_poll(uv_prepare_t *prepare)
{
    struct loop_uv *self = prepare->data;
    loop_run_tasks(&self->loop);
    arm_next_due(self);
    if (list_is_empty(&self->loop.tasks) && !self->has_own_mail)
        uv_idle_stop(&self->no_sleep);
    else
        uv_idle_start(&self->no_sleep, on_no_sleep);
    self->loop.reads_in_turn = 0;
}

static void on_after_poll(uv_check_t *check_handle)
{
    struct loop_uv *self = check_handle->data;
    loop_run_tasks(&self->loop);
    if (!self->has_own_mail)
        return;
    self->has_own_mail = false;
    mailbox_deliver(&self->loop.mailbox);
}

static void init_handles(struct loop_uv *self)
{
    uv_prepare_init(&self->uv, &self->before_poll);
    uv_check_init(&self->uv, &self->after_poll);
    uv_idle_init(&self->uv, &self->no_sleep);
    uv_timer_init(&self->uv, &self->next_due);
    self->before_poll.data = self;
    self->after_poll.data = self;
    self->next_due.data = self;
    self->woken.data = self;
    uv_prepare_start(&self->before_poll, on_before_poll);
    uv_check_start(&self->after_poll, on_after_poll);
}

enum err loop_uv_new(struct loop **ret_loop)
{
    static const struct loop_ops ops = {.wake = wake};
    struct loop_uv *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return ERR_MEMORY;
    enum err err = loop_init(&self->loop, &ops, clock_linux());
    if (err != ERR_NONE)
        goto fail;
    err = ERR_SYSTEM;
    if (uv_loop_init(&self->uv) != 0)
        goto fail_loop;
    if (uv_async_init(&self->uv, &self->woken, on_woken) != 0)
        goto fail_uv;
    init_handles(self);
    *ret_loop = &self->loop;
    return ERR_NONE;
fail_uv:
    check(uv_loop_close(&self->uv) == 0);
fail_loop:
    loop_done(&self->loop);
fail:
    free(self);
    return err;
}

void loop_uv_run(struct loop *loop)
{
    struct loop_uv *self = loop_uv_of(loop);
    /* A mail, or the wish to stop, may have come before the loop ran. */
    interrupt(self);
    atomic_store(&self->runner, pthread_self());
    uv_run(&self->uv, UV_RUN_DEFAULT);
    atomic_store(&self->runner, 0);
    atomic_store(&self->is_stopping, false);
}

void loop_uv_stop(struct loop *loop)
{
    atomic_store(&loop_uv_of(loop)->is_stopping, true);
    interrupt(loop_uv_of(loop));
}

struct loop *loop_uv_free(struct loop *loop)
{
    if (loop == NULL)
        return NULL;
    struct loop_uv *self = loop_uv_of(loop);
    uv_handle_t *handles[] = {(uv_handle_t *)&self->before_poll, (uv_handle_t *)&self->after_poll,
                              (uv_handle_t *)&self->no_sleep, (uv_handle_t *)&self->next_due,
                              (uv_handle_t *)&self->woken};
    for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++)
        uv_close(handles[i], NULL);
    uv_run(&self->uv, UV_RUN_DEFAULT);
    check(uv_loop_close(&self->uv) == 0);
    loop_done(loop);
    free(self);
    return NULL;
}
