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

/* What stands around the words of a form. */
struct dress {
    const char *heading;
    const char *item;
    const char *quote;
    const char *indent;
};

static const char page_heading[] =
    "# The configuration, key by key\n\n"
    "Made by `make docs` from the tables that read it: what `waybill check --explain` prints. `[]` stands\n"
    "for each item of a list, `NAME` for a name of your own; `restart` or `reload` says what a change "
    "needs.\n\n";

static const struct dress dresses[] = {
    [CONFIG_EXPLAIN_TEXT] = {.heading = "", .item = "", .quote = "", .indent = "    "},
    [CONFIG_EXPLAIN_MARKDOWN] = {.heading = page_heading, .item = "* ", .quote = "`", .indent = "  "},
};

static enum err explain_field(struct buffer *to,
                              const struct dress *dress,
                              const char *path,
                              const struct config_field *field)
{
    char takes[256];
    const char *quote = dress->quote;
    enum err err = buffer_printf(to, "%s%s%s%s", dress->item, quote, path, quote);
    if (err == ERR_NONE && field->kind == CONFIG_LATER)
        return buffer_printf(to, "\n%sNot in this version yet. %s\n", dress->indent, field->sentence);
    if (err == ERR_NONE)
        err = buffer_printf(to, ": %s", config_value_describe(field, takes));
    if (err == ERR_NONE && field->is_required)
        err = buffer_append_text(to, "; required");
    if (err == ERR_NONE && field->fallback != NULL)
        err = buffer_printf(to, "; default %s%s%s", quote, field->fallback, quote);
    if (err == ERR_NONE && field->section == NULL)
        err = buffer_append_text(to, field->reload == CONFIG_LIVE ? "; reload" : "; restart");
    if (err == ERR_NONE && field->later != NULL)
        err = buffer_printf(to, "; not yet: %s%s%s", quote, field->later, quote);
    return err != ERR_NONE ? err : buffer_printf(to, "\n%s%s\n", dress->indent, field->sentence);
}

static const char *joint_of(enum config_kind kind)
{
    if (kind == CONFIG_SECTIONS)
        return "[].";
    return kind == CONFIG_NAMED ? ".NAME." : ".";
}

enum err config_explain(struct buffer *to, enum config_explain_form form)
{
    const struct dress *dress = &dresses[form];
    struct level levels[DEPTH_MAX] = {{.section = config_root()}};
    size_t depth = 1;
    enum err err = buffer_append_text(to, dress->heading);
    while (depth > 0 && err == ERR_NONE) {
        struct level *level = &levels[depth - 1];
        if (level->next == level->section->count) {
            depth--;
            continue;
        }
        const struct config_field *field = &level->section->fields[level->next++];
        char path[2 * PATH_SIZE];
        (void)snprintf(path, sizeof path, "%s%s", level->prefix, field->name);
        err = explain_field(to, dress, path, field);
        if (field->section == NULL)
            continue;
        check(depth < DEPTH_MAX);
        levels[depth] = (struct level){.section = field->section};
        int len = snprintf(levels[depth++].prefix, PATH_SIZE, "%.100s%s", path, joint_of(field->kind));
        check(len < PATH_SIZE);
    }
    return err;
}
