/* The processed logs of a configuration. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/processed_logs.h"

#include <limits.h>
#include <stdlib.h>

#include "base/log.h"
#include "door/processed_log.h"
#include "io/file_watch.h"

struct followed_log {
    const struct config_door *door;
    struct fs *fs; /* its directory */
    struct processed_log *log;
    struct file_watch *watch; /* NULL: it is only looked at now and then */
};

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* "." for a name alone, "/" at the root. */
static void put_directory(char directory[static PATH_MAX], const char *path)
{
    size_t len = (size_t)(name_of(path) - path);
    size_t kept = len > 1 ? len - 1 : len;
    check(kept < PATH_MAX - 1);
    memcpy(directory, len == 0 ? "." : path, len == 0 ? 1 : kept);
    directory[len == 0 ? 1 : kept] = '\0';
}

static bool is_same(const struct config_door *a, const struct config_door *b)
{
    return strcmp(a->processed_log, b->processed_log) == 0 && strcmp(a->group, b->group) == 0 &&
           strcmp(a->sequence, b->sequence) == 0;
}

/* The encrypted twin of a door names the same file. */
static bool is_followed(const struct processed_logs *logs, const struct config_door *door)
{
    for (uint32_t i = 0; i < logs->count; i++)
        if (is_same(logs->logs[i].door, door))
            return true;
    return false;
}

static void on_change(void *owner)
{
    processed_log_poke(owner);
}

static struct processed_log_settings settings_of(const struct config_door *door)
{
    bool has_topic = strchr(door->topic, '{') == NULL;
    return (struct processed_log_settings){
        .path = door->processed_log,
        .name = name_of(door->processed_log),
        .group = span_from_text(door->group),
        .sequence_name = span_from_text(door->sequence),
        .topic = has_topic ? span_from_text(door->topic) : span_of("", 0),
    };
}

static void watch(struct followed_log *followed, struct loop *loop, const char *directory, const char *name)
{
    enum err err = file_watch_new(loop, directory, name, on_change, followed->log, &followed->watch);
    if (err != ERR_NONE)
        log_line(LOG_WARN, "app", "processed log is looked at once a second only", "path=%s err=%s",
                 log_value(&(struct log_value){0}, span_from_text(followed->door->processed_log)),
                 err_name(err));
}

static enum err follow(struct followed_log *followed,
                       const struct config_door *door,
                       struct store *store,
                       struct group_home *home,
                       struct why *why)
{
    char directory[PATH_MAX];
    struct processed_log_settings settings = settings_of(door);
    *followed = (struct followed_log){.door = door};
    put_directory(directory, door->processed_log);
    enum err err = fs_linux_new(directory, &followed->fs);
    if (err != ERR_NONE)
        return why_set(why, ERR_CONFIG, "processed_log %s: its directory: %s", door->processed_log,
                       err_text(err));
    err = store->ops->sequence_open(store, settings.sequence_name, &settings.sequence);
    if (err == ERR_NONE)
        err = processed_log_new(store, home->loop, home->groups, followed->fs, &settings, &followed->log);
    if (err != ERR_NONE) {
        followed->fs = fs_linux_free(followed->fs);
        return why_set(why, err, "processed_log %s: %s", door->processed_log, err_text(err));
    }
    watch(followed, home->loop, directory, settings.name);
    return ERR_NONE;
}

enum err processed_logs_open(struct processed_logs *logs,
                             const struct door_plans *plans,
                             struct store *store,
                             struct group_home *home,
                             struct why *why)
{
    *logs = (struct processed_logs){.logs = calloc(plans->count + 1, sizeof *logs->logs)};
    enum err err = logs->logs == NULL ? ERR_MEMORY : ERR_NONE;
    for (uint32_t i = 0; i < plans->count && err == ERR_NONE; i++) {
        const struct config_door *door = plans->plans[i].config;
        if (door->serve != CONFIG_STATUS || door->processed_log == NULL || is_followed(logs, door))
            continue;
        err = follow(&logs->logs[logs->count], door, store, home, why);
        logs->count += err == ERR_NONE;
    }
    if (err != ERR_NONE) {
        processed_logs_stop(logs);
        processed_logs_close(logs);
    }
    return err;
}

void processed_logs_stop(struct processed_logs *logs)
{
    for (uint32_t i = 0; i < logs->count; i++) {
        logs->logs[i].watch = file_watch_close(logs->logs[i].watch);
        processed_log_stop(logs->logs[i].log);
    }
}

void processed_logs_close(struct processed_logs *logs)
{
    for (uint32_t i = 0; i < logs->count; i++) {
        logs->logs[i].log = processed_log_free(logs->logs[i].log);
        logs->logs[i].fs = fs_linux_free(logs->logs[i].fs);
    }
    free(logs->logs);
    *logs = (struct processed_logs){.logs = NULL};
}
