/* The reference of the configuration, printed from the tables that read it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "config/config.h"
#include "config/config_value.h"

enum { PATH_SIZE = 128, DEPTH_MAX = 4 };

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

static enum err
explain_section(struct buffer *to, const char *prefix, const struct config_section *section, unsigned depth)
{
    check(depth < DEPTH_MAX);
    static const char *const joints[] = {
        [CONFIG_SECTION] = ".", [CONFIG_SECTIONS] = "[].", [CONFIG_NAMED] = ".NAME."};
    enum err err = ERR_NONE;
    for (size_t i = 0; i < section->count && err == ERR_NONE; i++) {
        const struct config_field *field = &section->fields[i];
        char path[PATH_SIZE];
        (void)snprintf(path, sizeof path, "%s%s", prefix, field->name);
        err = explain_field(to, path, field);
        if (err != ERR_NONE || field->section == NULL)
            continue;
        (void)snprintf(path, sizeof path, "%s%s%s", prefix, field->name, joints[field->kind]);
        err = explain_section(to, path, field->section, depth + 1);
    }
    return err;
}

enum err config_explain(struct buffer *to)
{
    return explain_section(to, "", config_root(), 0);
}
