/* The life of a loop's thread: doors open, run, drain, cut, stop. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/worker.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "io/loop_uv.h"

enum err drain_watch_init(struct drain_watch *watch)
{
    pthread_condattr_t attributes;
    *watch = (struct drain_watch){0};
    if (pthread_condattr_init(&attributes) != 0)
        return ERR_MEMORY;
    check(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    check(pthread_mutex_init(&watch->lock, NULL) == 0);
    check(pthread_cond_init(&watch->changed, &attributes) == 0);
    check(pthread_condattr_destroy(&attributes) == 0);
    return ERR_NONE;
}

void drain_watch_done(struct drain_watch *watch)
{
    check(pthread_cond_destroy(&watch->changed) == 0);
    check(pthread_mutex_destroy(&watch->lock) == 0);
}

bool drain_watch_wait(struct drain_watch *watch, int64_t timeout_ns)
{
    int64_t due_ns = clock_now_ns(clock_linux()) + timeout_ns;
    struct timespec due = {.tv_sec = due_ns / CLOCK_NS_PER_S, .tv_nsec = due_ns % CLOCK_NS_PER_S};
    check(pthread_mutex_lock(&watch->lock) == 0);
    int waited = 0;
    while (watch->open > 0 && waited == 0)
        waited = pthread_cond_timedwait(&watch->changed, &watch->lock, &due);
    bool is_over = watch->open == 0;
    check(pthread_mutex_unlock(&watch->lock) == 0);
    return is_over;
}

static void on_door_drained(void *owner)
{
    struct drain_watch *watch = owner;
    check(pthread_mutex_lock(&watch->lock) == 0);
    check(watch->open > 0);
    watch->open--;
    check(pthread_cond_signal(&watch->changed) == 0);
    check(pthread_mutex_unlock(&watch->lock) == 0);
}

static void watch_add(struct drain_watch *watch, unsigned doors)
{
    check(pthread_mutex_lock(&watch->lock) == 0);
    watch->open += doors;
    check(pthread_mutex_unlock(&watch->lock) == 0);
}

/* How many senders there are is known here alone, so the most there can be are counted before, and the rest at once. */
static void drain_desk(struct worker *worker)
{
    watch_add(worker->watch, CONTROL_SENDERS_MAX);
    unsigned doors = control_desk_drain(&worker->desk, on_door_drained, worker->watch);
    for (unsigned i = doors - 1; i < CONTROL_SENDERS_MAX; i++)
        on_door_drained(worker->watch);
}

static void on_drain(struct mail *mail)
{
    struct worker *worker = LIST_OWNER(mail, struct worker, drain_mail);
    processed_logs_stop(&worker->processed_logs);
    if (worker->has_desk)
        drain_desk(worker);
    for (uint32_t i = 0; i < worker->door_count; i++)
        door_drain(worker->doors[i].door, on_door_drained, worker->watch);
    if (worker->is_home)
        home_drain(&worker->ground.home, on_door_drained, worker->watch);
}

static void on_cut(struct mail *mail)
{
    struct worker *worker = LIST_OWNER(mail, struct worker, cut_mail);
    if (worker->has_desk)
        control_desk_cut(&worker->desk);
    for (uint32_t i = 0; i < worker->door_count; i++)
        door_cut(worker->doors[i].door);
}

/* On its way from main to the loop, which frees it. */
struct tls_change {
    struct mail mail;
    struct worker *worker;
    const struct door_plan *plan;
    struct tls_context *tls; /* its own reference */
};

static void on_tls_change(struct mail *mail)
{
    struct tls_change *change = LIST_OWNER(mail, struct tls_change, mail);
    struct worker *worker = change->worker;
    for (uint32_t i = 0; i < worker->door_count; i++)
        if (worker->doors[i].plan == change->plan)
            door_set_tls(worker->doors[i].door, change->tls);
    tls_context_unref(change->tls);
    free(change);
}

enum err worker_change_tls(struct worker *worker, const struct door_plan *plan, struct tls_context *tls)
{
    struct tls_change *change = calloc(1, sizeof *change);
    if (change == NULL)
        return ERR_MEMORY;
    *change = (struct tls_change){{.on_delivered = on_tls_change}, worker, plan, tls_context_ref(tls)};
    mailbox_post(&worker->loop->mailbox, &change->mail);
    return ERR_NONE;
}

/* On the loop's thread, so that whatever was posted before is delivered before. */
static void on_stop(struct mail *mail)
{
    loop_uv_stop(LIST_OWNER(mail, struct worker, stop_mail)->loop);
}

void worker_drain(struct worker *worker)
{
    mailbox_post(&worker->loop->mailbox, &worker->drain_mail);
}

void worker_cut(struct worker *worker)
{
    mailbox_post(&worker->loop->mailbox, &worker->cut_mail);
}

void worker_stop(struct worker *worker)
{
    if (!worker->is_running)
        return;
    mailbox_post(&worker->loop->mailbox, &worker->stop_mail);
    check(pthread_join(worker->thread, NULL) == 0);
    worker->is_running = false;
}

static enum err open_door(struct worker *worker, const struct door_plan *plan, struct why *why)
{
    enum err err = worker_door_open(&worker->doors[worker->door_count], plan, &worker->ground, why);
    if (err != ERR_NONE)
        return err;
    worker->door_count++;
    worker->watch->open++;
    return ERR_NONE;
}

static enum err open_doors(struct worker *worker, const struct door_plans *plans, struct why *why)
{
    enum err err = ERR_NONE;
    for (uint32_t i = 0; i < plans->count && err == ERR_NONE; i++)
        if (worker->is_home || !worker_door_is_at_home(&plans->plans[i]))
            err = open_door(worker, &plans->plans[i], why);
    return err;
}

/* The groups, and who settles for them what a file says. */
static enum err settle_home(struct worker *worker, const struct worker_settings *settings, struct why *why)
{
    struct home *home = &worker->ground.home;
    enum err err = home_init(home, worker->loop, settings->store, settings->config, settings->plans);
    if (err != ERR_NONE)
        return err;
    return processed_logs_open(&worker->processed_logs, settings->plans, settings->store, &home->groups, why);
}

/* What doors stand on, and the doors. */
static enum err build(struct worker *worker, const struct worker_settings *settings, struct why *why)
{
    struct worker_ground *ground = &worker->ground;
    append_gate_init(&ground->gate, settings->store, worker->loop);
    enum err err = receipts_new(settings->store, settings->policy, &ground->receipts);
    if (err == ERR_NONE && worker->is_home)
        err = settle_home(worker, settings, why);
    if (err != ERR_NONE)
        return err;
    worker->watch->open += worker->is_home;
    worker->doors = calloc(settings->plans->count + 1, sizeof *worker->doors);
    return worker->doors == NULL ? ERR_MEMORY : open_doors(worker, settings->plans, why);
}

enum err worker_init(struct worker *worker, const struct worker_settings *settings, struct why *why)
{
    *worker = (struct worker){.watch = settings->watch,
                              .is_home = settings->is_home,
                              .drain_mail = {.on_delivered = on_drain},
                              .cut_mail = {.on_delivered = on_cut},
                              .stop_mail = {.on_delivered = on_stop}};
    enum err err = loop_uv_new(&worker->loop);
    if (err != ERR_NONE)
        return why_set(why, err, "no event loop: %s", err_text(err));
    err = build(worker, settings, why);
    if (err != ERR_NONE)
        worker_done(worker);
    return err;
}

enum err worker_open_desk(struct worker *worker, const struct listen_socket *socket, struct why *why)
{
    struct worker_ground *ground = &worker->ground;
    struct control_operations letters = letter_desk_operations(&ground->home.letters.desk);
    check(worker->is_home);
    enum err err = control_desk_init(&worker->desk, &ground->gate, ground->receipts,
                                     ground->home.groups.groups, &letters, socket);
    if (err != ERR_NONE)
        return why_set(why, err, "%s cannot listen: %s", socket->path, err_text(err));
    worker->has_desk = true;
    worker->watch->open++;
    return ERR_NONE;
}

static void *run(void *argument)
{
    struct worker *worker = argument;
    (void)pthread_setname_np(pthread_self(), "loop");
    loop_uv_run(worker->loop);
    return NULL;
}

enum err worker_start(struct worker *worker)
{
    if (pthread_create(&worker->thread, NULL, run, worker) != 0)
        return ERR_SYSTEM;
    worker->is_running = true;
    return ERR_NONE;
}

void worker_done(struct worker *worker)
{
    if (worker->loop == NULL)
        return;
    check(!worker->is_running);
    (void)mailbox_deliver(&worker->loop->mailbox); /* what came after the loop's last turn */
    if (worker->has_desk)
        control_desk_done(&worker->desk);
    check(worker->doors != NULL || worker->door_count == 0);
    for (uint32_t i = 0; i < worker->door_count; i++)
        worker_door_close(&worker->doors[i]);
    free(worker->doors);
    processed_logs_stop(&worker->processed_logs);
    home_done(&worker->ground.home);
    processed_logs_close(&worker->processed_logs);
    worker->ground.receipts = receipts_free(worker->ground.receipts);
    append_gate_done(&worker->ground.gate);
    worker->loop = loop_uv_free(worker->loop);
}
