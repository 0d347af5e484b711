/* A loop on a thread of its own, with all doors open on it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_WORKER_H
#define APP_WORKER_H

#include <pthread.h>

#include "app/control_desk.h"
#include "app/processed_logs.h"
#include "app/worker_door.h"
#include "io/loop.h"

/* Main's way to wait until all doors of all workers are drained. */
struct drain_watch {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned open; /* doors that are not drained */
};

struct worker {
    struct loop *loop;
    pthread_t thread;
    struct worker_ground ground;
    struct worker_door *doors;
    uint32_t door_count;
    bool is_home; /* the loop of the groups: one worker's alone */
    struct processed_logs processed_logs;
    struct control_desk desk; /* of one worker alone */
    bool has_desk;
    struct mail drain_mail;
    struct mail cut_mail;
    struct mail stop_mail;
    struct drain_watch *watch;
    bool is_running;
};

/* All of it must outlive the worker. */
struct worker_settings {
    const struct config *config;
    const struct door_plans *plans;
    const struct receipt_policy *policy;
    struct store *store;
    struct drain_watch *watch;
    bool is_home;
};

/*
 * Opens the doors; their clients are answered from worker_start on. CONFIG, MEMORY, SYSTEM with the
 * reason.
 */
enum err
worker_init(struct worker *worker, const struct worker_settings *settings, struct why *why) MUST_CHECK;
/* The control socket is one worker's; before its start. */
enum err
worker_open_desk(struct worker *worker, const struct listen_socket *socket, struct why *why) MUST_CHECK;
enum err worker_start(struct worker *worker) MUST_CHECK;

/* From main, before worker_drain: the plan's door secures new connections with this one. MEMORY. */
enum err
worker_change_tls(struct worker *worker, const struct door_plan *plan, struct tls_context *tls) MUST_CHECK;

/* From main, each at most once and in this order. */
void worker_drain(struct worker *worker); /* doors accept no more, finish, and count down in the watch */
void worker_cut(struct worker *worker);   /* what is still connected is closed */
void worker_stop(struct worker *worker);  /* ends the thread; all doors are drained, the store is stopped */

/* Stopped, or never started. */
void worker_done(struct worker *worker);

enum err drain_watch_init(struct drain_watch *watch) MUST_CHECK;
void drain_watch_done(struct drain_watch *watch);
/* Whether all doors were drained within the time. */
bool drain_watch_wait(struct drain_watch *watch, int64_t timeout_ns);

#endif
