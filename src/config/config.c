/* Reads a configuration from a file, from bytes, or from nothing. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_section.h"

enum { ARENA_SIZE_MAX = 64 * 1024 * 1024 };

struct config *config_free(struct config *config)
{
    if (config != NULL)
        arena_done(&config->arena);
    free(config);
    return NULL;
}

bool config_door_is_protected(const struct config_door *door)
{
    return door->tls.node != NULL && door->client_ca != NULL && door->client_cert == CONFIG_REQUIRED;
}

static struct config *config_new(void)
{
    struct config *config = calloc(1, sizeof *config);
    if (config != NULL)
        arena_init(&config->arena, ARENA_SIZE_MAX);
    return config;
}

enum err config_parse(struct span yaml, struct config_problems *problems, struct config **ret_config)
{
    struct config *config = config_new();
    if (config == NULL)
        return ERR_MEMORY;
    struct config_node *root = config_tree_read(yaml, &config->arena, problems);
    if (root != NULL)
        config_section_read(config_root(), root, &config->arena, problems, config);
    if (problems->count > 0) {
        config = config_free(config);
        return ERR_CONFIG;
    }
    *ret_config = config;
    return ERR_NONE;
}

/* All of it, or one byte more than a configuration may have. */
static enum err read_file(FILE *file, struct buffer *to)
{
    enum err err = buffer_reserve(to, CONFIG_FILE_SIZE_MAX + 1);
    if (err != ERR_NONE)
        return err;
    to->len = fread(to->data, 1, CONFIG_FILE_SIZE_MAX + 1, file);
    return ferror(file) != 0 ? err_from_errno(errno) : ERR_NONE;
}

enum err config_load(const char *path, struct config_problems *problems, struct config **ret_config)
{
    FILE *file = fopen(path, "rbe");
    struct buffer bytes;
    buffer_init(&bytes, CONFIG_FILE_SIZE_MAX + 1);
    enum err err = file == NULL ? err_from_errno(errno) : read_file(file, &bytes);
    int number = errno;
    if (err != ERR_NONE)
        config_problem(problems, (struct config_place){0}, "cannot be read: %s",
                       err == ERR_SYSTEM ? strerror(number) : err_text(err));
    else
        err = config_parse(buffer_span(&bytes), problems, ret_config);
    if (file != NULL)
        (void)fclose(file);
    buffer_done(&bytes);
    return err;
}

enum err config_default(struct config **ret_config)
{
    static const char yaml[] = "doors:\n"
                               "- { kind: line, serve: produce, listen: \"127.0.0.1:5673\" }\n"
                               "- { kind: line, serve: subscribe, listen: \"127.0.0.1:5674\" }\n"
                               "- { kind: line, serve: acks, listen: \"127.0.0.1:5675\" }\n"
                               "- { kind: line, serve: status, listen: \"127.0.0.1:5676\" }\n";
    struct config_problems problems;
    config_problems_init(&problems, "built-in configuration");
    enum err err = config_parse(span_from_text(yaml), &problems, ret_config);
    config_problems_done(&problems);
    return err;
}
