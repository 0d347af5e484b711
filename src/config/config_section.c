/* Walks a tree along the tables: defaults first, then what the file says. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_section.h"

#include <limits.h>

#include "config/config_nearest.h"
#include "config/config_value.h"

enum { ITEMS_MAX = 10000 };

/* What all steps of one reading share. */
struct field_reader {
    struct arena *arena;
    struct config_problems *problems;
};

static void read_section(struct field_reader *reader,
                         const struct config_section *section,
                         const struct config_node *node,
                         void *values);

static const struct config_field *find_field(const struct config_section *section, const char *name)
{
    for (size_t i = 0; i < section->count; i++)
        if (strcmp(section->fields[i].name, name) == 0)
            return &section->fields[i];
    return NULL;
}

static void refuse_unknown(struct field_reader *reader,
                           const struct config_section *section,
                           const struct config_node *node)
{
    const char *nearest = NULL;
    unsigned best = UINT_MAX;
    for (size_t i = 0; i < section->count; i++) {
        unsigned distance = config_distance(node->key, section->fields[i].name);
        if (distance < best) {
            best = distance;
            nearest = section->fields[i].name;
        }
    }
    if (nearest != NULL && config_is_near(node->key, best))
        config_problem(reader->problems, node->key_place, "`%.100s` is no key here: did you mean `%s`?",
                       node->key, nearest);
    else
        config_problem(reader->problems, node->key_place,
                       "`%.100s` is no key here: `waybill check --explain` lists those that are", node->key);
}

static bool expect_kind(struct field_reader *reader,
                        const char *name,
                        const struct config_node *node,
                        enum config_node_kind kind)
{
    static const char *const nouns[] = {"one value", "a list (`- ...` or `[ ... ]`)",
                                        "a section (`key: value`)"};
    if (node->kind == kind)
        return true;
    config_problem(reader->problems, node->place, "`%s` takes %s", name, nouns[kind]);
    return false;
}

static uint32_t count_members(const struct config_node *node)
{
    uint32_t count = 0;
    for (const struct config_node *member = node->first; member != NULL; member = member->next)
        count++;
    return count;
}

static void *
take_items(struct field_reader *reader, const struct config_node *node, uint32_t count, size_t size)
{
    void *items = count <= ITEMS_MAX ? arena_take(reader->arena, count * size) : NULL;
    if (items == NULL)
        config_problem(reader->problems, node->place, "the list holds too much");
    return items;
}

static void read_sections(struct field_reader *reader,
                          const struct config_field *field,
                          const struct config_node *node,
                          struct config_sections *ret_sections)
{
    if (!expect_kind(reader, field->name, node, CONFIG_LIST))
        return;
    uint32_t count = count_members(node);
    uint8_t *items = take_items(reader, node, count, field->section->size);
    if (items == NULL)
        return;
    *ret_sections = (struct config_sections){items, count};
    for (const struct config_node *member = node->first; member != NULL; member = member->next) {
        if (expect_kind(reader, field->name, member, CONFIG_MAP))
            read_section(reader, field->section, member, items);
        items += field->section->size;
    }
}

static void set_place(const struct config_section *section, void *values, struct config_place place)
{
    memcpy((uint8_t *)values + section->place_offset, &place, sizeof place);
}

static void set_default(const struct config_field *field, void *values)
{
    if (field->fallback == NULL)
        return;
    struct why why;
    enum err err = config_value_read(field, field->fallback, values, &why);
    check(err == ERR_NONE);
}

/* Everything that the table says without a file; required fields stay empty. */
static void set_defaults(struct field_reader *reader, const struct config_section *section, void *values)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct config_field *field = &section->fields[i];
        void *target = (uint8_t *)values + field->offset;
        if (field->kind == CONFIG_SECTION) {
            set_defaults(reader, field->section, target);
        } else if (field->kind == CONFIG_NAMED) {
            struct config_named *named = target;
            named->defaults = arena_take(reader->arena, field->section->size);
            if (named->defaults != NULL)
                set_defaults(reader, field->section, named->defaults);
            else
                config_problem(reader->problems, (struct config_place){0}, "out of memory");
        } else {
            set_default(field, values);
        }
    }
}

static void read_value(struct field_reader *reader,
                       const struct config_field *field,
                       const struct config_node *node,
                       void *values);

/* What the node says, on top of what stands there. */
static void read_members(struct field_reader *reader,
                         const struct config_section *section,
                         const struct config_node *node,
                         void *values)
{
    set_place(section, values, node->key == NULL ? node->place : node->key_place);
    for (const struct config_node *member = node->first; member != NULL; member = member->next) {
        const struct config_field *field = find_field(section, member->key);
        if (field == NULL)
            refuse_unknown(reader, section, member);
        else
            read_value(reader, field, member, values);
    }
}

static void read_named_item(struct field_reader *reader,
                            const struct config_section *section,
                            const struct config_node *node,
                            void *item)
{
    if (!expect_kind(reader, node->key, node, CONFIG_MAP))
        return;
    read_members(reader, section, node, item);
    if (section->examine != NULL)
        section->examine(reader->problems, node, item);
}

static void read_named(struct field_reader *reader,
                       const struct config_field *field,
                       const struct config_node *node,
                       struct config_named *named)
{
    if (named->defaults == NULL || !expect_kind(reader, field->name, node, CONFIG_MAP))
        return;
    const struct config_node *defaults = config_node_member(node, "defaults");
    if (defaults != NULL)
        read_named_item(reader, field->section, defaults, named->defaults);
    uint32_t count = count_members(node) - (defaults != NULL);
    uint8_t *item = take_items(reader, node, count, field->section->size);
    if (item == NULL)
        return;
    named->items = item;
    named->count = count;
    for (const struct config_node *member = node->first; member != NULL; member = member->next) {
        if (member == defaults)
            continue;
        memcpy(item, named->defaults, field->section->size);
        memcpy(item, &member->key, sizeof member->key);
        read_named_item(reader, field->section, member, item);
        item += field->section->size;
    }
}

static void read_scalar(struct field_reader *reader,
                        const struct config_field *field,
                        const struct config_node *node,
                        void *values)
{
    struct why why;
    if (!expect_kind(reader, field->name, node, CONFIG_SCALAR))
        return;
    if (config_value_read(field, node->text, values, &why) != ERR_NONE)
        config_problem(reader->problems, node->place, "%s", why.text);
}

static void read_value(struct field_reader *reader,
                       const struct config_field *field,
                       const struct config_node *node,
                       void *values)
{
    void *target = (uint8_t *)values + field->offset;
    if (field->kind == CONFIG_LATER) {
        config_problem(reader->problems, node->key_place, "`%s` is not in this version yet", field->name);
    } else if (field->kind == CONFIG_SECTION) {
        if (expect_kind(reader, field->name, node, CONFIG_MAP))
            read_members(reader, field->section, node, target);
    } else if (field->kind == CONFIG_SECTIONS) {
        read_sections(reader, field, node, target);
    } else if (field->kind == CONFIG_NAMED) {
        read_named(reader, field, node, target);
    } else {
        read_scalar(reader, field, node, values);
    }
}

static void require_members(struct field_reader *reader,
                            const struct config_section *section,
                            const struct config_node *node)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct config_field *field = &section->fields[i];
        if (field->is_required && config_node_member(node, field->name) == NULL)
            config_problem(reader->problems, node->place, "`%s` is missing here: %s", field->name,
                           field->sentence);
    }
}

static void read_section(struct field_reader *reader,
                         const struct config_section *section,
                         const struct config_node *node,
                         void *values)
{
    unsigned before = reader->problems->count;
    set_defaults(reader, section, values);
    if (node != NULL) {
        read_members(reader, section, node, values);
        require_members(reader, section, node);
    }
    if (section->examine != NULL && reader->problems->count == before)
        section->examine(reader->problems, node, values);
}

void config_section_read(const struct config_section *section,
                         const struct config_node *node,
                         struct arena *arena,
                         struct config_problems *problems,
                         void *values)
{
    struct field_reader reader = {arena, problems};
    if (node == NULL || expect_kind(&reader, "the configuration", node, CONFIG_MAP))
        read_section(&reader, section, node, values);
}
