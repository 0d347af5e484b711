/* Reads, compares, applies: nothing is touched before everything has been found good. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/reload.h"

#include <stdlib.h>

#include "app/config_examine.h"
#include "app/door_tls.h"
#include "base/log.h"
#include "base/metric.h"
#include "config/config_diff.h"

enum { KEYS_MAX = 3000 }; /* what fits a log line */

/* The names of keys for one log line. */
struct keys {
    enum config_reload reload; /* only those of this class */
    struct buffer text;
    unsigned count;
    unsigned left_out;
};

const struct config *reload_config(const struct reload *reload)
{
    return reload->live != NULL ? reload->live : reload->start;
}

/* --- Reading ------------------------------------------------------------------------------------ */

static void tell_problems(const struct config_problems *problems)
{
    struct span rest = buffer_span(&problems->text);
    while (rest.len > 0) {
        size_t len = span_find(rest, '\n');
        log_line(LOG_ERROR, "app", "not reloaded", "problem=%s",
                 log_value(&(struct log_value){0}, span_of(rest.data, len)));
        rest = span_after(rest, len < rest.len ? len + 1 : len);
    }
}

static struct config *read_file(const struct reload *reload)
{
    struct config_problems problems;
    struct config *config = NULL;
    config_problems_init(&problems, reload->path);
    enum err err = config_load(reload->path, &problems, &config);
    if (err == ERR_NONE)
        err = config_examine(config, &problems);
    if (err != ERR_NONE && problems.count == 0)
        config_problem(&problems, (struct config_place){0}, "%s", err_text(err));
    tell_problems(&problems);
    config_problems_done(&problems);
    return err == ERR_NONE ? config : config_free(config);
}

/* --- Certificates ------------------------------------------------------------------------------- */

/* The door of the file that stands behind a listener: doors are known by where they listen. */
static const struct config_door *find_door(const struct config *config, const struct config_address *listen)
{
    const struct config_door *doors = config->doors.items;
    for (uint32_t i = 0; i < config->doors.count; i++)
        if (doors[i].listen.port == listen->port && strcmp(doors[i].listen.host, listen->host) == 0)
            return &doors[i];
    return NULL;
}

/* One for each plan; NULL where nothing changes: the door is plain, or has left the file. False: the problem was told. */
static bool
open_contexts(const struct reload *reload, const struct config *config, struct tls_context **contexts)
{
    for (uint32_t i = 0; i < reload->plans->count; i++) {
        struct door_plan *plan = &reload->plans->plans[i];
        const struct config_door *door = find_door(config, &plan->config->listen);
        struct door_tls_fault fault;
        struct why why = {""};
        if (plan->tls == NULL || door == NULL)
            continue;
        enum err err = door_tls_open(door, clock_linux(), &fault, &why, &contexts[i]);
        if (err == ERR_NONE)
            continue;
        log_line(
            LOG_ERROR, "app", "not reloaded", "problem=%s",
            log_value(&(struct log_value){0}, span_from_text(err == ERR_CONFIG ? why.text : err_text(err))));
        return false;
    }
    return true;
}

static void release_contexts(const struct reload *reload, struct tls_context **contexts)
{
    for (uint32_t i = 0; i < reload->plans->count; i++)
        tls_context_unref(contexts[i]);
    free(contexts);
}

/* New handshakes use the new ones; false: out of memory, and some loops may go on with the old ones. */
static bool change_contexts(const struct reload *reload, struct tls_context **contexts)
{
    bool is_changed = true;
    for (uint32_t i = 0; i < reload->plans->count; i++) {
        struct door_plan *plan = &reload->plans->plans[i];
        if (contexts[i] == NULL)
            continue;
        for (unsigned worker = 0; worker < reload->worker_count; worker++)
            is_changed =
                worker_change_tls(&reload->workers[worker], plan, contexts[i]) == ERR_NONE && is_changed;
        tls_context_unref(plan->tls);
        plan->tls = tls_context_ref(contexts[i]);
    }
    return is_changed;
}

/* --- Keys --------------------------------------------------------------------------------------- */

static void on_change(void *owner, const struct config_change *change)
{
    struct keys *keys = owner;
    if (change->reload != keys->reload)
        return;
    const char *comma = keys->count > 0 ? "," : "";
    keys->count++;
    if (buffer_printf(&keys->text, "%s%s:%u", comma, change->path, change->place.line) != ERR_NONE)
        keys->left_out++;
}

static void
tell_keys(const struct config *before, const struct config *after, enum config_reload reload, const char *msg)
{
    struct keys keys = {.reload = reload};
    buffer_init(&keys.text, KEYS_MAX);
    config_diff(before, after, on_change, &keys);
    if (keys.count > 0)
        log_line(reload == CONFIG_LIVE ? LOG_INFO : LOG_WARN, "app", msg, "keys=\"%.*s\" more=%u",
                 (int)keys.text.len, (const char *)keys.text.data, keys.left_out);
    buffer_done(&keys.text);
}

/* --- All of it ---------------------------------------------------------------------------------- */

/* Takes the configuration when it could be applied. */
static bool apply(struct reload *reload, struct config *config, struct tls_context **contexts)
{
    enum err err = journal_setup_reload(reload->setup, config, reload->journal);
    if (err != ERR_NONE) {
        log_line(LOG_ERROR, "app", "not reloaded", "problem=\"%s\"", err_text(err));
        return false;
    }
    struct why why = {""};
    if (journal_setup_create_topics(config, reload->journal, &why) != ERR_NONE)
        log_line(LOG_ERROR, "app", "topic not created", "reason=\"%s\"", why.text);
    if (!change_contexts(reload, contexts))
        log_line(LOG_ERROR, "app", "not all doors have the new certificates", "problem=\"out of memory\"");
    tell_keys(reload->start, config, CONFIG_RESTART, "these keys need a restart and were left as they are");
    tell_keys(reload_config(reload), config, CONFIG_LIVE, "these keys have changed");
    reload->live = config_free(reload->live);
    reload->live = config;
    return true;
}

/* Whether a file that could be read could be taken. */
static bool take(struct reload *reload, struct config *config)
{
    struct tls_context **contexts = calloc(reload->plans->count + 1, sizeof(struct tls_context *));
    if (contexts == NULL)
        return false;
    bool is_taken = open_contexts(reload, config, contexts) && apply(reload, config, contexts);
    release_contexts(reload, contexts);
    return is_taken;
}

void reload_run(struct reload *reload)
{
    struct config *config = NULL;
    if (reload->path == NULL)
        log_line(LOG_WARN, "app", "not reloaded", "problem=\"there is no configuration file\"");
    else
        config = read_file(reload);
    if (config == NULL || !take(reload, config)) {
        metric_add(METRIC_RELOADS_REFUSED, 1);
        config_free(config);
        return;
    }
    metric_add(METRIC_RELOADS, 1);
    log_line(LOG_INFO, "app", "reloaded", "file=%s",
             log_value(&(struct log_value){0}, span_from_text(reload->path)));
}

void reload_done(struct reload *reload)
{
    reload->live = config_free(reload->live);
}
