/* The reference of the configuration, printed from the tables that read it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "config/config.h"
#include "config/config_value.h"

enum { PATH_SIZE = 128, DEPTH_MAX = 4 };

/* A section on the way down. */
struct level {
    const struct config_section *section;
    size_t next; /* field */
    char prefix[PATH_SIZE];
};

static enum err explain_field(struct buffer *to, const char *path, const struct config_field *field)
{
    char takes[256];
    if (field->kind == CONFIG_LATER)
        return buffer_printf(to, "%s\n    Not in this version yet. %s\n", path, field->sentence);
    enum err err = buffer_printf(to, "%s: %s", path, config_value_describe(field, takes));
    if (err == ERR_NONE && field->is_required)
        err = buffer_append_text(to, "; required");
    if (err == ERR_NONE && field->fallback != NULL)
        err = buffer_printf(to, "; default %s", field->fallback);
    if (err == ERR_NONE && field->section == NULL)
        err = buffer_append_text(to, field->reload == CONFIG_LIVE ? "; reload" : "; restart");
    if (err == ERR_NONE && field->later != NULL)
        err = buffer_printf(to, "; not yet: %s", field->later);
    return err != ERR_NONE ? err : buffer_printf(to, "\n    %s\n", field->sentence);
}

static const char *joint_of(enum config_kind kind)
{
    if (kind == CONFIG_SECTIONS)
        return "[].";
    return kind == CONFIG_NAMED ? ".NAME." : ".";
}

enum err config_explain(struct buffer *to)
{
    struct level levels[DEPTH_MAX] = {{.section = config_root()}};
    size_t depth = 1;
    enum err err = ERR_NONE;
    while (depth > 0 && err == ERR_NONE) {
        struct level *level = &levels[depth - 1];
        if (level->next == level->section->count) {
            depth--;
            continue;
        }
        const struct config_field *field = &level->section->fields[level->next++];
        char path[2 * PATH_SIZE];
        (void)snprintf(path, sizeof path, "%s%s", level->prefix, field->name);
        err = explain_field(to, path, field);
        if (field->section == NULL)
            continue;
        check(depth < DEPTH_MAX);
        levels[depth] = (struct level){.section = field->section};
        int len = snprintf(levels[depth++].prefix, PATH_SIZE, "%.100s%s", path, joint_of(field->kind));
        check(len < PATH_SIZE);
    }
    return err;
}
