/* Builds the rooms, runs them, takes them down. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/app.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/certificate_watch.h"
#include "app/data_directory.h"
#include "app/door_plan.h"
#include "app/drop_watch.h"
#include "app/journal_setup.h"
#include "app/receipt_plan.h"
#include "app/reload.h"
#include "app/service_manager.h"
#include "app/stop_guard.h"
#include "app/sync_probe.h"
#include "app/worker.h"
#include "base/log.h"
#include "base/units.h"

/*
 * The happy path: sockets are bound and the journal recovers; then workers open the doors; a signal drains the doors,
 * stops the journal, stops the workers.
 *
 * Nothing in flight can be lost on the way down: a door is drained when its connections have had their answers; what is
 * left after `drain` is cut, and was never acknowledged.
 */
struct app {
    const struct config *config;
    struct data_directory directory;
    struct door_plans plans;
    struct listen_socket control;
    struct receipt_plan receipts;
    struct journal_setup setup;
    struct drop_watch drops;
    struct journal *journal;
    struct drain_watch watch;
    struct worker *workers;
    unsigned worker_count;
    struct sync_probe probe;
    struct reload reload;
    struct certificate_watch certificates;
};

/* How often main looks at certificates: what they say changes slowly, but the metric counts seconds. */
enum { LOOK_EVERY_S = 60 };

/* After a cut all doors are drained as soon as their loop has run, and the journal after one more sync. */
#define CUT_TIMEOUT_NS (5 * CLOCK_NS_PER_S)

/* A connection is a descriptor: the default soft limit of 1024 is for programs that use select. */
static void raise_open_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_line(LOG_WARN, "app", "open files not raised", "err=%s", err_name(err_from_errno(errno)));
}

/* Before the first thread, which inherits it: signals come to main alone, when it asks. */
static sigset_t block_signals(void)
{
    sigset_t signals;
    check(sigemptyset(&signals) == 0);
    check(sigaddset(&signals, SIGTERM) == 0 && sigaddset(&signals, SIGINT) == 0);
    check(sigaddset(&signals, SIGHUP) == 0);
    check(pthread_sigmask(SIG_BLOCK, &signals, NULL) == 0);
    check(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    return signals;
}

static unsigned loops_wanted(const struct config *config)
{
    if (config->threads.loops > 0)
        return (unsigned)config->threads.loops;
    cpu_set_t cores;
    CPU_ZERO(&cores);
    int count = sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 1;
    return count <= 2 ? 1 : (unsigned)count - 1;
}

static enum err open_journal(struct app *app, struct why *why)
{
    enum err err = journal_setup_init(&app->setup, app->config, app->directory.journal, clock_linux());
    if (err != ERR_NONE)
        return err;
    app->setup.on_dropped = drop_watch_tell;
    app->setup.owner = &app->drops;
    err = journal_setup_open(&app->setup, why, &app->journal);
    if (err != ERR_NONE)
        return err;
    err = journal_start(app->journal);
    if (err != ERR_NONE)
        return why_set(why, err, "the journal's threads cannot start: %s", err_text(err));
    return journal_setup_create_topics(app->config, app->journal, why);
}

static enum err open_workers(struct app *app, struct why *why)
{
    unsigned count = loops_wanted(app->config);
    app->workers = calloc(count, sizeof *app->workers);
    enum err err = app->workers == NULL ? ERR_MEMORY : drain_watch_init(&app->watch);
    if (err != ERR_NONE)
        return err;
    while (app->worker_count < count && err == ERR_NONE) {
        struct worker_settings settings = {.config = app->config,
                                           .plans = &app->plans,
                                           .policy = &app->receipts.policy,
                                           .store = journal_store(app->journal),
                                           .watch = &app->watch,
                                           .is_home = app->worker_count == 0};
        err = worker_init(&app->workers[app->worker_count], &settings, why);
        app->worker_count += err == ERR_NONE;
    }
    if (err == ERR_NONE)
        err = worker_open_desk(&app->workers[0], &app->control, why);
    if (err == ERR_NONE)
        err =
            home_open_deliveries(&app->workers[0].ground.home, app->config, journal_store(app->journal), why);
    if (err == ERR_NONE)
        drop_watch_set(&app->drops, &app->workers[0].ground.home.letters);
    for (unsigned i = 0; i < app->worker_count && err == ERR_NONE; i++)
        err = worker_start(&app->workers[i]);
    return err;
}

static void say_ready(struct app *app)
{
    const struct journal_recovery *recovery = journal_recovery(app->journal);
    char took[UNITS_TEXT_SIZE];
    for (uint32_t i = 0; i < app->plans.count; i++)
        log_line(LOG_INFO, "app", "door open", "door=\"%s\"", app->plans.plans[i].name);
    log_line(
        LOG_INFO, "app", "ready",
        "data=%s loops=%u recovery=%s segments=%llu bytes=%llu records=%llu damaged=%llu torn_bytes=%llu",
        log_value(&(struct log_value){0}, span_from_text(app->config->data)), app->worker_count,
        units_about_duration(took, recovery->took_ns), (unsigned long long)recovery->segments_scanned,
        (unsigned long long)recovery->bytes_scanned, (unsigned long long)recovery->records_scanned,
        (unsigned long long)recovery->damaged_ranges, (unsigned long long)recovery->torn_bytes);
    service_manager_notify("READY=1");
}

static enum err start(struct app *app, struct why *why)
{
    enum err err = data_directory_open(&app->directory, app->config->data, why);
    if (err == ERR_NONE)
        err = door_plans_open(&app->plans, app->config, why);
    if (err == ERR_NONE)
        err = receipt_plan_init(&app->receipts, app->config);
    if (err == ERR_NONE)
        err = listen_socket_open(&app->control, app->directory.socket_path, why);
    if (err == ERR_NONE)
        err = open_journal(app, why);
    return err == ERR_NONE ? open_workers(app, why) : err;
}

static void look_at_certificates(struct app *app, bool speaks)
{
    certificate_watch_look(&app->certificates, &app->plans, clock_wall_ns(clock_linux()), speaks);
}

static void take_reload(struct app *app)
{
    service_manager_notify("RELOADING=1");
    reload_run(&app->reload);
    look_at_certificates(app, true);
    service_manager_notify("READY=1");
}

static void wait_for_the_end(struct app *app, const sigset_t *signals)
{
    static const struct timespec look_every = {.tv_sec = LOOK_EVERY_S};
    look_at_certificates(app, true);
    for (;;) {
        int number = sigtimedwait(signals, NULL, &look_every);
        if (number == SIGHUP) {
            take_reload(app);
        } else if (number > 0) {
            log_line(LOG_INFO, "app", "stopping", "signal=%s", number == SIGTERM ? "TERM" : "INT");
            return;
        } else {
            look_at_certificates(app, false);
        }
    }
}

static void drain(struct app *app)
{
    for (unsigned i = 0; i < app->worker_count; i++)
        worker_drain(&app->workers[i]);
    if (drain_watch_wait(&app->watch, reload_config(&app->reload)->drain_ns))
        return;
    log_line(LOG_WARN, "app", "drain time is over: what is left is cut", NULL);
    for (unsigned i = 0; i < app->worker_count; i++)
        worker_cut(&app->workers[i]);
}

/* Also takes down what a failed start left behind: `err`. */
static void stop(struct app *app, enum err err)
{
    sync_probe_stop(&app->probe);
    if (app->journal != NULL)
        journal_stop(app->journal); /* completes everything, so that no door waits for the log */
    if (app->worker_count > 0 && app->workers[0].is_running &&
        !drain_watch_wait(&app->watch, CUT_TIMEOUT_NS)) {
        /* Their loops use what stands on main's stack: the process ends with them. All that was stored is synced. */
        log_line(LOG_ERROR, "app", "doors do not end: stopping without them", NULL);
        _exit(err == ERR_NONE ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    for (unsigned i = 0; i < app->worker_count; i++)
        worker_stop(&app->workers[i]);
    drop_watch_set(&app->drops, NULL);
    for (unsigned i = 0; i < app->worker_count; i++)
        worker_done(&app->workers[i]);
    if (app->workers != NULL)
        drain_watch_done(&app->watch);
    free(app->workers);
    app->journal = journal_free(app->journal);
    journal_setup_done(&app->setup);
    reload_done(&app->reload);
    drop_watch_done(&app->drops);
    listen_socket_close(&app->control);
    receipt_plan_done(&app->receipts);
    door_plans_close(&app->plans);
    data_directory_close(&app->directory);
}

enum err app_run(const struct config *config, const char *path, struct why *why)
{
    struct app app = {.config = config, .control.fd = -1};
    struct stop_guard guard;
    sigset_t signals = block_signals();
    drop_watch_init(&app.drops);
    raise_open_files();
    enum err err = start(&app, why);
    if (err == ERR_NONE) {
        say_ready(&app);
        sync_probe_start(&app.probe, app.directory.journal, clock_linux());
        app.reload = (struct reload){path,       config,      NULL,        &app.plans,
                                     &app.setup, app.journal, app.workers, app.worker_count};
        wait_for_the_end(&app, &signals);
        service_manager_notify("STOPPING=1");
        stop_guard_start(&guard, reload_config(&app.reload)->drain_ns + CUT_TIMEOUT_NS);
        drain(&app);
    }
    stop(&app, err);
    if (err == ERR_NONE) {
        stop_guard_stop(&guard);
        log_line(LOG_INFO, "app", "stopped", NULL);
    }
    return err;
}
