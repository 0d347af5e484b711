/* Deliveries as the configuration wants them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/delivery_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "delivery/target_file.h"

enum { PATH_SIZE = 1024, SOURCES_MAX = 4096 };

/* DIR and NAME of `file:DIR/NAME`; DIR is "." when the path has none. */
struct file_path {
    char directory[PATH_SIZE];
    const char *name;
};

static enum err split_path(const char *path, struct file_path *ret_path, struct why *why)
{
    size_t len = strlen(path);
    const char *slash = strrchr(path, '/');
    if (len >= PATH_SIZE)
        return why_set(why, ERR_BAD_NAME, "the path is longer than %d bytes", PATH_SIZE - 1);
    ret_path->name = slash == NULL ? path : slash + 1;
    if (slash == NULL)
        (void)snprintf(ret_path->directory, PATH_SIZE, ".");
    else
        (void)snprintf(ret_path->directory, PATH_SIZE, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    if (strchr(ret_path->directory, '{') != NULL)
        return why_set(why, ERR_BAD_NAME, "{topic} may stand in the file's name alone: %.200s", path);
    return target_file_check_name(ret_path->name, why);
}

enum err delivery_plan_examine(const struct config_delivery *config, struct why *why)
{
    struct file_path path;
    if (!store_topic_name_is_legal(span_from_text(config->name)))
        return why_set(why, ERR_BAD_NAME, "delivery `%.100s`: a name has %s", config->name,
                       store_topic_name_rule);
    const struct config_delivery_source *from = config->from.items;
    for (uint32_t i = 0; i < config->from.count; i++)
        if (!store_topic_name_is_legal(span_from_text(from[i].topic)))
            return why_set(why, ERR_BAD_NAME, "delivery %s: topic `%.100s`: a name has %s", config->name,
                           from[i].topic, store_topic_name_rule);
    enum err err = split_path(config_delivery_path(config), &path, why);
    if (err != ERR_NONE)
        why_prefix(why, "delivery %s: ", config->name);
    return err;
}

/* As `mkdir -p`, for this user alone. */
static enum err make_directory(const char *directory)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s", directory);
    for (char *at = path + 1; *at != '\0'; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return err_from_errno(errno);
        *at = '/';
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST ? ERR_NONE : err_from_errno(errno);
}

static enum err open_target(const struct config_delivery *config,
                            struct background *background,
                            struct loop *loop,
                            struct why *why,
                            struct target **ret_target)
{
    struct file_path path;
    enum err err = split_path(config_delivery_path(config), &path, why);
    if (err != ERR_NONE)
        return err;
    err = make_directory(path.directory);
    if (err != ERR_NONE)
        return why_set(why, err, "directory %s: %s", path.directory, err_text(err));
    struct target_file_settings settings = {
        .directory = path.directory,
        .name = path.name,
        .rotation = {config->rotate.size, (uint32_t)config->rotate.keep, config->rotate.compress},
        .batch_bytes = config->batch.bytes,
    };
    return target_file_new(&settings, background, &loop->mailbox, why, ret_target);
}

static uint32_t count_sources(const struct config_delivery *config)
{
    const struct config_delivery_source *from = config->from.items;
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->from.count; i++)
        count += from[i].partitions.count == 0 ? 1 : from[i].partitions.count;
    return count;
}

static enum err find_sources(const struct config_delivery *config,
                             struct store *store,
                             struct delivery_source *sources,
                             struct why *why)
{
    const struct config_delivery_source *from = config->from.items;
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->from.count; i++) {
        struct delivery_source source = {.partition = GROUP_ALL_PARTITIONS};
        enum err err = store->ops->topic_open(store, span_from_text(from[i].topic), 0, true, &source.topic);
        if (err != ERR_NONE)
            return why_set(why, err, "topic %s: %s", from[i].topic, err_text(err));
        if (from[i].partitions.count == 0)
            sources[count++] = source;
        for (uint32_t j = 0; j < from[i].partitions.count; j++) {
            uint64_t number = 0;
            check(span_to_u64(span_from_text(from[i].partitions.items[j]), &number)); /* examined */
            source.partition = (int64_t)number;
            sources[count++] = source;
        }
    }
    return ERR_NONE;
}

static struct delivery_settings settings_of(const struct config_delivery *config,
                                            const struct delivery_source *sources,
                                            uint32_t source_count)
{
    return (struct delivery_settings){
        .name = span_from_text(config->name),
        .sources = sources,
        .source_count = source_count,
        .batch_records = (uint32_t)config->batch.records,
        .batch_wait_ns = config->batch.wait_ns,
        .in_flight = (uint32_t)config->in_flight,
        .parallel = 1,
        .backoff = {config->retry.first_ns, config->retry.max_ns, config->retry.jitter},
        .breaker_failures = (uint32_t)config->breaker.failures,
        .breaker_every_ns = config->breaker.every_ns,
    };
}

enum err delivery_plan_open(const struct config_delivery *config,
                            const struct delivery_ground *ground,
                            struct why *why,
                            struct delivery **ret_delivery)
{
    uint32_t count = count_sources(config);
    struct delivery_source *sources = count > SOURCES_MAX ? NULL : calloc(count + 1, sizeof *sources);
    struct target *target = NULL;
    enum err err = sources == NULL ? why_set(why, ERR_TOO_MANY, "more than %d sources", SOURCES_MAX)
                                   : find_sources(config, ground->store, sources, why);
    if (err == ERR_NONE)
        err = open_target(config, ground->background, ground->loop, why, &target);
    struct delivery_settings settings = settings_of(config, sources, count);
    if (err == ERR_NONE)
        err = delivery_new(&settings, ground->groups, ground->loop, target, why, ret_delivery);
    if (err != ERR_NONE)
        why_prefix(why, "delivery %s: ", config->name);
    free(sources);
    return err;
}
